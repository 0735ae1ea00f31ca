// The convolution block of a single image. A vector holds filters here, not images.
//
// Feature maps are [row][column][filter], with the filters padded to whole vectors. At the interpolation points they
// are [point][row][tile][channel].
#pragma once
#include <cstring>

#include "conv/correlate.h"
#include "runtime/scratch.h"

namespace inksight {
namespace INKSIGHT_ISA {

inline int padded_filters(int filters) { return (filters + WIDTH - 1) / WIDTH * WIDTH; }

// Return the floats from one tile's channels to the next, at the points. A single channel is not padded to a vector.
inline int channel_stride(const Shape& s) { return s.channels == 1 ? 1 : padded_filters(s.channels); }

// Pack weights (k, k, channels, filters) as [point][kernel row][channel][padded filter].
template <int K>
void pack_single(const Shape& s, const float* w, float* packed) {
  const int padded = padded_filters(s.filters);
  for (int p = 0; p < POINTS; ++p)
    for (int i = 0; i < K; ++i)
      for (int c = 0; c < s.channels; ++c, packed += padded)
        for (int f = 0; f < padded; ++f) packed[f] = f < s.filters ? filter_transform<K>(s, w, p, i, c, f) : 0.0f;
}

// Transform channel c of the input and, if V is a vector, those after it. The pixels of x are `pixel_stride` floats
// apart.
template <int K, class V>
inline void transform_single_input(const Shape& s, const float* x, int pixel_stride, int c, float* v) {
  const int stride = channel_stride(s), tiles = s.tiles(), rows = s.used_height() + K - 1;
  const long point = long(rows) * tiles * stride;
  for (int r = 0; r < rows; ++r)
    for (int t = 0; t < tiles; ++t) {
      const int column = t * TILE<K>;
      V columns[POINTS] = {}, at_points[POINTS];
      UNROLL(j, POINTS)
        if (column + j < s.width)
          std::memcpy(&columns[j], x + (long(r) * s.width + column + j) * pixel_stride + c, sizeof(V));
      input_transform<K>(columns, at_points);
      UNROLL(p, POINTS) std::memcpy(v + p * point + (long(r) * tiles + t) * stride + c, &at_points[p], sizeof(V));
    }
}

// Compute N vectors of filters at P neighbouring positions of one point.
template <int N, int P>
inline void single_products(const Shape& s, const float* v, const float* w, float* sums) {
  const int stride = channel_stride(s), padded = padded_filters(s.filters);
  Vec acc[P][N];
  UNROLL(p, P)
    UNROLL(n, N) acc[p][n] = Vec{};
  for (int i = 0; i < s.kernel; ++i, v += long(s.tiles()) * stride)
    for (int c = 0; c < s.channels; ++c, w += padded) {
      Vec weight[N];
      UNROLL(n, N) weight[n] = load(w + n * WIDTH);
      UNROLL(p, P) {
        const Vec value = broadcast(v[long(p) * stride + c]);
        UNROLL(n, N) acc[p][n] += value * weight[n];
      }
    }
  UNROLL(p, P)
    UNROLL(n, N) store(sums + long(p) * padded + n * WIDTH, acc[p][n]);
}

// Compute the sums of all filters at all positions of all points. `packed` holds the weights of pack_single.
OWN_REGISTERS inline void all_single_products(const Shape& s, const float* v, long point, const float* packed,
                                              float* sums) {
  constexpr int P = ACCUMULATORS / 3;
  const int stride = channel_stride(s), padded = padded_filters(s.filters), positions = s.used_height() * s.tiles();
  const Blocks vectors(padded / WIDTH, 3), blocks(positions, P);
  for (int p = 0; p < POINTS; ++p)
    for (int n = 0; n < vectors.number; ++n)
      with_constant<3>(vectors.size(n), [&](auto count) {
        const int first = vectors.start(n) * WIDTH;
        for (int q = 0; q < blocks.number; ++q)
          with_constant<P>(blocks.size(q), [&](auto size) {
            single_products<decltype(count)::value, decltype(size)::value>(
                s, v + p * point + long(blocks.start(q)) * stride,
                packed + long(p) * s.kernel * s.channels * padded + first,
                sums + (long(p) * positions + blocks.start(q)) * padded + first);
          });
      });
}

// Write the block's output to y. The pixels of x are `pixel_stride` floats apart: 1, or the channels padded to whole
// vectors. `b` is padded, too.
template <int K>
void forward_single(const Shape& s, const float* x, int pixel_stride, const float* packed, const float* b, float leak,
                    float* y) {
  const int stride = channel_stride(s), padded = padded_filters(s.filters), tiles = s.tiles();
  const int positions = s.used_height() * tiles;
  const long point = long(s.used_height() + K - 1) * tiles * stride, sums_point = long(positions) * padded;
  float* v = scratch(Use::POINTS, POINTS * point);
  float* sums = scratch(Use::SUMS, POINTS * sums_point);
  if (s.channels == 1)
    transform_single_input<K, float>(s, x, pixel_stride, 0, v);
  else
    for (int c = 0; c < s.channels; c += WIDTH) transform_single_input<K, Vec>(s, x, pixel_stride, c, v);
  all_single_products(s, v, point, packed, sums);
  const Vec slope = broadcast(leak);
  const int width = s.out_width();
  for (int r = 0; r < s.out_height(); ++r)
    for (int t = 0; t < tiles; ++t)
      for (int f = 0; f < padded; f += WIDTH) {
        const float* tile_sums = sums + (long(r) * s.pool * tiles + t) * padded + f;
        const int column = t * TILE<K> / s.pool;
        float* out = y + (long(r) * width + column) * padded + f;
        const Vec bias = load_unaligned(b + f);
        Vec upper[TILE<K>], lower[TILE<K>];
        load_output_tile<K>(tile_sums, sums_point, upper);
        if (s.pool == 2) {
          load_output_tile<K>(tile_sums + long(tiles) * padded, sums_point, lower);
          UNROLL(i, TILE<K> / 2)
            upper[i] = maximum(maximum(upper[2 * i], upper[2 * i + 1]), maximum(lower[2 * i], lower[2 * i + 1]));
        }
        UNROLL(i, TILE<K>)
          if (i < TILE<K> / s.pool && column + i < width)
            store(out + long(i) * padded, leaky_relu(upper[i] + bias, slope));
      }
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
