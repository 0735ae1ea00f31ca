// The shape of a convolution block, and the sizes that follow from it, for one lane group.
#pragma once

namespace inksight {

constexpr int LANES = 16;  // images side by side

struct Shape {
  int channels, height, width, filters, kernel, pool;

  int conv_height() const { return height - kernel + 1; }
  int conv_width() const { return width - kernel + 1; }
  int out_height() const { return conv_height() / pool; }
  int out_width() const { return conv_width() / pool; }
  // Rows and columns of the convolution that an output depends on: a pool drops a last odd one.
  int used_height() const { return out_height() * pool; }
  int used_width() const { return out_width() * pool; }
  // Sizes in floats.
  long input() const { return long(channels) * height * width * LANES; }
  long output() const { return long(filters) * out_height() * out_width() * LANES; }
  long weights() const { return long(kernel) * kernel * channels * filters; }
  // A map of the gradient with respect to the convolution's sums: rows as wide as the input's, see pre_activation.
  long grad_map() const { return (long(conv_height()) * width + kernel - 1) * LANES; }
  long gradient() const { return filters * grad_map(); }
};

}  // namespace inksight
