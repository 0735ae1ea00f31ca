// The convolution block of one lane group: valid convolution, 2x2 max-pool, bias, leaky ReLU, and its gradients.
//
// A group's arrays are [channel][row][column][lane]; at the points (see points.h) they are
// [point][channel][row][tile][lane].
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "conv/correlate.h"
#include "runtime/scratch.h"

namespace inksight {
namespace INKSIGHT_ISA {

// ---------------------------------------------------------------------------------------------------- weights

// Weights (k, k, channels, filters) -> [point][channel][kernel row][filter].
template <int K>
void pack_forward(const Shape& s, const float* w, float* packed) {
  for (int p = 0; p < POINTS; ++p)
    for (int c = 0; c < s.channels; ++c)
      for (int i = 0; i < K; ++i, packed += s.filters)
        for (int f = 0; f < s.filters; ++f) packed[f] = weight_at<K>(s, w, p, i, c, f);
}

// The same for the way back: [point][filter][kernel row, last first][channel].
template <int K>
void pack_backward(const Shape& s, const float* w, float* packed) {
  for (int p = 0; p < POINTS; ++p)
    for (int c = 0; c < s.channels; ++c)
      for (int i = 0; i < K; ++i)
        for (int f = 0; f < s.filters; ++f)
          packed[((long(p) * s.filters + f) * K + K - 1 - i) * s.channels + c] = weight_at<K>(s, w, p, i, c, f);
}

// ---------------------------------------------------------------------------------------------------- forward

// Floats of a map of the input at one point. Rows that no output depends on are left out.
inline long input_map(const Shape& s) { return long(s.used_height() + s.kernel - 1) * s.tiles() * LANES; }

template <int K>
void input_to_points(const Shape& s, const float* x, float* v) {
  const long point = s.channels * input_map(s);
  for (int c = 0; c < s.channels; ++c)
    for (int r = 0; r < s.used_height() + K - 1; ++r) {
      const float* row = x + (long(c) * s.height + r) * s.width * LANES;
      for (int t = 0; t < s.tiles(); ++t, v += LANES) {
        const int column = t * TILE<K>, there = s.width - column;
        for (int slice = 0; slice < LANES; slice += WIDTH) {
          Vec in[POINTS], at[POINTS];
          const float* from = row + long(column) * LANES + slice;
          if (there >= POINTS) {
            EACH(j, POINTS) in[j] = load(from + j * LANES);
          } else {
            EACH(j, POINTS) in[j] = j < there ? load(from + j * LANES) : Vec{};
          }
          to_points<K>(in, at);
          EACH(p, POINTS) store(v + p * point + slice, at[p]);
        }
      }
    }
}

// `won`, where it is wanted: which of the four positions under a pooled output was the largest.
template <int K>
void forward(const Shape& s, const float* x, const float* packed, const float* b, float leak, float* y,
             std::uint8_t* won) {
  static thread_local Scratch scratch[2];
  const int tiles = s.tiles(), width = s.out_width();
  const long map = input_map(s), out_map = long(s.out_height()) * width * LANES;
  const Correlation sum{s.channels,      s.filters, K,      tiles, s.used_height() + K - 1,
                        s.used_height(), 0,         s.pool, map,   s.channels * map};
  float* points = scratch[0].get(POINTS * sum.in_point);
  input_to_points<K>(s, x, points);
  const Vec slope = broadcast(leak);
  correlate(sum, points, packed, scratch[1].get(sums_of(sum)),
            [&](int first, int outputs, int row, int rows, const float* sums) {
    const long line = long(tiles) * LANES, stride = outputs * rows * line;
    for (int f = first; f < first + outputs; ++f) {
      const Vec bias = broadcast(b[f]);
      for (int r = row / s.pool; r < (row + rows) / s.pool; ++r, sums += s.pool * line)
        for (int t = 0; t < tiles; ++t)
          for (int slice = 0; slice < LANES; slice += WIDTH) {
            const float* from = sums + t * LANES + slice;
            Vec upper[TILE<K>], lower[TILE<K>];
            tile_from_points<K>(from, stride, upper);
            if (s.pool == 1) {
              const long at = f * out_map + (long(r) * width + t * TILE<K>)*LANES + slice;
              EACH(i, TILE<K>)
                if (t * TILE<K> + i < width) store(y + at + i * LANES, leaky(upper[i] + bias, slope));
              continue;
            }
            tile_from_points<K>(from + line, stride, lower);
            const int column = t * TILE<K> / 2;
            const long at = f * out_map + (long(r) * width + column) * LANES + slice;
            EACH(i, TILE<K> / 2) {
              if (column + i >= width) continue;
              const Vec above = larger(upper[2 * i], upper[2 * i + 1]), below = larger(lower[2 * i], lower[2 * i + 1]);
              store(y + at + i * LANES, leaky(larger(above, below) + bias, slope));
              if (won) {
                const Mask left = upper[2 * i] >= upper[2 * i + 1] ? Mask{} : Mask{} + 1;
                const Mask right = lower[2 * i] >= lower[2 * i + 1] ? Mask{} + 2 : Mask{} + 3;
                store_bytes(won + at + i * LANES, above >= below ? left : right);
              }
            }
          }
    }
  });
}

// The mean over the positions of each map.
inline void average(int maps, int positions, const float* x, float* means) {
  for (int f = 0; f < maps; ++f, x += long(positions) * LANES)
    for (int slice = 0; slice < LANES; slice += WIDTH) {
      Vec total{};
      for (int p = 0; p < positions; ++p) total += load(x + p * LANES + slice);
      store(means + f * LANES + slice, total * (1.0f / float(positions)));
    }
}

// --------------------------------------------------------------------------------------------------- backward

// The gradient with respect to the convolution's sums, of some filters. At the points it is [point][filter][row][tile],
// with a margin of zeros before, between and behind the filters' maps.
struct Part {
  int first, filters;
  static long map(const Shape& s) { return long(s.used_height()) * s.tiles() * LANES + MARGIN; }
  long point(const Shape& s) const { return filters * map(s) + MARGIN; }
};

// That gradient, through pool and leaky ReLU, from the gradient of the outputs. Each filter's sum goes to db. Where dy
// isn't `whole`, a map's positions share one value.
template <int K>
void gradient_to_points(const Shape& s, const Part& part, const float* y, const std::uint8_t* won, const float* dy,
                        bool whole, float leak, float* d, float* db) {
  const int height = s.out_height(), width = s.out_width(), tiles = s.tiles();
  const long map = part.map(s), point = part.point(s), line = long(tiles) * LANES, step = whole ? LANES : 0;
  const Vec slope = broadcast(leak);
  for (int p = 0; p < POINTS; ++p)
    for (int n = 0; n <= part.filters; ++n) std::memset(d + p * point + n * map, 0, MARGIN * sizeof(float));
  for (int n = 0; n < part.filters; ++n) {
    const int f = part.first + n;
    Vec total{};
    for (int r = 0; r < height; ++r)
      for (int t = 0; t < tiles; ++t)
        for (int slice = 0; slice < LANES; slice += WIDTH) {
          Vec upper[TILE<K>] = {}, lower[TILE<K>] = {}, at_points[POINTS];
          const int column = t * TILE<K> / s.pool;
          const long at = ((long(f) * height + r) * width + column) * LANES + slice;
          const float* from = dy + (whole ? at : long(f) * LANES + slice);
          float* to = d + MARGIN + n * map + r * s.pool * line + t * LANES + slice;
          if (s.pool == 1) {
            EACH(i, TILE<K>) {
              if (column + i >= width) continue;
              const Vec here = load(from + i * step);
              upper[i] = load(y + at + i * LANES) > 0 ? here : here * slope;
              total += upper[i];
            }
          } else {
            EACH(i, TILE<K> / 2) {
              if (column + i >= width) continue;
              const Vec all = load(from + i * step), here = load(y + at + i * LANES) > 0 ? all : all * slope;
              const Mask winner = load_bytes(won + at + i * LANES);
              upper[2 * i] = winner == 0 ? here : Vec{};
              upper[2 * i + 1] = winner == 1 ? here : Vec{};
              lower[2 * i] = winner == 2 ? here : Vec{};
              lower[2 * i + 1] = winner == 3 ? here : Vec{};
              total += here;
            }
            from_points_adjoint<K>(lower, at_points);
            EACH(p, POINTS) store(to + line + p * point, at_points[p]);
          }
          from_points_adjoint<K>(upper, at_points);
          EACH(p, POINTS) store(to + p * point, at_points[p]);
        }
    db[f] = sum(total);
  }
}

// Filters and channels whose weight gradients are summed up together.
template <int K>
constexpr int TAP_CHANNELS = K == 1 ? (ACCUMULATORS == 24 ? 5 : 4) : 1;
template <int K>
constexpr int TAP_FILTERS = std::min(8, (ACCUMULATORS + 1) / (K * TAP_CHANNELS<K>));

// The gradient of a part's weights, written into (k, k, channels, filters), from the input at the points, `v`, and the
// gradient there, `d`.
template <int K>
void weight_gradient(const Shape& s, const Part& part, const float* v, const float* d, float* dw) {
  static thread_local Scratch scratch;
  constexpr int ROOM = WHOLE<TAP_FILTERS<K> * TAP_CHANNELS<K> * K>;
  const long map = input_map(s), d_map = part.map(s), row = long(s.tiles()) * LANES;
  const Blocks filters(part.filters, TAP_FILTERS<K>), channels(s.channels, TAP_CHANNELS<K>);
  // fn(numbers of filters and of channels as constants, first filter, first channel, where the block's sums lie)
  const auto each_block = [&](auto fn) {
    for (int fb = 0; fb < filters.number; ++fb)
      with_constant<TAP_FILTERS<K>>(filters.size(fb), [&](auto f_size) {
        for (int cb = 0; cb < channels.number; ++cb)
          with_constant<TAP_CHANNELS<K>>(channels.size(cb), [&](auto c_size) {
            fn(f_size, c_size, filters.start(fb), channels.start(cb), (long(fb) * channels.number + cb) * ROOM);
          });
      });
  };
  const long point = long(filters.number) * channels.number * ROOM;
  float* sums = scratch.get(POINTS * point);
  long offset[TAP_CHANNELS<K> * K];
  EACH(e, TAP_CHANNELS<K> * K) offset[e] = e / K * map + e % K * row;
  for (int p = 0; p < POINTS; ++p)
    each_block([&](auto f_size, auto c_size, int f, int c, long at) {
      tap_products<decltype(f_size)::value, decltype(c_size)::value * K>(
          s.used_height() * s.tiles(), v + (long(p) * s.channels + c) * map, offset,
          d + p * part.point(s) + MARGIN + f * d_map, d_map, sums + p * point + at);
    });
  each_block([&](auto f_size, auto c_size, int f, int c, long at) {
    constexpr int F = decltype(f_size)::value, E = decltype(c_size)::value * K;
    EACH(j, K) {
      float taps[WHOLE<F * E>];
      EACH(n, WHOLE<F * E> / WIDTH) {
        Vec total{};
        EACH(p, POINTS) total += load(sums + p * point + at + n * WIDTH) * TAPS<K>.at[p][j];
        std::memcpy(taps + n * WIDTH, &total, sizeof total);
      }
      EACH(n, F)
        EACH(e, E)
          dw[(long(e % K * K + j) * s.channels + c + e / K) * s.filters + part.first + f + n] = taps[n * E + e];
    }
  });
}

// The gradient of the input, from that of all the convolution's sums.
template <int K>
void input_gradient(const Shape& s, const Part& all, const float* d, const float* packed, float* dx) {
  static thread_local Scratch scratch;
  const int tiles = s.tiles();
  const Correlation sum{s.filters, s.channels, K, tiles, s.used_height(), s.height, 1 - K, 1, all.map(s), all.point(s)};
  correlate(sum, d + MARGIN, packed, scratch.get(sums_of(sum)),
            [&](int first, int outputs, int row, int rows, const float* sums) {
    const long stride = long(outputs) * rows * tiles * LANES;
    for (int c = first; c < first + outputs; ++c)
      for (int r = row; r < row + rows; ++r, sums += long(tiles) * LANES)
        for (int slice = 0; slice < LANES; slice += WIDTH) {
          float* to = dx + (long(c) * s.height + r) * s.width * LANES + slice;
          // Tiles overlap by the kernel's width less one: there a tile adds to what the one before has left.
          Vec v[POINTS], columns[POINTS], left[POINTS] = {};
          for (int t = 0; t < tiles; ++t) {
            EACH(p, POINTS) v[p] = load(sums + p * stride + t * LANES + slice);
            to_points_adjoint<K>(v, columns);
            EACH(j, POINTS) columns[j] += left[j];
            EACH(j, TILE<K>)
              if (t * TILE<K> + j < s.width) store(to + (t * TILE<K> + j) * LANES, columns[j]);
            EACH(j, K - 1) left[j] = columns[TILE<K> + j];
          }
          for (int column = tiles * TILE<K>; column < s.width; ++column) {
            const int j = column - tiles * TILE<K>;
            store(to + column * LANES, j < K - 1 ? left[j] : Vec{});
          }
        }
  });
}

// All gradients; `packed` for the way back, and dx, may be null.
template <int K>
void backward(const Shape& s, const float* x, const float* packed, const float* y, const std::uint8_t* won,
              const float* dy, bool whole, float leak, float* dx, float* dw, float* db) {
  static thread_local Scratch scratch[2];
  float* points = scratch[0].get(POINTS * s.channels * input_map(s));
  input_to_points<K>(s, x, points);
  // The input's gradient takes all filters at once; without it, a few at a time lie in the cache.
  const Blocks parts(s.filters, dx ? s.filters : TAP_FILTERS<K>);
  for (int i = 0; i < parts.number; ++i) {
    const Part part{parts.start(i), parts.size(i)};
    float* gradient = scratch[1].get(POINTS * part.point(s));
    gradient_to_points<K>(s, part, y, won, dy, whole, leak, gradient, db);
    weight_gradient<K>(s, part, points, gradient, dw);
    if (dx) input_gradient<K>(s, part, gradient, packed, dx);
  }
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
