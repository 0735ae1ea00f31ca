// Compiled once for each instruction set. The compiler's flags say which one.
#include "runtime/kernels.h"

#include "conv/block.h"
#include "conv/gradients.h"
#include "conv/single.h"
#include "image/warp.h"
#include "runtime/peak.h"
#include "train/dense.h"
#include "train/orthogonal.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Return the instance of a function template for the kernel size of a shape `s`.
#define FOR_KERNEL_SIZE(function) \
  switch (s.kernel) {             \
    case 1: return function<1>;   \
    case 3: return function<3>;   \
    case 5: return function<5>;   \
    default: return function<7>;  \
  }

static auto forward_for(const Shape& s) -> decltype(&forward<1>) { FOR_KERNEL_SIZE(forward) }
[[maybe_unused]] static auto backward_for(const Shape& s) -> decltype(&backward<1>) { FOR_KERNEL_SIZE(backward) }
static auto pack_forward_for(const Shape& s) -> decltype(&pack_forward<1>) { FOR_KERNEL_SIZE(pack_forward) }
[[maybe_unused]] static auto pack_backward_for(const Shape& s) -> decltype(&pack_backward<1>) { FOR_KERNEL_SIZE(pack_backward) }
static auto pack_single_for(const Shape& s) -> decltype(&pack_single<1>) { FOR_KERNEL_SIZE(pack_single) }
static auto forward_single_for(const Shape& s) -> decltype(&forward_single<1>) { FOR_KERNEL_SIZE(forward_single) }

}  // namespace INKSIGHT_ISA

#define JOIN(a, b) a##b
#define TABLE(isa) JOIN(isa, _kernels)
#define TEXT_OF(isa) #isa
#define TEXT(isa) TEXT_OF(isa)

const Kernels TABLE(INKSIGHT_ISA) = {
    TEXT(INKSIGHT_ISA),
    [](const Shape& s, const float* w, float* packed) { INKSIGHT_ISA::pack_forward_for(s)(s, w, packed); },
    [](const Shape& s, const float* w, float* packed) { INKSIGHT_ISA::pack_backward_for(s)(s, w, packed); },
    [](const Shape& s, const float* x, const float* packed, const float* b, float leak, float* y,
       std::uint8_t* pool_argmax) { INKSIGHT_ISA::forward_for(s)(s, x, packed, b, leak, y, pool_argmax); },
    [](const Shape& s, const float* x, const float* packed, const float* y, const std::uint8_t* pool_argmax,
       const float* dy, bool dy_per_position, float leak, float* dx, float* dw, float* db) {
      INKSIGHT_ISA::backward_for(s)(s, x, packed, y, pool_argmax, dy, dy_per_position, leak, dx, dw, db);
    },
    INKSIGHT_ISA::average,
    INKSIGHT_ISA::padded_filters,
    [](const Shape& s, const float* w, float* packed) { INKSIGHT_ISA::pack_single_for(s)(s, w, packed); },
    [](const Shape& s, const float* x, int pixel_stride, const float* packed, const float* b, float leak, float* y) {
      INKSIGHT_ISA::forward_single_for(s)(s, x, pixel_stride, packed, b, leak, y);
    },
    INKSIGHT_ISA::dense_forward,
    INKSIGHT_ISA::dense_backward,
    INKSIGHT_ISA::warp,
    INKSIGHT_ISA::orthogonalize,
#if defined(__wasm__)
    nullptr,  // a page has no clock for it
#else
    INKSIGHT_ISA::peak,
#endif
    INKSIGHT_ISA::preprocess,
};

}  // namespace inksight
