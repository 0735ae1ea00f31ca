// Memory on a boundary that every vector may be loaded from.
#pragma once
#include <cstdlib>
#include <memory>

namespace inksight {

struct Free {
  void operator()(float* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<float[], Free>;
Buffer make_buffer(long floats);

// Room that a thread keeps between calls: fresh memory costs a page fault every few thousand bytes.
class Scratch {
 public:
  float* get(long floats);

 private:
  Buffer buffer_;
  long size_ = 0;
};

}  // namespace inksight
