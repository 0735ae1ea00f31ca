// Augmentation: gather images, move each as its lattice says, normalise, and lay them out in lanes.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "conv/shape.h"
#include "runtime/lanes.h"
#include "runtime/scratch.h"

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
// `lattice` is (n, 2, KNOTS, KNOTS): for knots spread evenly from corner to corner of the result, row and column,
// counted from the image's centre, that they are read from; between knots these are interpolated.
inline void warp(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* lattice,
                 int n, float mean, float variance, float* out) {
  static thread_local Scratch scratch[2];
  const int padded = side + 2, pixels = side * side, entries = padded * (side + 1);
  auto* quads = reinterpret_cast<std::uint32_t*>(scratch[0].get(long(entries) * LANES));
  auto* bordered = reinterpret_cast<std::uint8_t*>(scratch[1].get(padded * padded / 4 + 1));
  std::memset(bordered, 0, padded * padded);
  constexpr int NUMBERS = 2 * KNOTS * KNOTS;
  alignas(64) float read_from[NUMBERS][LANES] = {};  // in the bordered image
  const float centre = (side - 1) * 0.5f;
  for (int lane = 0; lane < LANES; ++lane) {
    if (lane >= n) {
      std::memset(quads + long(lane) * entries, 0, entries * sizeof *quads);
      continue;
    }
    neighbourhoods(images + std::clamp<long>(rows[lane], 0, count - 1) * pixels, side, bordered,
                   quads + long(lane) * entries);
    for (int i = 0; i < NUMBERS; ++i) read_from[i][lane] = lattice[lane * NUMBERS + i] + (centre + 1);
  }
  const float scale = 1 / (255 * std::sqrt(variance)), offset = -mean / std::sqrt(variance);
  const float knots_a_pixel = float(KNOTS - 1) / float(std::max(side - 1, 1));
  const Vec limit = broadcast(float(side + 1));
  const auto byte = [](Mask quad, int i) { return __builtin_convertvector(quad >> 8 * i & 255, Vec); };
  for (int slice = 0; slice < LANES; slice += WIDTH) {
    Mask start;
    for (int lane = 0; lane < WIDTH; ++lane) start[lane] = (slice + lane) * entries;
    for (int r = 0; r < side; ++r) {
      // The knots of this row: between those of the lattice.
      const float down = knots_a_pixel * float(r);
      const int above = std::min(int(down), KNOTS - 2);
      Vec row[2][KNOTS];
      EACH(i, 2)
        EACH(k, KNOTS) {
          const float* knot = read_from[(i * KNOTS + above) * KNOTS + k] + slice;
          const Vec upper = load(knot), lower = load(knot + KNOTS * LANES);
          row[i][k] = upper + (lower - upper) * (down - float(above));
        }
      for (int c = 0; c < side; ++c) {
        // Where the lanes' pixel is read from; the border's zeros stand for everything outside.
        const float across = knots_a_pixel * float(c);
        const int before = std::min(int(across), KNOTS - 2);
        const float share = across - float(before);
        Vec y = row[0][before] + (row[0][before + 1] - row[0][before]) * share;
        Vec x = row[1][before] + (row[1][before + 1] - row[1][before]) * share;
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
