// Pictures of another size, by triangle weights: `resample` of src/inksight/preparation.py.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/isa.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Which of `before` pixels count for each of `after`, and how much: `taps` of them from `first` on, by shares that add
// up to 1.
struct Weights {
  long taps;
  std::vector<long> first;
  std::vector<double> share;  // (after, taps)

  void set(long before, long after) {
    const double size = double(before) / double(after), reach = std::max(size, 1.0);
    taps = std::min(long(std::ceil(2 * reach)), before);
    first.resize(after);
    share.resize(after * taps);
    for (long i = 0; i < after; ++i) {
      const double centre = (double(i) + 0.5) * size - 0.5;
      first[i] = std::clamp(long(std::floor(centre - reach)) + 1, 0L, before - taps);
      double* shares = &share[i * taps];
      double total = 0;
      for (long t = 0; t < taps; ++t)
        total += shares[t] = std::max(1 - std::abs(double(first[i] + t) - centre) / reach, 0.0);
      for (long t = 0; t < taps; ++t) shares[t] /= total;
    }
  }
};

// What the passes below keep between calls.
struct Resampler {
  Weights down, across;
  std::vector<double> narrow;

  // Rows of `from` lie `stride` apart; those of `to` lie close.
  void operator()(const double* from, long height, long width, long stride, double* to, long new_height,
                  long new_width) {
    down.set(height, new_height);
    const bool same = height == width && new_height == new_width;
    if (!same) across.set(width, new_width);
    narrow.resize(width);
    for (long y = 0; y < new_height; ++y, to += new_width) {
      mix(from + down.first[y] * stride, stride, width, &down.share[y * down.taps], down.taps);
      gather(same ? down : across, new_width, to);
    }
  }

 private:
  // One new row of the old width, in `narrow`: so many old rows, each times its share.
  void mix(const double* rows, long stride, long width, const double* shares, long taps) {
    double* sum = narrow.data();
    for (long x = 0; x < width; ++x) sum[x] = shares[0] * rows[x];
    for (long t = 1; t < taps; ++t) {
      rows += stride;
      const double share = shares[t];
      for (long x = 0; x < width; ++x) sum[x] += share * rows[x];
    }
  }

  // The same along that row.
  void gather(const Weights& weights, long new_width, double* to) const {
    const double* shares = weights.share.data();
    for (long x = 0; x < new_width; ++x, shares += weights.taps) {
      const double* from = &narrow[weights.first[x]];
      double sum = 0;
      for (long t = 0; t < weights.taps; ++t) sum += shares[t] * from[t];
      to[x] = sum;
    }
  }
};

}  // namespace INKSIGHT_ISA
}  // namespace inksight
