// Vectors of images: sixteen lie side by side in the last axis of every array, a vector holds a slice of them.
#pragma once
#include <cstdint>
#include <cstring>

#include "shape.h"

#if defined(__AVX512F__)
#define INKSIGHT_ISA avx512
#define INKSIGHT_WIDTH 16
#elif defined(__AVX2__)
#define INKSIGHT_ISA avx2
#define INKSIGHT_WIDTH 8
#else
#define INKSIGHT_ISA portable
#define INKSIGHT_WIDTH 4
#endif

namespace inksight {
namespace INKSIGHT_ISA {

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

// The sum over a vector's lanes, halving it until one is left. Elements are named one by one because taking the
// vector's address would drive the accumulators it came from out of their registers.
typedef float Four __attribute__((vector_size(16)));
typedef float Eight __attribute__((vector_size(32)));
inline float sum(Four v) { return (v[0] + v[2]) + (v[1] + v[3]); }
#if INKSIGHT_WIDTH >= 8
inline float sum(Eight v) { return sum(Four{v[0], v[1], v[2], v[3]} + Four{v[4], v[5], v[6], v[7]}); }
#endif
#if INKSIGHT_WIDTH >= 16
inline float sum(Vec v) {
  return sum(Eight{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]} +
             Eight{v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15]});
}
#endif

}  // namespace INKSIGHT_ISA
}  // namespace inksight
