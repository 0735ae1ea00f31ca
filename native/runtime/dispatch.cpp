#include "runtime/dispatch.h"

#include <atomic>
#include <cstring>

#include "runtime/cpu.h"

namespace inksight {

namespace {

// Return the fastest kernels that this processor supports, or null if there are none. If `name` is not null, only
// kernels of that name count.
const Kernels* find(const char* name) {
  const auto matches = [&](const Kernels& k) { return !name || !std::strcmp(name, k.name); };
#if defined(__x86_64__) && !defined(INKSIGHT_PORTABLE)
  const Cpu cpu = examine_cpu();
  if (cpu.avx512 && matches(avx512_kernels)) return &avx512_kernels;
  if (cpu.avx2 && matches(avx2_kernels)) return &avx2_kernels;
#endif
#if defined(__aarch64__)
  const Kernels& baseline = neon_kernels;  // every AArch64 processor has it
#else
  const Kernels& baseline = portable_kernels;
#endif
  return matches(baseline) ? &baseline : nullptr;
}

// Null until the first use. A static variable of a function would need a lock, which a forked child could find locked.
std::atomic<const Kernels*> current{nullptr};

}  // namespace

const Kernels& kernels() {
  const Kernels* none = nullptr;
  if (!current.load()) current.compare_exchange_strong(none, find(nullptr));
  return *current.load();
}

bool use_kernels(const char* name) {
  const Kernels* match = find(name);
  if (match) current = match;
  return match != nullptr;
}

}  // namespace inksight
