#include "runtime/scratch.h"

#include <new>

namespace inksight {

Buffer make_buffer(long floats) {
  void* p = std::aligned_alloc(64, std::size_t((floats * 4 + 63) / 64 * 64));
  if (!p) throw std::bad_alloc();
  return Buffer(static_cast<float*>(p));
}

float* Scratch::get(long floats) {
  if (size_ < floats) buffer_ = make_buffer(size_ = floats);
  return buffer_.get();
}

}  // namespace inksight
