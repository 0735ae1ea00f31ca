// The operations on whole batches: lane groups shared out among threads.
#pragma once
#include <cstdlib>
#include <memory>

#include "kernels.h"

namespace inksight {

// Floats on a boundary that every vector may be loaded from.
struct Free {
  void operator()(float* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<float[], Free>;
Buffer make_buffer(long floats);

// Room that a thread keeps between calls: fresh memory costs a page fault every few thousand bytes.
class Scratch {
 public:
  float* get(long floats) {
    if (size_ < floats) buffer_ = make_buffer(size_ = floats);
    return buffer_.get();
  }

 private:
  Buffer buffer_;
  long size_ = 0;
};

// The kernels in use: the best the processor has, unless others were asked for by name.
const Kernels& kernels();
bool use_kernels(const char* name);  // false, and nothing changes, if the processor lacks them

void conv_forward(const Shape&, int groups, const float* x, const float* w, const float* b, float leak, float* y,
                  std::uint8_t* won);
// dx may be null. Sums over groups are taken in their order, whatever the number of threads.
void conv_backward(const Shape&, int groups, const float* x, const float* w, const float* y, const std::uint8_t* won,
                   const float* dy, float leak, float* dx, float* dw, float* db);
void warp_batch(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* affine, int n,
                float mean, float variance, float* out);

}  // namespace inksight
