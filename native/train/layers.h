// The layers of a network in training, and where their weights lie.
#pragma once
#include <vector>

#include "api/inksight.h"
#include "conv/shape.h"
#include "train/optimizer.h"

namespace inksight {

// All weights are one flat array, in the order of the model file. The kernels take effective weights instead, in which
// each separable bank has the product of its depthwise and pointwise weights.
struct Layers {
  struct Bank {
    Shape shape;
    bool separable;
    long weights;    // offset of its kernel, or of its depthwise weights, among the weights; the others follow
    long effective;  // offset of its effective kernel among the effective weights; the bias follows
    long depthwise() const { return long(shape.kernel) * shape.kernel * shape.channels; }
    long pointwise() const { return long(shape.channels) * shape.filters; }
    long bias() const { return effective + shape.weights(); }
  };
  struct Dense {
    int inputs, units;
    long weights, effective;  // offsets of its kernel; the bias follows
    long size() const { return long(inputs) * units; }
  };
  std::vector<Bank> banks;
  std::vector<Dense> dense;  // the dense layer, if there is one, and the output
  std::vector<Tensor> tensors;
  long size = 0, effective_size = 0;  // floats

  Layers(const inksight_network& network, const inksight_bank* banks);

  // Compute the effective weights.
  void expand(const float* weights, float* effective) const;

  // Compute the gradient of the weights from that of the effective weights.
  void contract(const float* weights, const float* effective_gradient, float* gradient) const;
};

}  // namespace inksight
