// The choice of kernels at run time.
#pragma once
#include "runtime/kernels.h"

namespace inksight {

// Return the kernels in use: the fastest that the processor supports, or those chosen by name.
const Kernels& kernels();

// Choose kernels by name. Return false, and change nothing, if the processor or the build lacks them.
bool use_kernels(const char* name);

}  // namespace inksight
