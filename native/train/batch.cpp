#include "train/batch.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "runtime/pool.h"
#include "runtime/scratch.h"

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

const Kernels& kernels() { return *chosen().load(); }

bool use_kernels(const char* name) {
  const Kernels* found = find(name);
  if (found) chosen() = found;
  return found != nullptr;
}

void conv_forward(const Shape& s, int groups, const float* x, const float* w, const float* b, float leak, float* y,
                  std::uint8_t* won, float* means) {
  const Kernels& k = kernels();
  static thread_local Scratch scratch;
  float* packed = scratch.get(s.packed());
  k.pack_forward(s, w, packed);
  pool().run(groups, [&](int g) {
    float* here = y + g * s.output();
    k.forward(s, x + g * s.input(), packed, b, leak, here, won ? won + g * s.output() : nullptr);
    if (means) k.average(s.filters, s.out_height() * s.out_width(), here, means + long(g) * s.filters * LANES);
  });
}

void conv_backward(const Shape& s, int groups, const float* x, const float* w, const float* y, const std::uint8_t* won,
                   const float* dy, bool whole, float leak, float* dx, float* dw, float* db) {
  const Kernels& k = kernels();
  static thread_local Scratch scratch[2];
  float* packed = dx ? scratch[0].get(s.packed()) : nullptr;
  if (dx) k.pack_backward(s, w, packed);
  // A group's gradients of weights and biases.
  const long part = s.weights() + s.filters;
  float* parts = scratch[1].get(part * groups);
  pool().run(groups, [&](int g) {
    float* dw_here = parts + g * part;
    k.backward(s, x + g * s.input(), packed, y + g * s.output(), won ? won + g * s.output() : nullptr,
               dy + g * (whole ? s.output() : long(s.filters) * LANES), whole, leak, dx ? dx + g * s.input() : nullptr,
               dw_here, dw_here + s.weights());
  });
  std::memset(dw, 0, s.weights() * sizeof(float));
  std::memset(db, 0, s.filters * sizeof(float));
  for (int g = 0; g < groups; ++g) {
    const float* from = parts + g * part;
    for (long i = 0; i < s.weights(); ++i) dw[i] += from[i];
    for (int f = 0; f < s.filters; ++f) db[f] += from[s.weights() + f];
  }
}

void warp_batch(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* lattice, int n,
                float mean, float variance, float* out) {
  const int groups = (n + LANES - 1) / LANES;
  pool().run(groups, [&](int g) {
    const int first = g * LANES;
    kernels().warp(images, count, side, rows + first, lattice + long(first) * 2 * KNOTS * KNOTS,
                   std::min(LANES, n - first), mean, variance, out + long(g) * side * side * LANES);
  });
}

}  // namespace inksight
