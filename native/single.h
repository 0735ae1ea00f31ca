// The convolution block of one image alone: here the filters, not the images, lie side by side in a vector.
//
// The image is [row][column][channel], so that the taps of one kernel row lie in a row, too.
#pragma once
#include <algorithm>

#include "conv.h"
#include "lanes.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Filters, rounded up to whole vectors.
inline int padded(int filters) { return (filters + WIDTH - 1) / WIDTH * WIDTH; }

// (k, k, channels, filters) -> the same with padded filters, and zeros behind.
inline void pack_single(const Shape& s, const float* w, float* packed) {
  const int wide = padded(s.filters);
  for (long t = 0; t < long(s.kernel) * s.kernel * s.channels; ++t)
    for (int f = 0; f < wide; ++f) packed[t * wide + f] = f < s.filters ? w[t * s.filters + f] : 0.0f;
}

// N vectors of filters at P neighbouring columns of one row.
template <int N, int P>
inline void single_tile(const Shape& s, const float* x, const float* w, float* y) {
  const int wide = padded(s.filters), taps = s.kernel * s.channels;
  Vec acc[P][N];
  EACH(p, P) EACH(v, N) acc[p][v] = Vec{};
  for (int i = 0; i < s.kernel; ++i, x += long(s.width) * s.channels)
    for (int t = 0; t < taps; ++t, w += wide) {
      Vec weight[N];
      EACH(v, N) weight[v] = load(w + v * WIDTH);
      EACH(p, P) {
        const Vec pixel = broadcast(x[long(p) * s.channels + t]);
        EACH(v, N) acc[p][v] += pixel * weight[v];
      }
    }
  EACH(p, P) EACH(v, N) store(y + long(p) * wide + v * WIDTH, acc[p][v]);
}

template <int N>
void single_filters(const Shape& s, const float* x, const float* w, float* y) {
  constexpr int P = ACCUMULATORS / 3;
  const int width = s.conv_width(), wide = padded(s.filters);
  for (int r = 0; r < s.conv_height(); ++r) {
    const float* row = x + long(r) * s.width * s.channels;
    float* to = y + long(r) * width * wide;
    int q = 0;
    for (; q + P <= width; q += P) single_tile<N, P>(s, row + long(q) * s.channels, w, to + long(q) * wide);
    for (; q + 2 <= width; q += 2) single_tile<N, 2>(s, row + long(q) * s.channels, w, to + long(q) * wide);
    if (q < width) single_tile<N, 1>(s, row + long(q) * s.channels, w, to + long(q) * wide);
  }
}

// `sums` holds conv_height * conv_width * padded filters; y is [row][column][filter].
inline void single(const Shape& s, const float* x, const float* packed, const float* b, float leak, float* sums,
                   float* y) {
  const int wide = padded(s.filters), width = s.conv_width();
  const Blocks blocks(wide / WIDTH, 3);
  for (int j = 0; j < blocks.number; ++j)
    with_constant<3>(blocks.size(j), [&](auto constant) {
      const int first = blocks.start(j) * WIDTH;
      single_filters<decltype(constant)::value>(s, x, packed + first, sums + first);
    });
  for (int r = 0; r < s.out_height(); ++r)
    for (int q = 0; q < s.out_width(); ++q, y += s.filters) {
      const float* upper = sums + (long(r) * s.pool * width + q * s.pool) * wide;
      const float* lower = upper + long(width) * wide;
      for (int f = 0; f < s.filters; ++f) {
        float best = upper[f];
        if (s.pool == 2) best = std::max(std::max(best, upper[f + wide]), std::max(lower[f], lower[f + wide]));
        best += b[f];
        y[f] = best > 0 ? best : best * leak;
      }
    }
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
