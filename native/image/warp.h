// Augmentation: gathers images, warps each by its lattice, normalizes them, and lays them out in lanes.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "runtime/lanes.h"
#include "runtime/layout.h"
#include "runtime/scratch.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Add a border of zeros to an image (side, side). Then pack each pixel, except in the last row and column, with its
// right, lower and lower right neighbours into the four bytes of an integer: bilinear interpolation needs only one
// fetch.
inline void pack_neighbours(const std::uint8_t* image, int side, std::uint8_t* bordered, std::uint32_t* quads) {
  const int padded = side + 2;
  for (int r = 0; r < side; ++r)
    for (int c = 0; c < side; ++c) bordered[(r + 1) * padded + c + 1] = image[r * side + c];
  const std::uint8_t* below = bordered + padded;
  for (int i = 0; i < padded * (side + 1) - 1; ++i)
    quads[i] = bordered[i] | bordered[i + 1] << 8 | below[i] << 16 | std::uint32_t(below[i + 1]) << 24;
}

// Warp one lane group. `rows` lists the n images to take out of `count`. Lanes from n on get an image of zeros,
// normalized like the others. `lattice` is (n, 2, KNOTS, KNOTS): for knots spread evenly over the result, from corner
// to corner, the row and the column to read from, in pixels from the center of the image. Between knots both are
// interpolated linearly.
inline void warp(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* lattice,
                 int n, float mean, float variance, float* out) {
  const int padded = side + 2, pixels = side * side, entries = padded * (side + 1);
  auto* quads = reinterpret_cast<std::uint32_t*>(scratch(Use::IMAGES, long(entries) * LANES));
  auto* bordered = reinterpret_cast<std::uint8_t*>(scratch(Use::IMAGE, padded * padded / 4 + 1));
  std::memset(bordered, 0, padded * padded);
  constexpr int NUMBERS = 2 * KNOTS * KNOTS;
  alignas(64) float knots[NUMBERS][LANES] = {};  // rows and columns of the image with its border
  const float center = (side - 1) * 0.5f;
  for (int lane = 0; lane < LANES; ++lane) {
    if (lane >= n) {
      std::memset(quads + long(lane) * entries, 0, entries * sizeof *quads);
      continue;
    }
    pack_neighbours(images + std::clamp<long>(rows[lane], 0, count - 1) * pixels, side, bordered,
                    quads + long(lane) * entries);
    for (int i = 0; i < NUMBERS; ++i) knots[i][lane] = lattice[lane * NUMBERS + i] + (center + 1);
  }
  const float scale = 1 / (255 * std::sqrt(variance)), offset = -mean / std::sqrt(variance);
  const float knots_per_pixel = float(KNOTS - 1) / float(std::max(side - 1, 1));
  const Vec limit = broadcast(float(side + 1));
  const auto byte = [](Mask quad, int i) { return __builtin_convertvector(quad >> 8 * i & 255, Vec); };
  for (int slice = 0; slice < LANES; slice += WIDTH) {
    Mask start;
    for (int lane = 0; lane < WIDTH; ++lane) start[lane] = (slice + lane) * entries;
    for (int r = 0; r < side; ++r) {
      // Interpolate the lattice to knots on this row.
      const float knot_y = knots_per_pixel * float(r);
      const int knot_above = std::min(int(knot_y), KNOTS - 2);
      Vec row[2][KNOTS], slope[2][KNOTS - 1];
      UNROLL(i, 2)
        UNROLL(k, KNOTS) {
          const float* knot = knots[(i * KNOTS + knot_above) * KNOTS + k] + slice;
          const Vec upper = load(knot), lower = load(knot + KNOTS * LANES);
          row[i][k] = upper + (lower - upper) * (knot_y - float(knot_above));
        }
      UNROLL(i, 2) UNROLL(k, KNOTS - 1) slope[i][k] = row[i][k + 1] - row[i][k];
      for (int c = 0; c < side; ++c) {
        // Interpolate the place that each lane reads its pixel from. The border's zeros stand for everything outside.
        const float knot_x = knots_per_pixel * float(c);
        const int knot_left = std::min(int(knot_x), KNOTS - 2);
        const float weight = knot_x - float(knot_left);
        Vec y = row[0][knot_left] + slope[0][knot_left] * weight, x = row[1][knot_left] + slope[1][knot_left] * weight;
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
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
