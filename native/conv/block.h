// The convolution block of one lane group: valid convolution, 2x2 max pooling, bias and leaky ReLU.
//
// The arrays of a group are [channel][row][column][lane]. At the interpolation points (see transforms.h) they are
// [point][channel][row][tile][lane].
#pragma once
#include <cstdint>

#include "conv/correlate.h"
#include "runtime/scratch.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Return the floats of one input map at one point. Rows that no output depends on are left out.
inline long input_map(const Shape& s) { return long(s.used_height() + s.kernel - 1) * s.tiles() * LANES; }

// The convolution's sums over the channels.
inline Correlation convolution(const Shape& s) {
  const int in_rows = s.used_height() + s.kernel - 1;
  const long map = input_map(s);
  return {s.channels, s.filters, s.kernel, s.tiles(), in_rows, s.used_height(), 0, s.pool, map, s.channels * map};
}

// Pack weights (k, k, channels, filters) for `forward`.
template <int K>
void pack_forward(const Shape& s, const float* w, float* packed) {
  pack_weights(convolution(s), packed,
               [&](int p, int c, int i, int f) { return filter_transform<K>(s, w, p, i, c, f); });
}

template <int K>
OWN_REGISTERS void transform_input(const Shape& s, const float* x, float* v) {
  const long point = s.channels * input_map(s);
  for (int c = 0; c < s.channels; ++c)
    for (int r = 0; r < s.used_height() + K - 1; ++r) {
      const float* row = x + (long(c) * s.height + r) * s.width * LANES;
      for (int t = 0; t < s.tiles(); ++t, v += LANES) {
        const int column = t * TILE<K>, remaining = s.width - column;
        for (int slice = 0; slice < LANES; slice += WIDTH) {
          Vec columns[POINTS], at_points[POINTS];
          const float* in = row + long(column) * LANES + slice;
          if (remaining >= POINTS) {
            UNROLL(j, POINTS) columns[j] = load(in + j * LANES);
          } else {
            UNROLL(j, POINTS) columns[j] = j < remaining ? load(in + j * LANES) : Vec{};
          }
          input_transform<K>(columns, at_points);
          UNROLL(p, POINTS) store(v + p * point + slice, at_points[p]);
        }
      }
    }
}

// Write the block's output to y. If `pool_argmax` is not null, write which of the four positions in each pooling window
// held the maximum: 0 and 1 in the upper row, 2 and 3 in the lower.
template <int K>
void forward(const Shape& s, const float* x, const float* packed, const float* b, float leak, float* y,
             std::uint8_t* pool_argmax) {
  const int tiles = s.tiles(), width = s.out_width();
  const long out_map = long(s.out_height()) * width * LANES;
  const Correlation sum = convolution(s);
  float* points = scratch(Use::POINTS, POINTS * sum.in_point);
  transform_input<K>(s, x, points);
  const Vec slope = broadcast(leak);
  const auto finish = [&](int first, int outputs, int row, int rows, const float* sums) OWN_REGISTERS {
    const long line = long(tiles) * LANES, stride = outputs * rows * line;
    for (int f = first; f < first + outputs; ++f) {
      const Vec bias = broadcast(b[f]);
      for (int r = row / s.pool; r < (row + rows) / s.pool; ++r, sums += s.pool * line)
        for (int t = 0; t < tiles; ++t)
          for (int slice = 0; slice < LANES; slice += WIDTH) {
            const float* tile_sums = sums + t * LANES + slice;
            const int column = t * TILE<K> / s.pool;
            const long out = f * out_map + (long(r) * width + column) * LANES + slice;
            Vec upper[TILE<K>], lower[TILE<K>];
            load_output_tile<K>(tile_sums, stride, upper);
            if (s.pool == 1) {
              UNROLL(i, TILE<K>)
                if (column + i < width) store(y + out + i * LANES, leaky_relu(upper[i] + bias, slope));
              continue;
            }
            load_output_tile<K>(tile_sums + line, stride, lower);
            UNROLL(i, TILE<K> / 2) {
              if (column + i >= width) continue;
              const Vec upper_max = maximum(upper[2 * i], upper[2 * i + 1]);
              const Vec lower_max = maximum(lower[2 * i], lower[2 * i + 1]);
              store(y + out + i * LANES, leaky_relu(maximum(upper_max, lower_max) + bias, slope));
              if (pool_argmax) {
                const Mask upper_argmax = upper[2 * i] >= upper[2 * i + 1] ? Mask{} : Mask{} + 1;
                const Mask lower_argmax = lower[2 * i] >= lower[2 * i + 1] ? Mask{} + 2 : Mask{} + 3;
                store_bytes(pool_argmax + out + i * LANES, upper_max >= lower_max ? upper_argmax : lower_argmax);
              }
            }
          }
    }
  };
  correlate(sum, points, packed, scratch(Use::SUMS, sums_size(sum)), finish);
}

// Compute the mean over the positions of each feature map.
inline void average(int maps, int positions, const float* x, float* means) {
  for (int f = 0; f < maps; ++f, x += long(positions) * LANES)
    for (int slice = 0; slice < LANES; slice += WIDTH) {
      Vec total{};
      for (int p = 0; p < positions; ++p) total += load(x + p * LANES + slice);
      store(means + f * LANES + slice, total * (1.0f / float(positions)));
    }
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
