// Augmentation: gather images, move each by its affine map, normalise, and lay them out in lanes.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "lanes.h"
#include "scratch.h"
#include "shape.h"

namespace inksight {
namespace INKSIGHT_ISA {

// An image (side, side) with a border of zeros -> for each pixel of it but the last row's and column's, the pixel, its
// right, its lower and its lower right neighbour as the four bytes of an integer: one fetch for a bilinear value.
inline void neighbourhoods(const std::uint8_t* image, int side, std::uint8_t* bordered, std::uint32_t* quads) {
  const int padded = side + 2;
  for (int r = 0; r < side; ++r)
    for (int c = 0; c < side; ++c) bordered[(r + 1) * padded + c + 1] = image[r * side + c];
  const std::uint8_t* below = bordered + padded;
  for (int i = 0; i < padded * (side + 1) - 1; ++i)
    quads[i] = bordered[i] | bordered[i + 1] << 8 | below[i] << 16 | std::uint32_t(below[i + 1]) << 24;
}

// One lane group. `rows` says which of the `count` images; lanes from n on are left as an image of zeros would be.
// `affine` is (n, 2, 3): from (row, column) of a result's pixel, counted from the centre, to where it is read from.
inline void warp(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* affine, int n,
                 float mean, float variance, float* out) {
  static thread_local Scratch scratch[2];
  const int padded = side + 2, pixels = side * side, entries = padded * (side + 1);
  auto* quads = reinterpret_cast<std::uint32_t*>(scratch[0].get(long(entries) * LANES));
  auto* bordered = reinterpret_cast<std::uint8_t*>(scratch[1].get(padded * padded / 4 + 1));
  std::memset(bordered, 0, padded * padded);
  float map[6][LANES] = {};
  const float centre = (side - 1) * 0.5f;
  for (int lane = 0; lane < LANES; ++lane) {
    if (lane >= n) {
      std::memset(quads + long(lane) * entries, 0, entries * sizeof *quads);
      continue;
    }
    neighbourhoods(images + std::clamp<long>(rows[lane], 0, count - 1) * pixels, side, bordered, quads + long(lane) * entries);
    for (int i = 0; i < 6; ++i) map[i][lane] = affine[lane * 6 + i] + (i % 3 == 2 ? centre + 1 : 0);
  }
  const float scale = 1 / (255 * std::sqrt(variance)), offset = -mean / std::sqrt(variance);
  const Vec limit = broadcast(float(side + 1));
  const auto byte = [](Mask quad, int i) { return __builtin_convertvector(quad >> 8 * i & 255, Vec); };
  for (int slice = 0; slice < LANES; slice += WIDTH) {
    Vec m[6];
    Mask start;
    for (int i = 0; i < 6; ++i) m[i] = load_any(map[i] + slice);
    for (int lane = 0; lane < WIDTH; ++lane) start[lane] = (slice + lane) * entries;
    for (int r = 0; r < side; ++r)
      for (int c = 0; c < side; ++c) {
        // Where the lanes' pixel is read from in the bordered images, whose zeros stand for everything outside.
        const float down = float(r) - centre, across = float(c) - centre;
        Vec y = m[0] * down + m[1] * across + m[2], x = m[3] * down + m[4] * across + m[5];
        const Mask inside = (y > 0) & (x > 0) & (y < limit) & (x < limit);
        y = inside ? y : Vec{};
        x = inside ? x : Vec{};
        const Mask top = __builtin_convertvector(y, Mask), left = __builtin_convertvector(x, Mask);
        const Mask quad = gather(quads, start + top * padded + left);
        const Vec dy = y - __builtin_convertvector(top, Vec), dx = x - __builtin_convertvector(left, Vec);
        const Vec upper = byte(quad, 0) + (byte(quad, 1) - byte(quad, 0)) * dx;
        const Vec lower = byte(quad, 2) + (byte(quad, 3) - byte(quad, 2)) * dx;
        store(out + (long(r) * side + c) * LANES + slice, (upper + (lower - upper) * dy) * scale + offset);
      }
  }
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
