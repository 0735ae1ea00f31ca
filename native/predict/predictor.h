// A whole network, ready to predict: uint8 or float images in, any stage out.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "api/inksight.h"
#include "conv/shape.h"
#include "runtime/kernels.h"
#include "runtime/scratch.h"

namespace inksight {

using Stages = inksight_stages;

struct Description {
  std::vector<Shape> banks;  // in order, beginning at the image
  int dense, classes;        // units; dense is 0 for a network without a dense layer
  float leak, mean, variance;
};

class Predictor {
 public:
  // `weights` holds the weights of all layers in the order of the model file.
  Predictor(const Description& description, const float* weights);

  // Predict n images: see inksight_predict in api/inksight.h.
  void predict(const std::uint8_t* bytes, const float* floats, long n, const Stages& stages) const;

 private:
  struct Bank {
    Shape shape;
    std::vector<float> bias;
    Buffer packed, packed_single;  // weights for a lane group, and for one image
    int padded_filters;
  };
  // Indices of images have the width of a pointer: on Windows a long has 32 bits.
  // Predict the images of a lane group: n of them, from image `first` on.
  void predict_group(const std::uint8_t* bytes, const float* floats, std::ptrdiff_t first, int n,
                     const Stages& stages) const;
  void predict_single(const std::uint8_t* bytes, const float* floats, std::ptrdiff_t image, const Stages& stages) const;
  // Compute dense layer, output and softmax from one image's barcode.
  void predict_head(const float* barcode, std::ptrdiff_t image, const Stages& stages) const;

  Description network_;
  const Kernels& kernels_;
  std::vector<Bank> banks_;
  std::vector<float> dense_, dense_bias_, output_, output_bias_;
  long max_stage_;  // floats in the largest stage of a lane group
};

}  // namespace inksight
