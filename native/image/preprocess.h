// Preprocessing of a picture of one digit to the form of MNIST's images: src/inksight/imaging/preprocessing.py, which
// defines and explains the steps, in one call.
#pragma once
#include <cstdint>

#include "api/inksight.h"
#include "runtime/isa.h"

namespace inksight {

using Constants = inksight_constants;
using Found = inksight_found;

namespace INKSIGHT_ISA {

// Preprocess a picture: see inksight_preprocess in api/inksight.h.
Found preprocess(const double* picture, long height, long width, int invert, const Constants& constants,
                 std::uint8_t* image, double* gray, double* ink);

}  // namespace INKSIGHT_ISA

}  // namespace inksight
