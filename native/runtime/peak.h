// The machine's limit: how many multiply-adds a core does when nothing has to come from memory.
#pragma once
#include <chrono>

#include "conv/transforms.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Multiply-adds a second of one core, on registers alone.
inline double peak(long repeats) {
  constexpr int CHAINS = 12;  // latency times units, and to spare
  Vec acc[CHAINS], a = broadcast(1.000001f), b = broadcast(-1e-7f);
  EACH(i, CHAINS) acc[i] = broadcast(float(i));
  const auto begin = std::chrono::steady_clock::now();
  for (long n = 0; n < repeats; ++n) {
    EACH(i, CHAINS) acc[i] = acc[i] * a + b;
    asm volatile("" ::: "memory");  // every round is done: the compiler may not fold them
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  Vec total{};
  EACH(i, CHAINS) total += acc[i];
  volatile float keep = sum(total);
  (void)keep;
  return double(CHAINS) * WIDTH * repeats / took.count();
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
