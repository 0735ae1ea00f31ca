// The convolution block of one image alone: here the filters, not the images, lie side by side in a vector.
//
// Feature maps are [row][column][filter], filters filled up to whole vectors; at the points they are
// [point][row][tile][channel].
#pragma once
#include <algorithm>

#include "conv/correlate.h"
#include "runtime/scratch.h"

namespace inksight {
namespace INKSIGHT_ISA {

inline int padded(int filters) { return (filters + WIDTH - 1) / WIDTH * WIDTH; }

// Channels at the points, as they lie in memory: a single one needs no vector.
inline int stride_of(const Shape& s) { return s.channels == 1 ? 1 : padded(s.channels); }

// (k, k, channels, filters) -> [point][kernel row][channel][padded filter].
template <int K>
void pack_single(const Shape& s, const float* w, float* packed) {
  const int wide = padded(s.filters);
  for (int p = 0; p < POINTS; ++p)
    for (int i = 0; i < K; ++i)
      for (int c = 0; c < s.channels; ++c, packed += wide)
        for (int f = 0; f < wide; ++f) packed[f] = f < s.filters ? weight_at<K>(s, w, p, i, c, f) : 0.0f;
}

// Channel c and, where V is a vector, those beside it; pixels of x lie `pixel` floats apart.
template <int K, class V>
inline void single_to_points(const Shape& s, const float* x, int pixel, int c, float* v) {
  const int stride = stride_of(s), tiles = s.tiles(), rows = s.used_height() + K - 1;
  const long point = long(rows) * tiles * stride;
  for (int r = 0; r < rows; ++r)
    for (int t = 0; t < tiles; ++t) {
      const int column = t * TILE<K>;
      V in[POINTS] = {}, at[POINTS];
      EACH(j, POINTS)
        if (column + j < s.width) std::memcpy(&in[j], x + (long(r) * s.width + column + j) * pixel + c, sizeof(V));
      to_points<K>(in, at);
      EACH(p, POINTS) std::memcpy(v + p * point + (long(r) * tiles + t) * stride + c, &at[p], sizeof(V));
    }
}

// N vectors of filters at P neighbouring positions of one point.
template <int N, int P>
inline void single_products(const Shape& s, const float* v, const float* w, float* sums) {
  const int stride = stride_of(s), wide = padded(s.filters);
  Vec acc[P][N];
  EACH(p, P)
    EACH(n, N) acc[p][n] = Vec{};
  for (int i = 0; i < s.kernel; ++i, v += long(s.tiles()) * stride)
    for (int c = 0; c < s.channels; ++c, w += wide) {
      Vec weight[N];
      EACH(n, N) weight[n] = load(w + n * WIDTH);
      EACH(p, P) {
        const Vec value = broadcast(v[long(p) * stride + c]);
        EACH(n, N) acc[p][n] += value * weight[n];
      }
    }
  EACH(p, P)
    EACH(n, N) store(sums + long(p) * wide + n * WIDTH, acc[p][n]);
}

// Pixels of x lie `pixel` floats apart, 1 or filled up to whole vectors; `b` is filled up, too.
template <int K>
void single(const Shape& s, const float* x, int pixel, const float* packed, const float* b, float leak, float* y) {
  static thread_local Scratch scratch[2];
  constexpr int P = ACCUMULATORS / 3;
  const int stride = stride_of(s), wide = padded(s.filters), tiles = s.tiles(), positions = s.used_height() * tiles;
  const long point = long(s.used_height() + K - 1) * tiles * stride, sums_point = long(positions) * wide;
  float* v = scratch[0].get(POINTS * point);
  float* sums = scratch[1].get(POINTS * sums_point);
  if (s.channels == 1)
    single_to_points<K, float>(s, x, pixel, 0, v);
  else
    for (int c = 0; c < s.channels; c += WIDTH) single_to_points<K, Vec>(s, x, pixel, c, v);
  const Blocks vectors(wide / WIDTH, 3), blocks(positions, P);
  for (int p = 0; p < POINTS; ++p)
    for (int n = 0; n < vectors.number; ++n)
      with_constant<3>(vectors.size(n), [&](auto count) {
        const int first = vectors.start(n) * WIDTH;
        for (int q = 0; q < blocks.number; ++q)
          with_constant<P>(blocks.size(q), [&](auto size) {
            single_products<decltype(count)::value, decltype(size)::value>(
                s, v + p * point + long(blocks.start(q)) * stride, packed + long(p) * K * s.channels * wide + first,
                sums + p * sums_point + long(blocks.start(q)) * wide + first);
          });
      });
  const Vec slope = broadcast(leak);
  const int width = s.out_width();
  for (int r = 0; r < s.out_height(); ++r)
    for (int t = 0; t < tiles; ++t)
      for (int f = 0; f < wide; f += WIDTH) {
        const float* from = sums + (long(r) * s.pool * tiles + t) * wide + f;
        const int column = t * TILE<K> / s.pool;
        float* to = y + (long(r) * width + column) * wide + f;
        const Vec bias = load_any(b + f);
        Vec upper[TILE<K>], lower[TILE<K>];
        tile_from_points<K>(from, sums_point, upper);
        if (s.pool == 2) {
          tile_from_points<K>(from + long(tiles) * wide, sums_point, lower);
          EACH(i, TILE<K> / 2)
            upper[i] = larger(larger(upper[2 * i], upper[2 * i + 1]), larger(lower[2 * i], lower[2 * i + 1]));
        }
        EACH(i, TILE<K>)
          if (i < TILE<K> / s.pool && column + i < width) store(to + long(i) * wide, leaky(upper[i] + bias, slope));
      }
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
