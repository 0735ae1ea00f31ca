// The whole training step: augmentation, forward pass, loss, backward pass and optimizer.
#pragma once
#include <cstdint>
#include <vector>

#include "api/inksight.h"
#include "conv/shape.h"
#include "train/loss.h"
#include "train/optimizer.h"

namespace inksight {

using Batches = inksight_batches;

// A network as the trainer needs it: its weights are one flat array, in the order of the model file.
struct Layers {
  struct Bank {
    Shape shape;
    bool separable;
    long kernel, bias;       // offsets of its effective kernel and bias among the effective weights
    Tensor first, second;    // kernel; or depthwise and pointwise weights
  };
  struct Dense {
    int inputs, units;
    long offset;  // of its kernel among the effective weights; the bias follows
  };
  std::vector<Bank> banks;
  std::vector<Dense> dense;  // the dense layer, if there is one, and the output
  std::vector<Tensor> tensors;
  long effective_size;       // floats: all weights, with the effective kernels of separable banks

  Layers(const inksight_network& network, const inksight_bank* banks);
};

class Trainer {
 public:
  Trainer(const inksight_network& network, const inksight_bank* banks, const Recipe& recipe, const float* weights);

  // Take all steps of `batches`: see inksight_trainer_steps in api/inksight.h.
  void take(const std::uint8_t* images, long count, const Batches& batches, double* losses, std::int64_t* correct);

  // Compute the gradient of a part of a batch: see inksight_trainer_gradient.
  Loss gradient(const std::uint8_t* images, long count, const Batches& batch, double total_weight, float* gradient);

  Optimizer optimizer;

 private:
  // Pack the weights for the kernels.
  void pack();
  // Compute one lane group's loss, and add its gradient with respect to the effective weights.
  Loss group_gradient(const std::uint8_t* images, long count, const Batches& batch, int first, float scale,
                      float* gradient) const;

  inksight_network network_;
  float smoothing_;
  Layers layers_;
  std::vector<Buffer> packed_forward_, packed_backward_;
  std::vector<long> maps_, argmax_;  // where each bank's input, the last one's output, and the argmax lie in a buffer
  long max_input_, activations_;
  Buffer effective_, slots_, gradient_;
  long slots_size_ = 0;
};

}  // namespace inksight
