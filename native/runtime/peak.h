// The processor's limit: multiply-adds per second of one core when all operands are in registers.
#pragma once
#include <chrono>

#include "runtime/lanes.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Measure multiply-adds per second.
inline double peak(long repeats) {
  constexpr int CHAINS = 12;  // independent accumulators: more than latency times units needs
  Vec acc[CHAINS], a = broadcast(1.000001f), b = broadcast(-1e-7f);
  UNROLL(i, CHAINS) acc[i] = broadcast(float(i));
  const auto begin = std::chrono::steady_clock::now();
  for (long n = 0; n < repeats; ++n) {
    UNROLL(i, CHAINS) acc[i] = acc[i] * a + b;
    asm volatile("" ::: "memory");  // keeps the compiler from merging rounds
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  Vec total{};
  UNROLL(i, CHAINS) total += acc[i];
  volatile float keep = lane_sum(total);
  (void)keep;
  return double(CHAINS) * WIDTH * repeats / seconds.count();
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
