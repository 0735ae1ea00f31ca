// A dense layer of one lane group, and its gradients. Arrays of a group are [unit][lane].
#pragma once
#include <algorithm>

#include "conv/correlate.h"
#include "runtime/lanes.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Compute y = w^T x + b. `w` is (inputs, units).
inline void dense_forward(int inputs, int units, const float* x, const float* w, const float* b, float* y) {
  constexpr int BLOCK = 8;  // units summed together: enough chains of additions to hide their latency
  for (int u = 0; u < units; u += BLOCK)
    with_constant<BLOCK>(std::min(BLOCK, units - u), [&](auto count) {
      constexpr int N = decltype(count)::value;
      for (int slice = 0; slice < LANES; slice += WIDTH) {
        Vec total[N];
        UNROLL(n, N) total[n] = broadcast(b[u + n]);
        for (int i = 0; i < inputs; ++i) {
          const Vec input = load(x + long(i) * LANES + slice);
          UNROLL(n, N) total[n] += input * w[long(i) * units + u + n];
        }
        UNROLL(n, N) store(y + long(u + n) * LANES + slice, total[n]);
      }
    });
}

// Add the gradients of the weights and biases to dw and db, and write that of the input to dx.
inline void dense_backward(int inputs, int units, const float* x, const float* w, const float* dy, float* dx, float* dw,
                           float* db) {
  // Calls fn(number of units, first unit) for a vector of units at a time.
  const auto for_each_block = [&](auto fn) {
    for (int u = 0; u < units; u += WIDTH) with_constant<WIDTH>(std::min(WIDTH, units - u), [&](auto n) { fn(n, u); });
  };
  for (int i = 0; i < inputs; ++i) {
    const float* row = w + long(i) * units;
    for (int slice = 0; slice < LANES; slice += WIDTH) {
      Vec total{};
      for (int u = 0; u < units; ++u) total += load(dy + long(u) * LANES + slice) * row[u];
      store(dx + long(i) * LANES + slice, total);
    }
    for_each_block([&](auto count, int u) {
      constexpr int N = decltype(count)::value;
      Vec products[N] = {};
      UNROLL(n, N)
        UNROLL(slice, LANES / WIDTH)
          products[n] += load(x + long(i) * LANES + slice * WIDTH) * load(dy + long(u + n) * LANES + slice * WIDTH);
      const Vec sums = lane_sums(products);
      UNROLL(n, N) dw[long(i) * units + u + n] += sums[n];
    });
  }
  for_each_block([&](auto count, int u) {
    constexpr int N = decltype(count)::value;
    Vec totals[N] = {};
    UNROLL(n, N) UNROLL(slice, LANES / WIDTH) totals[n] += load(dy + long(u + n) * LANES + slice * WIDTH);
    const Vec sums = lane_sums(totals);
    UNROLL(n, N) db[u + n] += sums[n];
  });
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
