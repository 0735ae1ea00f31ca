// The array sizes that every part of the engine shares.
#pragma once

namespace inksight {

constexpr int LANES = 16;  // images: a lane group, and the length of the last axis of a batch
constexpr int KNOTS = 5;   // control points: along each side of the lattice that moves an image, see image/warp.h

}  // namespace inksight
