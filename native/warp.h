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
  const Vec limit = broadcast(float(side + 1));
  Vec columns;
  for (int i = 0; i < WIDTH; ++i) columns[i] = float(i);
  source.assign(long(padded) * padded, 0.0f);
  moved.assign(long(pixels) * LANES, offset);
  for (int lane = 0; lane < n; ++lane) {
    const std::uint8_t* image = images + std::clamp<long>(rows[lane], 0, count - 1) * pixels;
    for (int r = 0; r < side; ++r)
      for (int c = 0; c < side; ++c) source[(r + 1) * padded + c + 1] = image[r * side + c];
    const float *m = affine + lane * 6, *from = source.data();
    float* to = moved.data() + long(lane) * pixels;
    for (int r = 0; r < side; ++r)
      for (int c = 0; c < side; c += WIDTH) {
        // Where WIDTH neighbouring columns of the result are read from, in the padded image, whose border of zeros
        // stands for everything outside.
        const Vec down = broadcast(r - centre), across = columns + broadcast(c - centre);
        Vec y = m[0] * down + m[1] * across + (m[2] + centre + 1), x = m[3] * down + m[4] * across + (m[5] + centre + 1);
        const Mask inside = (y > 0) & (x > 0) & (y < limit) & (x < limit);
        y = inside ? y : Vec{};
        x = inside ? x : Vec{};
        const Mask top = __builtin_convertvector(y, Mask), left = __builtin_convertvector(x, Mask);
        const Mask at = top * padded + left;
        float corner[4][WIDTH];
        for (int l = 0; l < WIDTH; ++l) {
          const float* pixel = from + at[l];
          corner[0][l] = pixel[0];
          corner[1][l] = pixel[1];
          corner[2][l] = pixel[padded];
          corner[3][l] = pixel[padded + 1];
        }
        const Vec dy = y - __builtin_convertvector(top, Vec), dx = x - __builtin_convertvector(left, Vec);
        const Vec upper = load_any(corner[0]) * (1 - dx) + load_any(corner[1]) * dx;
        const Vec lower = load_any(corner[2]) * (1 - dx) + load_any(corner[3]) * dx;
        const Vec value = (upper * (1 - dy) + lower * dy) * scale + offset;
        const int count = std::min(WIDTH, side - c);
        std::memcpy(to, &value, sizeof(float) * count);
        to += count;
      }
  }
  for (int p = 0; p < pixels; ++p)
    for (int lane = 0; lane < LANES; ++lane) out[long(p) * LANES + lane] = moved[long(lane) * pixels + p];
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
