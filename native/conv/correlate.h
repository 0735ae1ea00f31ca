// The sums of products at the points: where nearly all of the time goes.
//
// At each point by itself, every output is a sum over channels and over the taps of a kernel's column. A map at a point
// is one row of positions, row after row of the image, so that a tap is a shift by one image row. Every inner loop is
// vectors of images times one weight, held in a block of accumulators that the compiler keeps in registers.
#pragma once
#include <algorithm>
#include <type_traits>

#include "conv/shape.h"
#include "conv/transforms.h"
#include "runtime/lanes.h"

namespace inksight {
namespace INKSIGHT_ISA {

// As many accumulators as leave room for an operand or two, and the outputs that go with 6, 4, and 2 or 1 positions.
#if defined(__AVX512F__)
constexpr int ACCUMULATORS = 24, FEW = 4, SOME = 5, MANY = 10;
#else
constexpr int ACCUMULATORS = 12, FEW = 2, SOME = 3, MANY = 6;
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

// What is summed up at each point. Row r of the outputs takes in rows r + shift, r + shift + 1, ... for its taps; rows
// that do not exist count nothing, but where shift isn't 0, MARGIN zeros must stand before and behind each map.
struct Correlation {
  int inputs, outputs, taps, tiles, in_rows, out_rows, shift;
  int unit;               // rows of outputs that must stay together
  long in_map, in_point;  // floats from one input's map to the next, and from point to point
};

// Positions of a block, and how many outputs go with them.
constexpr int MOST_POSITIONS = 6;
template <int P>
constexpr int MOST_OUTPUTS = P == 6   ? FEW
                             : P == 4 ? SOME
                                      : MANY;
// How far a block that lies on two rows may read over the edge.
constexpr long MARGIN = (MOST_POSITIONS - 1) * LANES;

// The taps that count for a block of P positions from q on.
struct Range {
  int begin, end;
};
inline Range taps_of(const Correlation& s, int q, int P) {
  const int first = q / s.tiles, last = (q + P - 1) / s.tiles;
  return {std::max(0, -s.shift - last), std::min(s.taps, s.in_rows - s.shift - first)};
}

// O outputs at P positions. `w` is [input][tap][output].
template <int O, int P>
inline void products(const Correlation& s, Range taps, const float* in, const float* w, float* out, long out_map) {
  const long row = long(s.tiles) * LANES;
  for (int slice = 0; slice < LANES; slice += WIDTH) {
    Vec acc[O][P];
    EACH(o, O)
      EACH(p, P) acc[o][p] = Vec{};
    const float *map = in + (taps.begin + s.shift) * row + slice, *map_weights = w + long(taps.begin) * s.outputs;
    for (int c = 0; c < s.inputs; ++c, map += s.in_map, map_weights += long(s.taps) * s.outputs) {
      const float *line = map, *weights = map_weights;
      for (int i = taps.begin; i < taps.end; ++i, line += row, weights += s.outputs) {
        Vec v[P];
        EACH(p, P) v[p] = load(line + p * LANES);
        EACH(o, O) {
          const Vec weight = broadcast(weights[o]);
          EACH(p, P) acc[o][p] += v[p] * weight;
        }
      }
    }
    EACH(o, O)
      EACH(p, P) store(out + o * out_map + p * LANES + slice, acc[o][p]);
  }
}

// How many positions a block should have for the fewest multiplications: blocks on two rows do some in vain, and so
// does the last one, which overlaps the one before.
inline int best_block(const Correlation& s) {
  const int positions = s.out_rows * s.tiles;
  int best = 1;
  long least = -1;
  for (const int P : {4, 6, 2, 1}) {
    if (P > positions) continue;
    long cost = 0;
    for (int q = 0; q < positions; q += P) {
      const Range taps = taps_of(s, std::min(q, positions - P), P);
      cost += std::max(0, taps.end - taps.begin) * P;
    }
    if (P == 1) cost *= 2;  // one load for every multiplication or two
    if (least < 0 || cost < least) least = cost, best = P;
  }
  return best;
}

// Sums of a chunk at one point, outputs times positions: what it leaves for `finish` should still lie in the first
// cache.
constexpr int CHUNK = 72;

// P positions and as many outputs as go with them at a time, and a chunk of rows at all points before `finish`.
template <int P, class Finish>
void correlate_in(const Correlation& s, const float* in, const float* w, float* sums, Finish finish) {
  const Blocks blocks(s.outputs, MOST_OUTPUTS<P>);
  for (int b = 0; b < blocks.number; ++b)
    with_constant<MOST_OUTPUTS<P>>(blocks.size(b), [&](auto size) {
      constexpr int O = decltype(size)::value;
      // A chunk holds P positions at least.
      const Blocks chunks(s.out_rows / s.unit, std::max(CHUNK / O / s.tiles / s.unit, 1));
      for (int c = 0; c < chunks.number; ++c) {
        const int row = chunks.start(c) * s.unit, rows = chunks.size(c) * s.unit;
        const int begin = row * s.tiles, end = begin + rows * s.tiles;
        const long map = long(end - begin) * LANES;
        for (int p = 0; p < POINTS; ++p)
          for (int q = begin; q < end; q += P) {
            q = std::min(q, end - P);
            products<O, P>(s, taps_of(s, q, P), in + p * s.in_point + long(q) * LANES,
                           w + long(p) * s.inputs * s.taps * s.outputs + blocks.start(b),
                           sums + p * O * map + long(q - begin) * LANES, map);
          }
        finish(blocks.start(b), O, row, rows, sums);
      }
    });
}

// Floats that `sums` must hold.
inline long sums_of(const Correlation& s) {
  return std::max(long(CHUNK), long(MOST_OUTPUTS<1>) * s.tiles * s.unit) * POINTS * LANES;
}

// All outputs. `in` is [point][input][row][tile], `w` is [point][input][tap][output]; a block of outputs and a chunk of
// rows at a time, finish(first output, outputs, first row, rows, sums) gets [point][output][row][tile].
template <class Finish>
void correlate(const Correlation& s, const float* in, const float* w, float* sums, Finish finish) {
  switch (best_block(s)) {
    case 4: return correlate_in<4>(s, in, w, sums, finish);
    case 6: return correlate_in<6>(s, in, w, sums, finish);
    case 2: return correlate_in<2>(s, in, w, sums, finish);
    default: return correlate_in<1>(s, in, w, sums, finish);
  }
}

// N floats, filled up to whole vectors.
template <int N>
constexpr int WHOLE = (N + WIDTH - 1) / WIDTH * WIDTH;

// F filters' gradients at E taps (of one channel's column, or of E channels): each the sum over all positions of
// gradient times input, at one point. Tap e is `offset[e]` behind x. Written to WHOLE<F * E> floats.
template <int F, int E>
inline void tap_products(int positions, const float* x, const long* offset, const float* d, long d_map, float* to) {
  Vec acc[WHOLE<F * E> / WIDTH][WIDTH] = {};
  const float* tap[E];
  EACH(e, E) tap[e] = x + offset[e];
  for (long at = 0; at < long(positions) * LANES; at += WIDTH) {
    Vec v[E];
    EACH(e, E) v[e] = load(tap[e] + at);
    EACH(f, F) {
      const Vec gradient = load(d + f * d_map + at);
      EACH(e, E) acc[(f * E + e) / WIDTH][(f * E + e) % WIDTH] += gradient * v[e];
    }
  }
  EACH(v, WHOLE<F * E> / WIDTH) store(to + v * WIDTH, sums(acc[v]));
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
