#include "runtime/scratch.h"

#include <pthread.h>

#include <new>

namespace inksight {

namespace {

struct Memory {
  struct {
    Buffer buffer;
    long size = 0;
  } buffers[int(Use::COUNT)];
  Object object{nullptr, nullptr};
};

// A key and not `thread_local`: glibc allocates thread-local variables of a loaded library at their first use, and ends
// the process if that fails.
pthread_key_t key;
const bool has_key = pthread_key_create(&key, [](void* memory) { delete static_cast<Memory*>(memory); }) == 0;

Memory& memory() {
  if (!has_key) throw std::bad_alloc();
  if (void* kept = pthread_getspecific(key)) return *static_cast<Memory*>(kept);
  auto made = std::make_unique<Memory>();
  if (pthread_setspecific(key, made.get()) != 0) throw std::bad_alloc();
  return *made.release();
}

}  // namespace

Buffer make_buffer(long floats) {
  void* p = std::aligned_alloc(64, std::size_t((floats * 4 + 63) / 64 * 64));
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
