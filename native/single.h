// The convolution block of one image alone: here the filters, not the images, lie side by side in a vector.
//
// The image is [row][column][channel], so that the taps of one kernel row lie in a row, too.
#pragma once
#include <algorithm>
#include <limits>

#include "conv.h"
#include "lanes.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Filters, rounded up to whole groups of four.
inline int padded(int filters) { return (filters + 3) / 4 * 4; }

// (k, k, channels, filters) -> the same with padded filters, and zeros behind.
inline void pack_single(const Shape& s, const float* w, float* packed) {
  const int wide = padded(s.filters);
  for (long t = 0; t < long(s.kernel) * s.kernel * s.channels; ++t)
    for (int f = 0; f < wide; ++f) packed[t * wide + f] = f < s.filters ? w[t * s.filters + f] : 0.0f;
}

template <class V>
V load_as(const float* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// As many filters as V holds, at P neighbouring columns of one row.
template <class V, int P>
inline void single_tile(const Shape& s, const float* x, const float* w, float* y) {
  const int wide = padded(s.filters), taps = s.kernel * s.channels;
  V acc[P];
  EACH(p, P) acc[p] = V{};
  for (int i = 0; i < s.kernel; ++i, x += long(s.width) * s.channels)
    for (int t = 0; t < taps; ++t, w += wide) {
      const V weight = load_as<V>(w);
      EACH(p, P) acc[p] += weight * x[long(p) * s.channels + t];
    }
  EACH(p, P) std::memcpy(y + long(p) * wide, &acc[p], sizeof(V));
}

template <class V>
inline void single_chunk(const Shape& s, const float* x, const float* w, float* y) {
  const int width = s.conv_width();
  for (int r = 0; r < s.conv_height(); ++r) {
    const float* row = x + long(r) * s.width * s.channels;
    float* to = y + long(r) * width * padded(s.filters);
    const auto at = [&](int q) { return row + long(q) * s.channels; };
    const auto out = [&](int q) { return to + long(q) * padded(s.filters); };
    int q = 0;
    for (; q + 8 <= width; q += 8) single_tile<V, 8>(s, at(q), w, out(q));
    if (q + 4 <= width) { single_tile<V, 4>(s, at(q), w, out(q)); q += 4; }
    if (q + 2 <= width) { single_tile<V, 2>(s, at(q), w, out(q)); q += 2; }
    if (q < width) single_tile<V, 1>(s, at(q), w, out(q));
  }
}

// `sums` holds conv_height * conv_width * padded filters; y is [row][column][filter].
inline void single(const Shape& s, const float* x, const float* packed, const float* b, float leak, float* sums,
                   float* y) {
  const int wide = padded(s.filters), width = s.conv_width();
  int f = 0;
#if INKSIGHT_WIDTH >= 16
  for (; f + 16 <= wide; f += 16) single_chunk<Vec>(s, x, packed + f, sums + f);
#endif
#if INKSIGHT_WIDTH >= 8
  for (; f + 8 <= wide; f += 8) single_chunk<Eight>(s, x, packed + f, sums + f);
#endif
  for (; f + 4 <= wide; f += 4) single_chunk<Four>(s, x, packed + f, sums + f);
  for (int r = 0; r < s.out_height(); ++r)
    for (int q = 0; q < s.out_width(); ++q)
      for (int g = 0; g < s.filters; ++g) {
        float best = -std::numeric_limits<float>::infinity();
        for (int i = 0; i < s.pool; ++i)
          for (int j = 0; j < s.pool; ++j)
            best = std::max(best, sums[((long(r) * s.pool + i) * width + q * s.pool + j) * wide + g]);
        best += b[g];
        *y++ = best > 0 ? best : best * leak;
      }
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
