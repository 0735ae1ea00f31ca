// Any picture of one digit -> 28x28 the way MNIST's were made: src/inksight/preparation.py, which says why, in one
// call.
#pragma once
#include <cstdint>

#include "runtime/isa.h"

namespace inksight {

// The constants of preparation.py, as `Constants` of preparer.py lists them.
struct Constants {
  double side, box, centre, working, least, grid, darkest, faint, speck, pale, edge, level, plain, reach, rough;
};

enum Problem : std::int64_t { NONE, BLANK, FAINT, SMALL };

// What was found, as `Found` of preparer.py lists it: the size of `grey` and `ink`, the box, and what else is said.
struct Found {
  std::int64_t height, width, left, top, across, down, dark, contested, problem;
};

namespace INKSIGHT_ISA {

// `picture` (height, width) is brightness 0..1. `invert` is negative if the polarity is to be found. `image` has room
// for side x side bytes; `grey` and `ink` for as many pixels as the picture, at most `working` to a side.
Found prepare(const double* picture, long height, long width, int invert, const Constants& constants,
              std::uint8_t* image, double* grey, double* ink);

}  // namespace INKSIGHT_ISA

}  // namespace inksight
