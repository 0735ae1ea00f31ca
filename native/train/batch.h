// The training operations on whole batches. Lane groups are distributed over the threads.
#pragma once
#include <cstdint>

#include "conv/shape.h"

namespace inksight {

// Arrays hold one lane group after another. `pool_argmax` may be null, and so may `means`, the mean of each feature
// map: (filters, 16) for each group.
void conv_forward(const Shape&, int groups, const float* x, const float* w, const float* b, float leak, float* y,
                  std::uint8_t* pool_argmax, float* means);

// `dx` may be null. If `dy_per_position` is false, dy has one value per feature map, like the means. Sums over groups
// are taken in the groups' order, so they do not depend on the number of threads.
void conv_backward(const Shape&, int groups, const float* x, const float* w, const float* y,
                   const std::uint8_t* pool_argmax, const float* dy, bool dy_per_position, float leak, float* dx,
                   float* dw, float* db);

// Warp n images: see image/warp.h.
void warp_batch(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* lattice, int n,
                float mean, float variance, float* out);

}  // namespace inksight
