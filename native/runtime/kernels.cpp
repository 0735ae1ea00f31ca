// Compiled once for each instruction set; what it may use is the compiler's flags' business.
#include "runtime/kernels.h"

#include "conv/block.h"
#include "conv/single.h"
#include "image/warp.h"
#include "runtime/peak.h"
#include "train/orthogonal.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Call a function template for the kernel's side.
#define FOR_KERNEL(call)     \
  switch (s.kernel) {        \
    case 1: return call<1>;  \
    case 3: return call<3>;  \
    case 5: return call<5>;  \
    default: return call<7>; \
  }

static auto forward_of(const Shape& s) -> decltype(&forward<1>) { FOR_KERNEL(forward) }
static auto backward_of(const Shape& s) -> decltype(&backward<1>) { FOR_KERNEL(backward) }
static auto pack_forward_of(const Shape& s) -> decltype(&pack_forward<1>) { FOR_KERNEL(pack_forward) }
static auto pack_backward_of(const Shape& s) -> decltype(&pack_backward<1>) { FOR_KERNEL(pack_backward) }
static auto pack_single_of(const Shape& s) -> decltype(&pack_single<1>) { FOR_KERNEL(pack_single) }
static auto single_of(const Shape& s) -> decltype(&single<1>) { FOR_KERNEL(single) }

}  // namespace INKSIGHT_ISA

#define JOIN(a, b) a##b
#define NAME(isa) JOIN(isa, _kernels)
#define TEXT_OF(isa) #isa
#define TEXT(isa) TEXT_OF(isa)

const Kernels NAME(INKSIGHT_ISA) = {
    TEXT(INKSIGHT_ISA),
    [](const Shape& s, const float* w, float* packed) { INKSIGHT_ISA::pack_forward_of(s)(s, w, packed); },
    [](const Shape& s, const float* w, float* packed) { INKSIGHT_ISA::pack_backward_of(s)(s, w, packed); },
    [](const Shape& s, const float* x, const float* packed, const float* b, float leak, float* y, std::uint8_t* won) {
      INKSIGHT_ISA::forward_of(s)(s, x, packed, b, leak, y, won);
    },
    [](const Shape& s, const float* x, const float* packed, const float* y, const std::uint8_t* won, const float* dy,
       bool whole, float leak, float* dx, float* dw,
       float* db) { INKSIGHT_ISA::backward_of(s)(s, x, packed, y, won, dy, whole, leak, dx, dw, db); },
    INKSIGHT_ISA::average,
    INKSIGHT_ISA::padded,
    [](const Shape& s, const float* w, float* packed) { INKSIGHT_ISA::pack_single_of(s)(s, w, packed); },
    [](const Shape& s, const float* x, int pixel, const float* packed, const float* b, float leak, float* y) {
      INKSIGHT_ISA::single_of(s)(s, x, pixel, packed, b, leak, y);
    },
    INKSIGHT_ISA::warp,
    INKSIGHT_ISA::orthogonalize,
    INKSIGHT_ISA::peak,
    INKSIGHT_ISA::prepare,
};

}  // namespace inksight
