// Grayscale pixels in double precision, and the arithmetic that the preprocessing steps share.
//
// All of preprocessing is compiled without contraction of products and sums, so that it agrees with NumPy to the last
// bit.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "runtime/isa.h"

namespace inksight {
namespace INKSIGHT_ISA {

// A grayscale picture, with its rows one after another.
struct Grayscale {
  long height = 0, width = 0;
  std::vector<double> values;

  void resize(long new_height, long new_width) {
    height = new_height;
    width = new_width;
    values.resize(std::size_t(height) * std::size_t(width));
  }
  long size() const { return height * width; }
  double* row(long y) { return values.data() + y * width; }
  const double* row(long y) const { return values.data() + y * width; }
};

inline long round_half_up(double value) { return long(std::floor(value + 0.5)); }

// Clip to 0..1. NaN becomes 0.
inline double clip(double value) { return std::min(1.0, std::max(0.0, value)); }

// Round to 40 binary places, for a `rounding_offset` of 1.5 * 2**12. The bits that this drops depend on the order of
// sums and must not decide a tie.
inline double drop_low_bits(double value, double rounding_offset) {
  return (value + rounding_offset) - rounding_offset;
}

// Return the largest of some values that are not negative.
inline double largest(const std::vector<double>& values) {
  double best[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= values.size(); i += 8)
    for (int k = 0; k < 8; ++k) best[k] = std::max(best[k], values[i + k]);
  for (; i < values.size(); ++i) best[0] = std::max(best[0], values[i]);
  return *std::max_element(best, best + 8);
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
