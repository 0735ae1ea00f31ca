#include "image/downscale.h"

#include <algorithm>

namespace inksight {
namespace INKSIGHT_ISA {

Downscaled Downscaler::operator()(const double* picture, long height, long width, long max_side, double* out) {
  const long block = std::max(std::max(height, width) / (4 * max_side), 1L);
  if (block > 1) {
    block_mean(picture, height, width, block);
    picture = blocks_.values.data();
    height = blocks_.height;
    width = blocks_.width;
  }
  const double ratio = double(max_side) / double(std::max(height, width));
  Downscaled result{{height, width}, {double(block), double(block)}};
  if (ratio >= 1) {
    std::copy(picture, picture + height * width, out);
    return result;
  }
  for (int axis = 0; axis < 2; ++axis) {
    const long length = result.size[axis];
    result.size[axis] = std::max(1L, round_half_up(double(length) * ratio));
    result.pixel_size[axis] = double(block * length) / double(result.size[axis]);
  }
  resample_(picture, height, width, width, out, result.size[0], result.size[1]);
  return result;
}

// Set `blocks_` to the means of square blocks. A block that reaches beyond the picture repeats the edge pixels.
void Downscaler::block_mean(const double* picture, long height, long width, long block) {
  blocks_.resize((height + block - 1) / block, (width + block - 1) / block);
  const long whole = width / block, rest = width - whole * block;
  for (long y = 0; y < blocks_.height; ++y) {
    double* means = blocks_.row(y);
    std::fill(means, means + blocks_.width, 0.0);
    for (long dy = 0; dy < block; ++dy) {
      const double* row = picture + std::min(y * block + dy, height - 1) * width;
      for (long x = 0; x < whole; ++x)
        for (long dx = 0; dx < block; ++dx) means[x] += row[x * block + dx];
      if (rest)
        for (long dx = 0; dx < block; ++dx) means[whole] += row[std::min(whole * block + dx, width - 1)];
    }
    for (long x = 0; x < blocks_.width; ++x) means[x] /= double(block * block);
  }
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
