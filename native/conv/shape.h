// The shape of a convolution block, and the array sizes that follow from it for one lane group.
#pragma once

#include "runtime/layout.h"

namespace inksight {

constexpr int POINTS = 8;  // interpolation points: see transforms.h

struct Shape {
  int channels, height, width, filters, kernel, pool;

  int conv_height() const { return height - kernel + 1; }
  int conv_width() const { return width - kernel + 1; }
  int out_height() const { return conv_height() / pool; }
  int out_width() const { return conv_width() / pool; }
  // Rows and columns of the convolution that reach the output. Pooling drops an odd last one.
  int used_height() const { return out_height() * pool; }
  int used_width() const { return out_width() * pool; }
  // A row of the convolution is computed in tiles. A tile has tile() outputs and reads POINTS input columns.
  int tile() const { return POINTS + 1 - kernel; }
  int tiles() const { return (used_width() + tile() - 1) / tile(); }
  // Sizes in floats.
  long input() const { return long(channels) * height * width * LANES; }
  long output() const { return long(filters) * out_height() * out_width() * LANES; }
  long weights() const { return long(kernel) * kernel * channels * filters; }
  long packed() const { return long(POINTS) * kernel * channels * filters; }
};

}  // namespace inksight
