// The optimizers: Adam, and optionally Muon for kernels.
#pragma once
#include <cstdint>
#include <vector>

#include "api/inksight.h"
#include "runtime/scratch.h"

namespace inksight {

using Recipe = inksight_recipe;

// The weights of one layer within the flat array of all weights, as a matrix.
struct Tensor {
  long offset, rows, columns;
  bool is_bias;
  bool uses_muon;  // where the recipe has a muon_scale
  long size() const { return rows * columns; }
};

class Optimizer {
 public:
  Optimizer(const Recipe& recipe, const std::vector<Tensor>& tensors, const float* weights);

  // Take one step. The penalty of the squared weights is added to the gradient first. If memory runs out, nothing has
  // changed.
  //
  // Adam adds epsilon to the root of the uncorrected second moment, like Keras and the end of section 2 of the paper.
  // Other libraries add it to the corrected one, which differs for a large epsilon, as in the recipe `post`.
  //
  // Muon takes the Nesterov momentum of a kernel as a matrix (inputs, filters) and replaces it by the nearest orthogonal
  // matrix, so that it moves all directions equally. The update is scaled to the size of Adam's.
  //
  // Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
  // Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024.
  // Liu and others, "Muon is scalable for LLM training", 2025, on the size of the update.
  void update(const float* gradient, double rate);

  long size() const { return size_; }  // floats: all weights
  const float* weights() const { return weights_.get(); }

  // The whole state: weights, first and second moments, and the number of steps.
  void read(float* weights, float* first, float* second, std::int64_t* steps) const;
  void write(const float* weights, const float* first, const float* second, std::int64_t steps);

 private:
  Recipe recipe_;
  std::vector<Tensor> tensors_;
  long size_;
  std::int64_t steps_ = 0;
  Buffer weights_, first_, second_, gradient_, momentum_, orthogonal_;
};

}  // namespace inksight
