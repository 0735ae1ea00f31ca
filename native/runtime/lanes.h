// Vectors of images. The last axis of every batch holds the 16 images of a lane group; a vector holds a slice of them.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>

#include "runtime/isa.h"
#include "runtime/layout.h"

namespace inksight {
namespace INKSIGHT_ISA {

// A loop that is always unrolled. An array of accumulators indexed by it stays in registers.
#define UNROLL(i, n) _Pragma("GCC unroll 64") for (int i = 0; i < n; ++i)

// A function whose loops need all registers. Where GCC inlines such loops into a larger function, it keeps some of
// their values in memory.
#define OWN_REGISTERS __attribute__((noinline))

constexpr int WIDTH = INKSIGHT_WIDTH;  // lanes in a vector

typedef float Vec __attribute__((vector_size(WIDTH * 4), may_alias));
typedef std::int32_t Mask __attribute__((vector_size(WIDTH * 4), may_alias));
typedef std::uint8_t Bytes __attribute__((vector_size(WIDTH), may_alias));

inline Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
inline Vec load_unaligned(const float* p) {
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vec v) { *reinterpret_cast<Vec*>(p) = v; }
// Subtracting 0 changes no number, so this is a single load. Adding 0 would change -0, and costs an addition.
inline Vec broadcast(float x) { return x - Vec{}; }
// Return a * b + c. WebAssembly's relaxed instruction rounds once or twice, whichever is faster on the processor; elsewhere
// the compiler's flags say whether product and sum may be contracted.
inline Vec multiply_add(Vec a, Vec b, Vec c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#else
  return c + a * b;
#endif
}
inline Vec maximum(Vec a, Vec b) { return a > b ? a : b; }
inline Vec leaky_relu(Vec x, Vec slope) { return x > 0 ? x : x * slope; }
inline void store_bytes(std::uint8_t* p, Mask m) { *reinterpret_cast<Bytes*>(p) = __builtin_convertvector(m, Bytes); }
inline Mask load_bytes(const std::uint8_t* p) {
  return __builtin_convertvector(*reinterpret_cast<const Bytes*>(p), Mask);
}

// The processors' own instructions for this help little where they are fast, and cost much where they are slow.
inline Mask gather(const std::uint32_t* table, Mask index) {
  Mask v;
  for (int lane = 0; lane < WIDTH; ++lane) v[lane] = std::int32_t(table[index[lane]]);
  return v;
}

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, Mask{__VA_ARGS__})
#endif

// Fold two vectors into one: in every 2 * HALF lanes, first the sums of a's two halves, then those of b's.
template <int HALF, int... lane>
inline Vec fold(Vec a, Vec b, std::integer_sequence<int, lane...>) {
  return SHUFFLE(a, b, (lane / HALF % 2 * WIDTH + lane / (2 * HALF) * 2 * HALF + lane % HALF)...) +
         SHUFFLE(a, b, (lane / HALF % 2 * WIDTH + lane / (2 * HALF) * 2 * HALF + lane % HALF + HALF)...);
}

// Sum each of N <= WIDTH vectors over its lanes. Lane i of the result is the sum of v[i]; lanes from N on are 0.
// Vectors far apart are folded first. Summing them together takes a third of the work of summing one after another.
template <int N, int FIRST = 0, int STEP = 1>
inline Vec lane_sums(const Vec (&v)[N]) {
  if constexpr (FIRST >= N) {
    return Vec{};
  } else if constexpr (STEP == WIDTH) {
    return v[FIRST];
  } else {
    const Vec a = lane_sums<N, FIRST, 2 * STEP>(v), b = lane_sums<N, FIRST + STEP, 2 * STEP>(v);
    return fold<STEP>(a, b, std::make_integer_sequence<int, WIDTH>{});
  }
}
inline float lane_sum(Vec v) {
  const Vec vectors[1] = {v};
  return lane_sums(vectors)[0];
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
