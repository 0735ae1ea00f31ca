// Compiled once for each instruction set; what it may use is the compiler's flags' business.
#include "kernels.h"

#include "conv.h"
#include "peak.h"
#include "single.h"
#include "warp.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Call a function template for the kernel's side.
#define FOR_KERNEL(call)           \
  switch (s.kernel) {              \
    case 1: return call<1>;        \
    case 3: return call<3>;        \
    case 5: return call<5>;        \
    default: return call<7>;       \
  }

static auto forward_of(const Shape& s) -> decltype(&forward<1>) { FOR_KERNEL(forward) }
static auto weight_gradient_of(const Shape& s) -> decltype(&weight_gradient<1>) { FOR_KERNEL(weight_gradient) }
static auto input_gradient_of(const Shape& s) -> decltype(&input_gradient<1>) { FOR_KERNEL(input_gradient) }

}  // namespace INKSIGHT_ISA

#define JOIN(a, b) a##b
#define NAME(isa) JOIN(isa, _kernels)
#define TEXT_OF(isa) #isa
#define TEXT(isa) TEXT_OF(isa)

const Kernels NAME(INKSIGHT_ISA) = {
    TEXT(INKSIGHT_ISA),
    INKSIGHT_ISA::pack_forward,
    INKSIGHT_ISA::pack_backward,
    [](const Shape& s, const float* x, const float* packed, const float* b, float leak, float* y, std::uint8_t* won) {
      INKSIGHT_ISA::forward_of(s)(s, x, packed, b, leak, y, won);
    },
    INKSIGHT_ISA::pack_single,
    INKSIGHT_ISA::single,
    INKSIGHT_ISA::pre_activation,
    [](const Shape& s, const float* x, const float* dz, float* dw) {
      INKSIGHT_ISA::weight_gradient_of(s)(s, x, dz, dw);
    },
    [](const Shape& s, const float* dz, const float* packed, float* dx) {
      INKSIGHT_ISA::input_gradient_of(s)(s, dz, packed, dx);
    },
    INKSIGHT_ISA::warp,
    INKSIGHT_ISA::peak,
};

}  // namespace inksight
