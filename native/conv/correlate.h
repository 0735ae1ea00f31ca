// The sums of products at the interpolation points. Nearly all of the engine's time goes here.
//
// At each point, an output is a sum over input maps and over the taps of one kernel column. A map at a point is a row
// of positions, image row after image row, so a tap is a shift by one image row. Every inner loop multiplies vectors of
// images by one weight and adds them to a block of accumulators, which the compiler keeps in registers.
#pragma once
#include <algorithm>
#include <type_traits>

#include "conv/shape.h"
#include "conv/transforms.h"
#include "runtime/lanes.h"

namespace inksight {
namespace INKSIGHT_ISA {

// The number of accumulators leaves registers for one or two operands. OUTPUTS_n is the number of outputs in a block of
// n positions.
#if defined(__AVX512F__)
constexpr int ACCUMULATORS = 24, OUTPUTS_6 = 4, OUTPUTS_4 = 5, OUTPUTS_2 = 10;
#else
constexpr int ACCUMULATORS = 12, OUTPUTS_6 = 2, OUTPUTS_4 = 3, OUTPUTS_2 = 6;
#endif

// Call fn with `count`, 1 to MAX, as a compile-time constant.
template <int MAX, class Fn>
inline void with_constant(int count, Fn fn) {
  if constexpr (MAX > 1)
    if (count < MAX) return with_constant<MAX - 1>(count, fn);
  fn(std::integral_constant<int, MAX>{});
}

// A range of `count` items, cut into as few blocks of at most `max` items as possible, of almost equal size.
struct Blocks {
  int count, number;
  Blocks(int count, int max) : count(count), number((count + max - 1) / max) {}
  int start(int j) const { return int(long(count) * j / number); }
  int size(int j) const { return start(j + 1) - start(j); }
};

// One correlation, the same at each point. Output row r sums over input rows r + shift, r + shift + 1, ..., one for
// each tap. Input rows outside the map count as zeros. If shift is not 0, MARGIN zeros must surround each map.
struct Correlation {
  int inputs, outputs, taps, tiles, in_rows, out_rows, shift;
  int unit;               // output rows that must stay in one chunk, as those under one pooling window
  long in_map, in_point;  // floats from one input map to the next, and from one point to the next
};

// Positions in a block, and the most outputs that fit with them.
constexpr int MAX_POSITIONS = 6;
constexpr int max_outputs(int positions) { return positions == 6 ? OUTPUTS_6 : positions == 4 ? OUTPUTS_4 : OUTPUTS_2; }
// Floats that a block which spans two rows may read beyond the map.
constexpr long MARGIN = (MAX_POSITIONS - 1) * LANES;

// The taps that have an input row for at least one of P positions from q on.
struct TapRange {
  int begin, end;
};
inline TapRange valid_taps(const Correlation& s, int q, int P) {
  const int first = q / s.tiles, last = (q + P - 1) / s.tiles;
  return {std::max(0, -s.shift - last), std::min(s.taps, s.in_rows - s.shift - first)};
}

// Compute O outputs at P positions. `w` is [input][tap][O].
template <int O, int P>
OWN_REGISTERS void products(const Correlation& s, TapRange taps, const float* in, const float* w, float* out,
                            long out_map) {
  const long row = long(s.tiles) * LANES;
  for (int slice = 0; slice < LANES; slice += WIDTH) {
    Vec acc[O][P];
    UNROLL(o, O)
      UNROLL(p, P) acc[o][p] = Vec{};
    const float *map = in + (taps.begin + s.shift) * row + slice, *map_weights = w + long(taps.begin) * O;
    for (int c = 0; c < s.inputs; ++c, map += s.in_map, map_weights += long(s.taps) * O) {
      const float *line = map, *weights = map_weights;
      for (int i = taps.begin; i < taps.end; ++i, line += row, weights += O) {
        // Registers are left for the fewer of the operands, and for one of the others.
        if constexpr (O < P) {
          Vec weight[O];
          UNROLL(o, O) weight[o] = broadcast(weights[o]);
          UNROLL(p, P) {
            const Vec v = load(line + p * LANES);
            UNROLL(o, O) acc[o][p] = multiply_add(v, weight[o], acc[o][p]);
          }
        } else {
          Vec v[P];
          UNROLL(p, P) v[p] = load(line + p * LANES);
          UNROLL(o, O) {
            const Vec weight = broadcast(weights[o]);
            UNROLL(p, P) acc[o][p] = multiply_add(v[p], weight, acc[o][p]);
          }
        }
      }
    }
    UNROLL(o, O)
      UNROLL(p, P) store(out + o * out_map + p * LANES + slice, acc[o][p]);
  }
}

// Return the number of positions per block that needs the fewest multiplications. Some multiplications are wasted: in
// blocks that span two rows, and in the last block, which overlaps the one before it.
inline int cheapest_block(const Correlation& s) {
  const int positions = s.out_rows * s.tiles;
  int best = 1;
  long best_cost = -1;
  for (const int P : {4, 6, 2, 1}) {
    if (P > positions) continue;
    long cost = 0;
    for (int q = 0; q < positions; q += P) {
      const TapRange taps = valid_taps(s, std::min(q, positions - P), P);
      cost += std::max(0, taps.end - taps.begin) * P;
    }
    if (P == 1) cost *= 2;  // one load for every one or two multiplications
    if (best_cost < 0 || cost < best_cost) best_cost = cost, best = P;
  }
  return best;
}

// Write weights in the order in which `correlate` reads them: [block of outputs][point][input][tap][output]. Blocks that
// lie apart would share cache lines, and be fetched several times. weight(point, input, tap, output) returns one.
template <class Weight>
void pack_weights(const Correlation& s, float* packed, Weight weight) {
  const Blocks blocks(s.outputs, max_outputs(cheapest_block(s)));
  for (int b = 0; b < blocks.number; ++b)
    for (int p = 0; p < POINTS; ++p)
      for (int c = 0; c < s.inputs; ++c)
        for (int i = 0; i < s.taps; ++i)
          for (int o = blocks.start(b); o < blocks.start(b + 1); ++o) *packed++ = weight(p, c, i, o);
}

constexpr int CHUNK = 72;  // outputs times positions of a chunk at one point: small enough that `finish` finds it in L1

// Return the floats that `sums` must hold.
inline long sums_size(const Correlation& s) {
  return std::max(long(CHUNK), long(max_outputs(1)) * s.tiles * s.unit) * POINTS * LANES;
}

// Return the instance of `products` for a block. An indirect call costs nothing beside its loops, and so the loops over
// blocks are compiled only once for each `finish`.
template <int P>
inline auto products_for(int outputs) {
  auto instance = products<1, P>;
  with_constant<max_outputs(P)>(outputs, [&](auto size) { instance = products<decltype(size)::value, P>; });
  return instance;
}
inline auto products_for(int outputs, int positions) {
  switch (positions) {
    case 4: return products_for<4>(outputs);
    case 6: return products_for<6>(outputs);
    case 2: return products_for<2>(outputs);
    default: return products_for<1>(outputs);
  }
}

// Compute all outputs. `in` is [point][input][row][tile] and `w` comes from pack_weights. The function
// finish(first output, outputs, first row, rows, sums) gets a block of outputs and a chunk of rows at a time, as
// [point][output][row][tile]: all points of a chunk are summed before.
template <class Finish>
void correlate(const Correlation& s, const float* in, const float* w, float* sums, Finish finish) {
  const int P = cheapest_block(s);
  const Blocks blocks(s.outputs, max_outputs(P));
  for (int b = 0; b < blocks.number; ++b) {
    const int first = blocks.start(b), O = blocks.size(b);
    const auto compute = products_for(O, P);
    // A chunk holds at least P positions.
    const Blocks chunks(s.out_rows / s.unit, std::max(CHUNK / O / s.tiles / s.unit, 1));
    for (int c = 0; c < chunks.number; ++c) {
      const int row = chunks.start(c) * s.unit, rows = chunks.size(c) * s.unit;
      const int begin = row * s.tiles, end = begin + rows * s.tiles;
      const long map = long(end - begin) * LANES;
      for (int p = 0; p < POINTS; ++p)
        for (int q = begin; q < end; q += P) {
          q = std::min(q, end - P);
          compute(s, valid_taps(s, q, P), in + p * s.in_point + long(q) * LANES,
                  w + (long(first) * POINTS + p * O) * s.inputs * s.taps, sums + p * O * map + long(q - begin) * LANES,
                  map);
        }
      finish(first, O, row, rows, sums);
    }
  }
}

// N floats, rounded up to whole vectors.
template <int N>
constexpr int WHOLE_VECTORS = (N + WIDTH - 1) / WIDTH * WIDTH;

// Compute the gradients of F filters at E taps (of one channel's kernel column, or of E channels) at one point: sums
// over all positions of gradient times input. Tap e reads x + offset[e]. Writes WHOLE_VECTORS<F * E> floats.
template <int F, int E>
OWN_REGISTERS void tap_products(int positions, const float* x, const long* offset, const float* d, long d_map,
                                float* out) {
  Vec acc[WHOLE_VECTORS<F * E> / WIDTH][WIDTH] = {};
  const float* tap[E];
  UNROLL(e, E) tap[e] = x + offset[e];
  for (long i = 0; i < long(positions) * LANES; i += WIDTH) {
    Vec v[E];
    UNROLL(e, E) v[e] = load(tap[e] + i);
    UNROLL(f, F) {
      const Vec gradient = load(d + f * d_map + i);
      UNROLL(e, E) {
        Vec& sum = acc[(f * E + e) / WIDTH][(f * E + e) % WIDTH];
        sum = multiply_add(gradient, v[e], sum);
      }
    }
  }
  UNROLL(v, WHOLE_VECTORS<F * E> / WIDTH) store(out + v * WIDTH, lane_sums(acc[v]));
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
