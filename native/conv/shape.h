// The shape of a convolution block, and the sizes that follow from it, for one lane group.
#pragma once

namespace inksight {

constexpr int LANES = 16;  // images side by side
constexpr int POINTS = 8;  // at which a tile of a row is known, see points.h
constexpr int KNOTS = 5;   // along each side of the lattice by which an image is moved, see warp.h

struct Shape {
  int channels, height, width, filters, kernel, pool;

  int conv_height() const { return height - kernel + 1; }
  int conv_width() const { return width - kernel + 1; }
  int out_height() const { return conv_height() / pool; }
  int out_width() const { return conv_width() / pool; }
  // Rows and columns of the convolution that an output depends on: a pool drops a last odd one.
  int used_height() const { return out_height() * pool; }
  int used_width() const { return out_width() * pool; }
  // A row of the convolution is computed in tiles, whose inputs are as many columns as there are points.
  int tile() const { return POINTS + 1 - kernel; }
  int tiles() const { return (used_width() + tile() - 1) / tile(); }
  // Sizes in floats.
  long input() const { return long(channels) * height * width * LANES; }
  long output() const { return long(filters) * out_height() * out_width() * LANES; }
  long weights() const { return long(kernel) * kernel * channels * filters; }
  long packed() const { return long(POINTS) * kernel * channels * filters; }
};

}  // namespace inksight
