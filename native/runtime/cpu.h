// What an x86-64 processor and its operating system support. Not by __builtin_cpu_supports, whose table some compilers'
// run-time libraries leave empty.
#pragma once
#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>

namespace inksight {

struct Cpu {
  bool avx2, avx512;  // with all the extensions that the kernels of this name are compiled for
};

inline Cpu examine_cpu() {
  constexpr unsigned FMA = 1u << 12, OSXSAVE = 1u << 27;  // leaf 1, ecx
  constexpr unsigned AVX2 = 1u << 5, F = 1u << 16, DQ = 1u << 17, BW = 1u << 30, VL = 1u << 31;  // leaf 7, ebx
  constexpr unsigned YMM = 0x6, ZMM = 0xe6;  // registers that the operating system saves: bits of XCR0
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & (FMA | OSXSAVE)) != (FMA | OSXSAVE)) return {false, false};
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return {false, false};
  std::uint32_t saved, high;
  asm("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  const auto all = [](unsigned value, unsigned bits) { return (value & bits) == bits; };
  const bool avx2 = all(saved, YMM) && all(ebx, AVX2);
  return {avx2, avx2 && all(saved, ZMM) && all(ebx, F | DQ | BW | VL)};
}

}  // namespace inksight
#endif
