// Memory aligned for every vector type.
#pragma once
#include <cstdlib>
#include <memory>

namespace inksight {

struct Free {
  void operator()(float* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<float[], Free>;
Buffer make_buffer(long floats);

// Memory that a thread keeps between calls. Fresh memory would cost one page fault for every few thousand bytes.
class Scratch {
 public:
  float* get(long floats);

 private:
  Buffer buffer_;
  long size_ = 0;
};

}  // namespace inksight
