// Memory that each thread keeps between calls. Fresh memory would cost one page fault for every few thousand bytes.
#pragma once
#include <cstdlib>
#include <memory>
#if defined(_WIN32)
#include <malloc.h>
#endif

namespace inksight {

struct Free {
  void operator()(float* p) const {
#if defined(_WIN32)
    _aligned_free(p);
#else
    std::free(p);
#endif
  }
};
using Buffer = std::unique_ptr<float[], Free>;

// Allocate memory aligned for every vector type.
Buffer make_buffer(long floats);

// What a thread's buffers are used for. Functions that call one another must not share a use.
enum class Use {
  POINTS,           // a kernel's input at the interpolation points
  SUMS,             // a kernel's sums of products
  GRADIENT,         // the gradient at the interpolation points
  WEIGHT_GRADIENT,  // the sums for the gradient of the weights
  GROUPS,           // the gradient of a bank's weights from one lane group
  ACTIVATIONS,      // all stages of a lane group in training
  STAGE,            // a stage of a network, or its gradient,
  NEXT_STAGE,       // and the one computed from it
  BARCODE,          // the means of the last bank
  HEAD,             // the dense layers, and their gradients
  IMAGES,           // the images of a lane group, packed for interpolation
  IMAGE,            // one of them with its border
  MATRICES,         // the matrices of an orthogonalization
  COUNT
};

// Return this thread's buffer for a use, with room for at least `floats` numbers. Its content is undefined.
float* scratch(Use use, long floats);

using Object = std::unique_ptr<void, void (*)(void*)>;
Object& kept_object();

// Return this thread's object of class T, made by its first call. A thread keeps only one: an object of another class
// (the same code for another instruction set) is replaced.
template <class T>
T& kept() {
  constexpr void (*destroy)(void*) = [](void* object) { delete static_cast<T*>(object); };
  Object& object = kept_object();
  if (object.get_deleter() != destroy) object = Object(new T, destroy);
  return *static_cast<T*>(object.get());
}

}  // namespace inksight
