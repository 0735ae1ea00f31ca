#include "train/batch.h"

#include <algorithm>
#include <cstring>

#include "runtime/dispatch.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"

namespace inksight {

void conv_forward(const Shape& s, int groups, const float* x, const float* w, const float* b, float leak, float* y,
                  std::uint8_t* pool_argmax, float* means) {
  const Kernels& k = kernels();
  float* packed = scratch(Use::PACKED, s.packed());
  k.pack_forward(s, w, packed);
  pool().run(groups, [&](int g) {
    float* y_group = y + g * s.output();
    k.forward(s, x + g * s.input(), packed, b, leak, y_group, pool_argmax ? pool_argmax + g * s.output() : nullptr);
    if (means) k.average(s.filters, s.out_height() * s.out_width(), y_group, means + long(g) * s.filters * LANES);
  });
}

void conv_backward(const Shape& s, int groups, const float* x, const float* w, const float* y,
                   const std::uint8_t* pool_argmax, const float* dy, bool dy_per_position, float leak, float* dx,
                   float* dw, float* db) {
  const Kernels& k = kernels();
  float* packed = dx ? scratch(Use::PACKED, s.packed()) : nullptr;
  if (dx) k.pack_backward(s, w, packed);
  const long size = s.weights() + s.filters;  // floats: the gradients of weights and biases from one group
  const long dy_size = dy_per_position ? s.output() : long(s.filters) * LANES;
  float* gradients = scratch(Use::GROUPS, size * groups);
  pool().run(groups, [&](int g) {
    float* dw_group = gradients + g * size;
    k.backward(s, x + g * s.input(), packed, y + g * s.output(), pool_argmax ? pool_argmax + g * s.output() : nullptr,
               dy + g * dy_size, dy_per_position, leak, dx ? dx + g * s.input() : nullptr, dw_group,
               dw_group + s.weights());
  });
  std::memset(dw, 0, s.weights() * sizeof(float));
  std::memset(db, 0, s.filters * sizeof(float));
  for (int g = 0; g < groups; ++g) {
    const float* dw_group = gradients + g * size;
    for (long i = 0; i < s.weights(); ++i) dw[i] += dw_group[i];
    for (int f = 0; f < s.filters; ++f) db[f] += dw_group[s.weights() + f];
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
