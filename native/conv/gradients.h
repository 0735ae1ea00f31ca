// The gradients of one lane group's convolution block with respect to its input, weights and bias.
//
// The arrays are laid out as in block.h.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "conv/block.h"
#include "conv/correlate.h"
#include "runtime/scratch.h"

namespace inksight {
namespace INKSIGHT_ISA {

// A range of filters, and the layout of the gradient with respect to their convolution sums: at the points it is
// [point][filter][row][tile], with a margin of zeros before, between and after the filters' maps.
struct FilterRange {
  int first, filters;
  static long map(const Shape& s) { return long(s.used_height()) * s.tiles() * LANES + MARGIN; }
  long point(const Shape& s) const { return filters * map(s) + MARGIN; }
};

// The sums over all filters for the gradient of the input.
inline Correlation transposed_convolution(const Shape& s) {
  const FilterRange all{0, s.filters};
  const int rows = s.used_height(), shift = 1 - s.kernel;
  return {s.filters, s.channels, s.kernel, s.tiles(), rows, s.height, shift, 1, all.map(s), all.point(s)};
}

// Pack weights (k, k, channels, filters) for `input_gradient`: its taps are the kernel's rows, last first.
template <int K>
void pack_backward(const Shape& s, const float* w, float* packed) {
  pack_weights(transposed_convolution(s), packed,
               [&](int p, int f, int i, int c) { return filter_transform<K>(s, w, p, K - 1 - i, c, f); });
}

// Write to d the gradient with respect to the convolution sums, at the points. It is the gradient of the outputs, dy,
// propagated through leaky ReLU and pooling. Its sum for each filter goes to db. If `dy_per_position` is false, dy has
// one value per feature map, which holds for all positions.
template <int K>
OWN_REGISTERS void transform_gradient(const Shape& s, const FilterRange& range, const float* y,
                                      const std::uint8_t* pool_argmax, const float* dy, bool dy_per_position,
                                      float leak, float* d, float* db) {
  const int height = s.out_height(), width = s.out_width(), tiles = s.tiles();
  const long map = range.map(s), point = range.point(s), line = long(tiles) * LANES;
  const long step = dy_per_position ? LANES : 0;
  const Vec slope = broadcast(leak);
  for (int p = 0; p < POINTS; ++p)
    for (int n = 0; n <= range.filters; ++n) std::memset(d + p * point + n * map, 0, MARGIN * sizeof(float));
  for (int n = 0; n < range.filters; ++n) {
    const int f = range.first + n;
    Vec total{};
    for (int r = 0; r < height; ++r)
      for (int t = 0; t < tiles; ++t)
        for (int slice = 0; slice < LANES; slice += WIDTH) {
          Vec upper[TILE<K>] = {}, lower[TILE<K>] = {}, at_points[POINTS];
          const int column = t * TILE<K> / s.pool;
          const long out = ((long(f) * height + r) * width + column) * LANES + slice;
          const float* dy_tile = dy + (dy_per_position ? out : long(f) * LANES + slice);
          float* d_tile = d + MARGIN + n * map + r * s.pool * line + t * LANES + slice;
          if (s.pool == 1) {
            UNROLL(i, TILE<K>) {
              if (column + i >= width) continue;
              const Vec after = load(dy_tile + i * step);
              upper[i] = load(y + out + i * LANES) > 0 ? after : after * slope;
              total += upper[i];
            }
          } else {
            UNROLL(i, TILE<K> / 2) {
              if (column + i >= width) continue;
              const Vec after = load(dy_tile + i * step);
              const Vec before = load(y + out + i * LANES) > 0 ? after : after * slope;
              const Mask argmax = load_bytes(pool_argmax + out + i * LANES);
              upper[2 * i] = argmax == 0 ? before : Vec{};
              upper[2 * i + 1] = argmax == 1 ? before : Vec{};
              lower[2 * i] = argmax == 2 ? before : Vec{};
              lower[2 * i + 1] = argmax == 3 ? before : Vec{};
              total += before;
            }
            output_transform_adjoint<K>(lower, at_points);
            UNROLL(p, POINTS) store(d_tile + line + p * point, at_points[p]);
          }
          output_transform_adjoint<K>(upper, at_points);
          UNROLL(p, POINTS) store(d_tile + p * point, at_points[p]);
        }
    db[f] = lane_sum(total);
  }
}

// Channels and filters in a block of weight gradients, which are summed together.
template <int K>
constexpr int TAP_CHANNELS = K == 1 ? (ACCUMULATORS == 24 ? 5 : 4) : 1;
template <int K>
constexpr int TAP_FILTERS = std::min(8, (ACCUMULATORS + 1) / (K * TAP_CHANNELS<K>));

// Return the instance of `tap_products` for a block.
template <int K>
inline auto tap_products_for(int filters, int channels) {
  auto instance = tap_products<1, K>;
  with_constant<TAP_FILTERS<K>>(filters, [&](auto f_size) {
    with_constant<TAP_CHANNELS<K>>(channels, [&](auto c_size) {
      instance = tap_products<decltype(f_size)::value, decltype(c_size)::value * K>;
    });
  });
  return instance;
}

// Write the gradient of the weights of some filters to dw, (k, k, channels, filters). `v` is the input and `d` the
// gradient, both at the points.
template <int K>
OWN_REGISTERS void weight_gradient(const Shape& s, const FilterRange& range, const float* v, const float* d,
                                   float* dw) {
  constexpr int BLOCK_SIZE = WHOLE_VECTORS<TAP_FILTERS<K> * TAP_CHANNELS<K> * K>;
  const long map = input_map(s), d_map = range.map(s), row = long(s.tiles()) * LANES;
  const Blocks filters(range.filters, TAP_FILTERS<K>), channels(s.channels, TAP_CHANNELS<K>);
  // Calls fn(number of filters, number of channels, first filter, first channel, offset of the block's sums).
  const auto for_each_block = [&](auto fn) {
    for (int fb = 0; fb < filters.number; ++fb)
      for (int cb = 0; cb < channels.number; ++cb)
        fn(filters.size(fb), channels.size(cb), filters.start(fb), channels.start(cb),
           (long(fb) * channels.number + cb) * BLOCK_SIZE);
  };
  const long point = long(filters.number) * channels.number * BLOCK_SIZE;
  float* sums = scratch(Use::WEIGHT_GRADIENT, POINTS * point);
  long tap_offset[TAP_CHANNELS<K> * K];
  UNROLL(e, TAP_CHANNELS<K> * K) tap_offset[e] = e / K * map + e % K * row;
  for (int p = 0; p < POINTS; ++p)
    for_each_block([&](int F, int C, int f, int c, long offset) {
      tap_products_for<K>(F, C)(s.used_height() * s.tiles(), v + (long(p) * s.channels + c) * map, tap_offset,
                                d + p * range.point(s) + MARGIN + f * d_map, d_map, sums + p * point + offset);
    });
  for_each_block([&](int F, int C, int f, int c, long offset) {
    float taps[BLOCK_SIZE];
    UNROLL(j, K) {
      for (int n = 0; n < F * C * K; n += WIDTH) {
        Vec total{};
        UNROLL(p, POINTS) total += load(sums + p * point + offset + n) * FILTER_MATRIX<K>.at[p][j];
        std::memcpy(taps + n, &total, sizeof total);
      }
      for (int n = 0; n < F; ++n)
        for (int m = 0; m < C; ++m)
          UNROLL(i, K)
            dw[(long(i * K + j) * s.channels + c + m) * s.filters + range.first + f + n] = taps[(n * C + m) * K + i];
    }
  });
}

// Write the gradient of the input to dx. `d` is the gradient with respect to all convolution sums, at the points.
template <int K>
OWN_REGISTERS void input_gradient(const Shape& s, const float* d, const float* packed, float* dx) {
  const int tiles = s.tiles();
  const Correlation sum = transposed_convolution(s);
  const auto finish = [&](int first, int outputs, int row, int rows, const float* sums) OWN_REGISTERS {
    const long stride = long(outputs) * rows * tiles * LANES;
    for (int c = first; c < first + outputs; ++c)
      for (int r = row; r < row + rows; ++r, sums += long(tiles) * LANES)
        for (int slice = 0; slice < LANES; slice += WIDTH) {
          float* dx_row = dx + (long(c) * s.height + r) * s.width * LANES + slice;
          // Neighbouring tiles overlap by K - 1 columns. A tile adds the overlap that the tile before it carried over.
          Vec v[POINTS], columns[POINTS], carry[POINTS] = {};
          for (int t = 0; t < tiles; ++t) {
            UNROLL(p, POINTS) v[p] = load(sums + p * stride + t * LANES + slice);
            input_transform_adjoint<K>(v, columns);
            UNROLL(j, POINTS) columns[j] += carry[j];
            UNROLL(j, TILE<K>)
              if (t * TILE<K> + j < s.width) store(dx_row + (t * TILE<K> + j) * LANES, columns[j]);
            UNROLL(j, K - 1) carry[j] = columns[TILE<K> + j];
          }
          for (int column = tiles * TILE<K>; column < s.width; ++column) {
            const int j = column - tiles * TILE<K>;
            store(dx_row + column * LANES, j < K - 1 ? carry[j] : Vec{});
          }
        }
  };
  correlate(sum, d + MARGIN, packed, scratch(Use::SUMS, sums_size(sum)), finish);
}

// Compute all gradients. `packed` holds the weights of pack_backward. It and dx may be null.
template <int K>
void backward(const Shape& s, const float* x, const float* packed, const float* y, const std::uint8_t* pool_argmax,
              const float* dy, bool dy_per_position, float leak, float* dx, float* dw, float* db) {
  float* points = scratch(Use::POINTS, POINTS * s.channels * input_map(s));
  transform_input<K>(s, x, points);
  // The gradient of the input needs all filters at once. Without it, a few filters at a time fit the cache.
  const Blocks ranges(s.filters, dx ? s.filters : TAP_FILTERS<K>);
  for (int i = 0; i < ranges.number; ++i) {
    const FilterRange range{ranges.start(i), ranges.size(i)};
    float* gradient = scratch(Use::GRADIENT, POINTS * range.point(s));
    transform_gradient<K>(s, range, y, pool_argmax, dy, dy_per_position, leak, gradient, db);
    weight_gradient<K>(s, range, points, gradient, dw);
    if (dx) input_gradient<K>(s, gradient, packed, dx);
  }
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
