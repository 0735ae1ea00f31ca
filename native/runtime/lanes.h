// Vectors of images: sixteen lie side by side in the last axis of every array, a vector holds a slice of them.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>

#include "conv/shape.h"
#include "runtime/isa.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Loops over a block of accumulators: unrolled, so that an array of them is a set of registers.
#define EACH(i, n) _Pragma("GCC unroll 64") for (int i = 0; i < n; ++i)

constexpr int WIDTH = INKSIGHT_WIDTH;  // lanes a vector holds

typedef float Vec __attribute__((vector_size(WIDTH * 4), may_alias));
typedef std::int32_t Mask __attribute__((vector_size(WIDTH * 4), may_alias));
typedef std::uint8_t Bytes __attribute__((vector_size(WIDTH), may_alias));

inline Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
inline Vec load_any(const float* p) {  // from anywhere, not only a vector's boundary
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vec v) { *reinterpret_cast<Vec*>(p) = v; }
inline Vec broadcast(float x) { return Vec{} + x; }
inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }
inline Vec leaky(Vec x, Vec slope) { return x > 0 ? x : x * slope; }
inline void store_bytes(std::uint8_t* p, Mask m) { *reinterpret_cast<Bytes*>(p) = __builtin_convertvector(m, Bytes); }
inline Mask load_bytes(const std::uint8_t* p) {
  return __builtin_convertvector(*reinterpret_cast<const Bytes*>(p), Mask);
}

inline Mask gather(const std::uint32_t* from, Mask at) {
  Mask v;
  for (int lane = 0; lane < WIDTH; ++lane) v[lane] = std::int32_t(from[at[lane]]);
  return v;
}

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, Mask{__VA_ARGS__})
#endif

// Two vectors into one: of every 2 * HALF lanes the sums of a's halves, then those of b's.
template <int HALF, int... lane>
inline Vec fold(Vec a, Vec b, std::integer_sequence<int, lane...>) {
  return SHUFFLE(a, b, (lane / HALF % 2 * WIDTH + lane / (2 * HALF) * 2 * HALF + lane % HALF)...) +
         SHUFFLE(a, b, (lane / HALF % 2 * WIDTH + lane / (2 * HALF) * 2 * HALF + lane % HALF + HALF)...);
}

// The sums over the lanes of N <= WIDTH vectors, each in its place, and 0 behind. Vectors far apart are folded first.
// Together they take a third of the work that each alone would.
template <int N, int FIRST = 0, int STEP = 1>
inline Vec sums(const Vec (&v)[N]) {
  if constexpr (FIRST >= N) {
    return Vec{};
  } else if constexpr (STEP == WIDTH) {
    return v[FIRST];
  } else {
    const Vec a = sums<N, FIRST, 2 * STEP>(v), b = sums<N, FIRST + STEP, 2 * STEP>(v);
    return fold<STEP>(a, b, std::make_integer_sequence<int, WIDTH>{});
  }
}
inline float sum(Vec v) {
  const Vec one[1] = {v};
  return sums(one)[0];
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
