#include "runtime/scratch.h"

#include <new>
#if defined(_WIN32)
#include <windows.h>
#elif !defined(__wasm__)
#include <pthread.h>
#endif

namespace inksight {

namespace {

struct Memory {
  struct {
    Buffer buffer;
    long size = 0;
  } buffers[int(Use::COUNT)];
  Object object{nullptr, nullptr};
};

#if defined(__wasm__)
Memory& memory() {
  static Memory* const only = new Memory;  // WebAssembly has one thread here, and never ends it
  return *only;
}
#else
// A key and not `thread_local`: glibc allocates thread-local variables of a loaded library at their first use, and ends
// the process if that fails.
#if defined(_WIN32)
const DWORD key = FlsAlloc([](void* memory) { delete static_cast<Memory*>(memory); });
const bool has_key = key != FLS_OUT_OF_INDEXES;
void* kept_memory() { return FlsGetValue(key); }
bool keep(Memory* memory) { return FlsSetValue(key, memory); }
#else
pthread_key_t key;
const bool has_key = pthread_key_create(&key, [](void* memory) { delete static_cast<Memory*>(memory); }) == 0;
void* kept_memory() { return pthread_getspecific(key); }
bool keep(Memory* memory) { return pthread_setspecific(key, memory) == 0; }
#endif

Memory& memory() {
  if (!has_key) throw std::bad_alloc();
  if (void* kept = kept_memory()) return *static_cast<Memory*>(kept);
  auto made = std::make_unique<Memory>();
  if (!keep(made.get())) throw std::bad_alloc();
  return *made.release();
}
#endif

}  // namespace

Buffer make_buffer(long floats) {
  const std::size_t bytes = (std::size_t(floats) * 4 + 63) / 64 * 64;
#if defined(_WIN32)
  void* p = _aligned_malloc(bytes, 64);
#else
  void* p = std::aligned_alloc(64, bytes);
#endif
  if (!p) throw std::bad_alloc();
  return Buffer(static_cast<float*>(p));
}

float* scratch(Use use, long floats) {
  auto& [buffer, size] = memory().buffers[int(use)];
  if (size < floats) {
    buffer = make_buffer(floats);
    size = floats;
  }
  return buffer.get();
}

Object& kept_object() { return memory().object; }

}  // namespace inksight
