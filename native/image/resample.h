// Resizing of pictures by triangle weights: `resample` of src/inksight/imaging/resampling.py.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "image/pixels.h"

namespace inksight {
namespace INKSIGHT_ISA {

// The weights that turn `before` pixels into `after` along one axis. New pixel i is a weighted mean of `taps` old
// pixels, beginning with first[i]. Its weights add up to 1.
struct Weights {
  long taps;
  std::vector<long> first;
  std::vector<double> weight;  // (after, taps)

  void set(long before, long after) {
    const double size = double(before) / double(after), radius = std::max(size, 1.0);
    taps = std::min(long(std::ceil(2 * radius)), before);
    first.resize(after);
    weight.resize(after * taps);
    for (long i = 0; i < after; ++i) {
      const double center = (double(i) + 0.5) * size - 0.5;
      first[i] = std::clamp(long(std::floor(center - radius)) + 1, 0L, before - taps);
      double* row = &weight[i * taps];
      double total = 0;
      for (long t = 0; t < taps; ++t)
        total += row[t] = std::max(1 - std::abs(double(first[i] + t) - center) / radius, 0.0);
      for (long t = 0; t < taps; ++t) row[t] /= total;
    }
  }
};

// A resampler, with the memory that it keeps between calls.
class Resampler {
 public:
  // Resize `in` to `out`. The rows of `in` are `stride` apart; the rows of `out` follow one another.
  void operator()(const double* in, long height, long width, long stride, double* out, long new_height,
                  long new_width) {
    vertical_.set(height, new_height);
    const bool same = height == width && new_height == new_width;
    if (!same) horizontal_.set(width, new_width);
    row_.resize(width);
    for (long y = 0; y < new_height; ++y, out += new_width) {
      mix_rows(in + vertical_.first[y] * stride, stride, width, &vertical_.weight[y * vertical_.taps], vertical_.taps);
      mix_columns(same ? vertical_ : horizontal_, new_width, out);
    }
  }

 private:
  // Set `row_` to a new row of the old width: the weighted sum of `taps` old rows.
  void mix_rows(const double* rows, long stride, long width, const double* weights, long taps) {
    double* sum = row_.data();
    for (long x = 0; x < width; ++x) sum[x] = weights[0] * rows[x];
    for (long t = 1; t < taps; ++t) {
      rows += stride;
      const double weight = weights[t];
      for (long x = 0; x < width; ++x) sum[x] += weight * rows[x];
    }
  }

  // Resize `row_` to the new width.
  void mix_columns(const Weights& horizontal, long new_width, double* out) const {
    const double* weights = horizontal.weight.data();
    for (long x = 0; x < new_width; ++x, weights += horizontal.taps) {
      const double* in = &row_[horizontal.first[x]];
      double sum = 0;
      for (long t = 0; t < horizontal.taps; ++t) sum += weights[t] * in[t];
      out[x] = sum;
    }
  }

  Weights vertical_, horizontal_;
  std::vector<double> row_;
};

}  // namespace INKSIGHT_ISA
}  // namespace inksight
