// Augmentation: gather images, move each by its affine map, normalise, and lay them out in lanes.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "lanes.h"

namespace inksight {
namespace INKSIGHT_ISA {

// One lane group. `rows` says which of the `count` images; lanes from n on are left as an image of zeros would be.
// `affine` is (n, 2, 3): from (row, column) of a result's pixel, counted from the centre, to where it is read from.
inline void warp(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* affine, int n,
                 float mean, float variance, float* out) {
  const int padded = side + 2, pixels = side * side;
  const float centre = (side - 1) * 0.5f, scale = 1 / (255 * std::sqrt(variance)), offset = -mean / std::sqrt(variance);
  static thread_local std::vector<float> source, moved;
  source.assign(long(padded) * padded, 0.0f);
  moved.assign(long(pixels) * LANES, offset);
  for (int lane = 0; lane < n; ++lane) {
    const std::uint8_t* image = images + std::clamp<long>(rows[lane], 0, count - 1) * pixels;
    for (int r = 0; r < side; ++r)
      for (int c = 0; c < side; ++c) source[(r + 1) * padded + c + 1] = image[r * side + c];
    const float* m = affine + lane * 6;
    const float* from = source.data();
    float* to = moved.data() + long(lane) * pixels;
    for (int r = 0; r < side; ++r, to += side) {
      const float down = r - centre;
      for (int c = 0; c < side; ++c) {
        const float across = c - centre;
        // Into the padded image, whose border of zeros stands for everything outside.
        float y = m[0] * down + m[1] * across + m[2] + centre + 1, x = m[3] * down + m[4] * across + m[5] + centre + 1;
        const bool inside = y > 0 && x > 0 && y < side + 1 && x < side + 1;
        y = inside ? y : 0.0f;
        x = inside ? x : 0.0f;
        const int top = int(y), left = int(x), at = top * padded + left;
        const float dy = y - float(top), dx = x - float(left);
        const float upper = from[at] * (1 - dx) + from[at + 1] * dx;
        const float lower = from[at + padded] * (1 - dx) + from[at + padded + 1] * dx;
        to[c] = (upper * (1 - dy) + lower * dy) * scale + offset;
      }
    }
  }
  for (int p = 0; p < pixels; ++p)
    for (int lane = 0; lane < LANES; ++lane) out[long(p) * LANES + lane] = moved[long(lane) * pixels + p];
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
