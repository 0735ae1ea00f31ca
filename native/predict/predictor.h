// A whole network, ready to predict: uint8 or float images in, any stage out, without JAX.
#pragma once
#include <cstdint>
#include <vector>

#include "runtime/scratch.h"
#include "train/batch.h"

namespace inksight {

// What Python describes: the banks' shapes from the image upward, and every weight in the order of the model file.
struct Description {
  std::vector<Shape> banks;
  int dense, classes;  // dense 0: none
  float leak, mean, variance;
};

class Predictor {
 public:
  Predictor(const Description& description, const float* weights);

  // Images (n, side, side), as bytes or, where `bytes` is null, as floats 0..1. `stages` has a place for each stage,
  // normalized, bank1 .., barcode, dense (if any), logits, probabilities: where to write it, channels last, or null.
  void predict(const std::uint8_t* bytes, const float* floats, long n, float* const* stages) const;
  int stages() const { return int(net_.banks.size()) + 4 + (net_.dense > 0); }

 private:
  struct Bank {
    Shape shape;
    std::vector<float> bias;
    Buffer lanes, single;  // packed for groups of images, and for one
    int padded;            // filters, filled up to whole vectors
  };
  void group(const std::uint8_t* bytes, const float* floats, long first, int n, float* const* stages) const;
  void one(const std::uint8_t* bytes, const float* floats, long at, float* const* stages) const;
  // Dense layer, output and softmax of one image's barcode.
  void head(const float* barcode, long at, float* const* stages) const;

  Description net_;
  const Kernels& kernels_;
  std::vector<Bank> banks_;
  std::vector<float> dense_, dense_bias_, output_, output_bias_;
  long widest_;  // floats of the largest stage of a lane group
};

}  // namespace inksight
