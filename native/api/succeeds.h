// Errors at the border to C.
#pragma once
#include <new>

namespace inksight {

// Run `work`. Return 0 if memory runs out, else 1: no exception may reach C.
template <class Work>
int succeeds(const Work& work) noexcept {
  try {
    work();
    return 1;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

}  // namespace inksight
