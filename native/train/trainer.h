// The whole training step: augmentation, forward pass, loss, backward pass and optimizer.
#pragma once
#include <cstdint>
#include <vector>

#include "api/inksight.h"
#include "train/layers.h"
#include "train/loss.h"
#include "train/optimizer.h"

namespace inksight {

using Batches = inksight_batches;

class Trainer {
 public:
  Trainer(const inksight_network& network, const inksight_bank* banks, const Recipe& recipe, const float* weights);

  // Take all steps of `batches`: see inksight_trainer_steps in api/inksight.h.
  void take(const std::uint8_t* images, long count, const Batches& batches, double* losses, std::int64_t* correct);

  // Compute the gradient of a part of a batch: see inksight_trainer_gradient.
  Loss gradient(const std::uint8_t* images, long count, const Batches& batch, double total_weight, float* gradient);

  Optimizer& optimizer() { return optimizer_; }
  const Optimizer& optimizer() const { return optimizer_; }

 private:
  // Pack the weights for the kernels.
  void pack();
  // Compute one lane group's loss, and add its gradient with respect to the effective weights.
  Loss group_gradient(const std::uint8_t* images, long count, const Batches& batch, int first, float scale,
                      float* gradient) const;

  inksight_network network_;
  Layers layers_;
  Optimizer optimizer_;
  float smoothing_;
  std::vector<Buffer> packed_forward_, packed_backward_;
  std::vector<long> maps_, argmax_;  // where each bank's input, the last one's output, and the argmax lie in a buffer
  long max_input_, activations_;
  Buffer effective_, slots_, gradient_;
  long slots_size_ = 0;
};

}  // namespace inksight
