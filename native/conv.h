// The convolution block of one lane group: valid convolution, 2x2 max-pool, bias, leaky ReLU, and its gradients.
//
// A group's arrays are [channel][row][column][lane]. Every inner loop is a vector of images times one weight, held in a
// block of accumulators that the compiler keeps in registers: all its loops have constant bounds and are unrolled.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "lanes.h"
#include "shape.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Loops over a block of accumulators: unrolled, so that an array of them is a set of registers.
#define EACH(i, n) _Pragma("GCC unroll 64") for (int i = 0; i < n; ++i)

// Filters (or channels) x positions in a block: as many accumulators as leave room for an operand or two.
#if defined(__AVX512F__)
constexpr int ACCUMULATORS = 24, MOST_FILTERS = 5, OTHER_TILE = 6;
#else
constexpr int ACCUMULATORS = 12, MOST_FILTERS = 3, OTHER_TILE = 6;
#endif

// Call fn with count, 1 to MOST, as a constant of the type system.
template <int MOST, class Fn>
inline void with_constant(int count, Fn fn) {
  if constexpr (MOST > 1)
    if (count < MOST) return with_constant<MOST - 1>(count, fn);
  fn(std::integral_constant<int, MOST>{});
}

// A range of `count` cut into blocks of at most `most`, as even as they come.
struct Blocks {
  int count, number;
  Blocks(int count, int most) : count(count), number((count + most - 1) / most) {}
  int start(int j) const { return int(long(count) * j / number); }
  int size(int j) const { return start(j + 1) - start(j); }
};

// Of two tile widths the one that leaves less of the last tile's work undone twice.
inline int better_tile(int width, int a, int b) {
  const auto cost = [width](int tile) { return tile > width ? 1 << 30 : (width + tile - 1) / tile * tile; };
  return cost(a) <= cost(b) ? a : b;
}

// ---------------------------------------------------------------------------------------------------- forward

// How one row of outputs is tiled: columns a tile, filters a block.
inline int forward_tile(const Shape& s) {
  if (s.pool == 2) return 4;  // the 2x2 positions under one pooled output
  const int tile = better_tile(s.conv_width(), 4, OTHER_TILE);
  return tile <= s.conv_width() ? tile : 1;
}
inline int forward_most(int tile) { return tile == OTHER_TILE ? ACCUMULATORS / 6 : MOST_FILTERS; }

// Weights (k, k, channels, filters) -> for each block of filters [channel][row][column][filter of the block].
inline void pack_forward(const Shape& s, const float* w, float* packed) {
  const Blocks blocks(s.filters, forward_most(forward_tile(s)));
  for (int j = 0; j < blocks.number; ++j)
    for (int c = 0; c < s.channels; ++c)
      for (int t = 0; t < s.kernel * s.kernel; ++t)
        for (int f = blocks.start(j); f < blocks.start(j + 1); ++f)
          *packed++ = w[(long(t) * s.channels + c) * s.filters + f];
}

// Convolution sums of F filters at R x C positions.
template <int K, int F, int R, int C>
inline void convolve(const Shape& s, const float* x, const float* w, Vec (&acc)[F][R * C]) {
  const long row = long(s.width) * LANES, channel = row * s.height;
  EACH(f, F) EACH(p, R * C) acc[f][p] = Vec{};
  for (int c = 0; c < s.channels; ++c, x += channel)
    for (int i = 0; i < K; ++i) {
      const float* line = x + i * row;
      EACH(j, K) {
        Vec weight[F];
        EACH(f, F) weight[f] = broadcast(w[j * F + f]);
        EACH(p, R * C) {
          const Vec pixel = load(line + p / C * row + (j + p % C) * LANES);
          EACH(f, F) acc[f][p] += pixel * weight[f];
        }
      }
      w += K * F;
    }
}

// One row of outputs of F filters in tiles of C columns; the last tile overlaps the one before: same sums again.
template <int K, int F, int C>
void forward_row(const Shape& s, const float* x, const float* w, const float* b, float leak, float* y) {
  const int width = s.conv_width();
  const long map = long(s.conv_height()) * width * LANES;
  const Vec slope = broadcast(leak);
  for (int q = 0; q < width; q += C) {
    q = std::min(q, width - C);
    Vec acc[F][C];
    convolve<K, F, 1, C>(s, x + q * LANES, w, acc);
    EACH(f, F) EACH(p, C) store(y + f * map + (q + p) * LANES, leaky(acc[f][p] + broadcast(b[f]), slope));
  }
}

// One row of pooled outputs of F filters; which of the four positions won goes to `won`, where it is wanted.
template <int K, int F>
void forward_pooled_row(const Shape& s, const float* x, const float* w, const float* b, float leak, float* y,
                        std::uint8_t* won) {
  const long map = long(s.out_height()) * s.out_width() * LANES;
  const Vec slope = broadcast(leak);
  for (int q = 0; q < s.out_width(); ++q) {
    Vec acc[F][4];
    convolve<K, F, 2, 2>(s, x + 2 * q * LANES, w, acc);
    EACH(f, F) {
      const Vec upper = larger(acc[f][0], acc[f][1]), lower = larger(acc[f][2], acc[f][3]);
      store(y + f * map + q * LANES, leaky(larger(upper, lower) + broadcast(b[f]), slope));
      if (won) {
        const Mask above = acc[f][0] >= acc[f][1] ? Mask{} : Mask{} + 1;
        const Mask below = acc[f][2] >= acc[f][3] ? Mask{} + 2 : Mask{} + 3;
        store_bytes(won + f * map + q * LANES, upper >= lower ? above : below);
      }
    }
  }
}

template <int K>
void forward(const Shape& s, const float* x, const float* packed, const float* b, float leak, float* y,
             std::uint8_t* won) {
  const int tile = forward_tile(s);
  const Blocks blocks(s.filters, forward_most(tile));
  const long in_row = long(s.width) * LANES * s.pool, out_row = long(s.out_width()) * LANES;
  const long map = out_row * s.out_height();
  for (int j = 0; j < blocks.number; ++j) {
    const int first = blocks.start(j);
    with_constant<MOST_FILTERS>(blocks.size(j), [&](auto constant) {
      constexpr int F = decltype(constant)::value;
      for (int r = 0; r < s.out_height(); ++r)
        for (int slice = 0; slice < LANES; slice += WIDTH) {
          const float* from = x + r * in_row + slice;
          const long at = first * map + r * out_row + slice;
          if (s.pool == 1 && tile == OTHER_TILE)
            forward_row<K, std::min(F, ACCUMULATORS / 6), OTHER_TILE>(s, from, packed, b + first, leak, y + at);
          else if (s.pool == 2)
            forward_pooled_row<K, F>(s, from, packed, b + first, leak, y + at,
                                                             won ? won + at : nullptr);
          else if (tile == 4)
            forward_row<K, F, 4>(s, from, packed, b + first, leak, y + at);
          else
            forward_row<K, F, 1>(s, from, packed, b + first, leak, y + at);
        }
    });
    packed += long(blocks.size(j)) * s.channels * K * K;
  }
}

// --------------------------------------------------------------------------------------------------- backward

// The gradient with respect to the convolution's sums, through pool and leaky ReLU, from that of the outputs. Rows are
// as wide as the input's: behind a row's values (and before the first row's) stand kernel - 1 zeros, so that the input
// gradient may read over the edge. The zeros must be there already. Each filter's sum is added to db.
inline void pre_activation(const Shape& s, const float* y, const std::uint8_t* won, const float* dy, float leak,
                           float* dz, float* db) {
  const int height = s.out_height(), width = s.out_width();
  const Vec slope = broadcast(leak);
  const long line = long(s.width) * LANES;
  for (int f = 0; f < s.filters; ++f) {
    float* map = dz + f * s.grad_map() + long(s.kernel - 1) * LANES;
    Vec total{};
    for (int r = 0; r < height; ++r)
      for (int q = 0; q < width; ++q)
        for (int slice = 0; slice < LANES; slice += WIDTH) {
          const long at = ((long(f) * height + r) * width + q) * LANES + slice;
          const Vec dy_here = load(dy + at);
          const Vec d = load(y + at) > 0 ? dy_here : dy_here * slope;
          total += d;
          float* to = map + r * s.pool * line + long(q) * s.pool * LANES + slice;
          if (s.pool == 1) {
            store(to, d);
          } else {
            const Mask index = load_bytes(won + at);
            store(to, index == 0 ? d : Vec{});
            store(to + LANES, index == 1 ? d : Vec{});
            store(to + line, index == 2 ? d : Vec{});
            store(to + line + LANES, index == 3 ? d : Vec{});
          }
        }
    db[f] += sum(total);
  }
}

// One kernel row of the weight gradient of F filters.
template <int K, int F>
void weight_row(const Shape& s, const float* x, const float* dz, float* dw) {
  const int height = s.used_height(), width = s.used_width();
  const long line = long(s.width) * LANES, map = s.grad_map();
  Vec acc[F][K];
  EACH(f, F) EACH(j, K) acc[f][j] = Vec{};
  for (int r = 0; r < height; ++r)
    for (int slice = 0; slice < LANES; slice += WIDTH) {
      const float *pixels = x + r * line + slice, *grad = dz + r * line + slice;
      for (int q = 0; q < width; ++q, pixels += LANES, grad += LANES) {
        Vec pixel[K];
        EACH(j, K) pixel[j] = load(pixels + j * LANES);
        EACH(f, F) {
          const Vec d = load(grad + f * map);
          EACH(j, K) acc[f][j] += pixel[j] * d;
        }
      }
    }
  EACH(j, K) EACH(f, F) dw[long(j) * s.channels * s.filters + f] += sum(acc[f][j]);
}

// The weight gradient (k, k, channels, filters), added to dw.
template <int K>
void weight_gradient(const Shape& s, const float* x, const float* dz, float* dw) {
  constexpr int MOST = std::min(8, (ACCUMULATORS + 1) / K);
  const Blocks blocks(s.filters, MOST);
  const float* first_row = dz + long(K - 1) * LANES;
  for (int b = 0; b < blocks.number; ++b)
    with_constant<MOST>(blocks.size(b), [&](auto constant) {
      for (int c = 0; c < s.channels; ++c)
        for (int i = 0; i < K; ++i)
          weight_row<K, decltype(constant)::value>(
              s, x + (long(c) * s.height + i) * s.width * LANES, first_row + blocks.start(b) * s.grad_map(),
              dw + (long(i) * K * s.channels + c) * s.filters + blocks.start(b));
    });
}

// How the input gradient is tiled: columns a tile, channels a block.
inline int input_tile_width(const Shape& s) {
  const int tile = ACCUMULATORS == 24 ? better_tile(s.width, 12, better_tile(s.width, 8, 4)) : better_tile(s.width, 6, 4);
  return tile <= s.width ? tile : 1;
}
inline int input_most(int tile) { return tile == 4 ? ACCUMULATORS / 6 : tile == 1 ? 1 : 2; }

// Weights -> for each block of channels [filter][row][column][channel of the block].
inline void pack_backward(const Shape& s, const float* w, float* packed) {
  const Blocks blocks(s.channels, input_most(input_tile_width(s)));
  for (int j = 0; j < blocks.number; ++j)
    for (int f = 0; f < s.filters; ++f)
      for (int t = 0; t < s.kernel * s.kernel; ++t)
        for (int c = blocks.start(j); c < blocks.start(j + 1); ++c)
          *packed++ = w[(long(t) * s.channels + c) * s.filters + f];
}

// The input gradient of C channels at T columns of row r. LEFT, RIGHT: the tile begins, ends the row, where the kernel
// reaches over the edge; what it would multiply there is known to be zero and is left out.
template <int K, int C, int T, bool LEFT, bool RIGHT>
void input_tile(const Shape& s, int r, const float* dz, const float* w, float* dx) {
  const long line = long(s.width) * LANES, map = s.grad_map();
  const int top = std::max(0, r - s.conv_height() + 1), bottom = std::min(K - 1, r);
  for (int slice = 0; slice < LANES; slice += WIDTH) {
    Vec acc[C][T];
    EACH(c, C) EACH(t, T) acc[c][t] = Vec{};
    const float *weight = w, *grads = dz + r * line + slice;
    for (int f = 0; f < s.filters; ++f, weight += K * K * C, grads += map)
      for (int i = top; i <= bottom; ++i) {
        const float* grad = grads - i * line;
        EACH(j, K) {
          Vec v[C];
          EACH(c, C) v[c] = broadcast(weight[(i * K + j) * C + c]);
          EACH(t, T) {
            if ((LEFT && t < j) || (RIGHT && t - j > T - K)) continue;
            const Vec d = load(grad + (t - j) * LANES);
            EACH(c, C) acc[c][t] += d * v[c];
          }
        }
      }
    EACH(c, C) EACH(t, T) store(dx + (long(c) * s.height * s.width + t) * LANES + slice, acc[c][t]);
  }
}

// The input gradient of C channels, in tiles of T columns; the last tile overlaps the one before.
template <int K, int C, int T>
void input_rows(const Shape& s, const float* dz, const float* w, float* dx) {
  dz += long(K - 1) * LANES;
  for (int r = 0; r < s.height; ++r)
    for (int q = 0; q < s.width; q += T) {
      q = std::min(q, s.width - T);
      const float* grad = dz + long(q) * LANES;
      float* to = dx + (long(r) * s.width + q) * LANES;
      const bool left = K > 1 && q == 0, right = K > 1 && q + T == s.width;
      if (left && right) input_tile<K, C, T, K != 1, K != 1>(s, r, grad, w, to);
      else if (left) input_tile<K, C, T, K != 1, false>(s, r, grad, w, to);
      else if (right) input_tile<K, C, T, false, K != 1>(s, r, grad, w, to);
      else input_tile<K, C, T, false, false>(s, r, grad, w, to);
    }
}

template <int K>
void input_gradient(const Shape& s, const float* dz, const float* packed, float* dx) {
  const int tile = input_tile_width(s);
  const Blocks blocks(s.channels, input_most(tile));
  for (int j = 0; j < blocks.number; ++j) {
    float* to = dx + long(blocks.start(j)) * s.height * s.width * LANES;
    with_constant<ACCUMULATORS / 6>(blocks.size(j), [&](auto constant) {
      constexpr int C = decltype(constant)::value, FEW = std::min(C, 2);
      if (tile == 4) input_rows<K, C, 4>(s, dz, packed, to);
      else if (tile == 1) input_rows<K, 1, 1>(s, dz, packed, to);
      else if (ACCUMULATORS == 12) input_rows<K, FEW, 6>(s, dz, packed, to);
      else if (tile == 8) input_rows<K, FEW, ACCUMULATORS == 24 ? 8 : 6>(s, dz, packed, to);
      else input_rows<K, FEW, ACCUMULATORS == 24 ? 12 : 6>(s, dz, packed, to);
    });
    packed += long(blocks.size(j)) * s.filters * K * K;
  }
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
