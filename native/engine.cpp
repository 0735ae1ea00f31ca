#include "engine.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "pool.h"

namespace inksight {

namespace {

// The best kernels this processor has, or those called `wanted`; null if it lacks them.
const Kernels* find(const char* wanted) {
  const auto may = [&](const Kernels& k) { return !wanted || !std::strcmp(wanted, k.name); };
#if defined(__x86_64__)
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx512 && may(avx512_kernels)) return &avx512_kernels;
  if (avx2 && may(avx2_kernels)) return &avx2_kernels;
#endif
  return may(portable_kernels) ? &portable_kernels : nullptr;
}

std::atomic<const Kernels*>& chosen() {
  static std::atomic<const Kernels*> kernels{find(nullptr)};
  return kernels;
}

}  // namespace

Buffer make_buffer(long floats) {
  void* p = std::aligned_alloc(64, std::size_t((floats * 4 + 63) / 64 * 64));
  if (!p) throw std::bad_alloc();
  return Buffer(static_cast<float*>(p));
}

const Kernels& kernels() { return *chosen().load(); }

bool use_kernels(const char* name) {
  const Kernels* found = find(name);
  if (found) chosen() = found;
  return found != nullptr;
}

void conv_forward(const Shape& s, int groups, const float* x, const float* w, const float* b, float leak, float* y,
                  std::uint8_t* won) {
  const Kernels& k = kernels();
  const Buffer packed = make_buffer(s.weights());
  k.pack_forward(s, w, packed.get());
  pool().run(groups, [&](int g) {
    k.forward(s, x + g * s.input(), packed.get(), b, leak, y + g * s.output(), won ? won + g * s.output() : nullptr);
  });
}

void conv_backward(const Shape& s, int groups, const float* x, const float* w, const float* y, const std::uint8_t* won,
                   const float* dy, float leak, float* dx, float* dw, float* db) {
  const Kernels& k = kernels();
  const Buffer packed = make_buffer(s.weights());
  if (dx) k.pack_backward(s, w, packed.get());
  // A group's sums, filters' first: weights() + filters floats each.
  const long part = s.weights() + s.filters;
  static thread_local Scratch all_parts;
  float* parts = all_parts.get(part * groups);
  pool().run(groups, [&](int g) {
    static thread_local Scratch gradient;
    float* dz = gradient.get(s.gradient());
    std::memset(dz, 0, s.gradient() * sizeof(float));
    float* sums = parts + g * part;
    std::memset(sums, 0, part * sizeof(float));
    k.pre_activation(s, y + g * s.output(), won ? won + g * s.output() : nullptr, dy + g * s.output(), leak, dz, sums);
    k.weight_gradient(s, x + g * s.input(), dz, sums + s.filters);
    if (dx) k.input_gradient(s, dz, packed.get(), dx + g * s.input());
  });
  std::memset(db, 0, s.filters * sizeof(float));
  std::memset(dw, 0, s.weights() * sizeof(float));
  for (int g = 0; g < groups; ++g) {
    const float* sums = parts + g * part;
    for (int f = 0; f < s.filters; ++f) db[f] += sums[f];
    for (long i = 0; i < s.weights(); ++i) dw[i] += sums[s.filters + i];
  }
}

void warp_batch(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* affine, int n,
                float mean, float variance, float* out) {
  const int groups = (n + LANES - 1) / LANES;
  pool().run(groups, [&](int g) {
    const int first = g * LANES;
    kernels().warp(images, count, side, rows + first, affine + first * 6, std::min(LANES, n - first), mean, variance,
                   out + long(g) * side * side * LANES);
  });
}

}  // namespace inksight
