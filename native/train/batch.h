// The operations on whole batches: lane groups shared out among threads.
#pragma once
#include "runtime/kernels.h"

namespace inksight {

// The kernels in use: the best the processor has, unless others were asked for by name.
const Kernels& kernels();
bool use_kernels(const char* name);  // false, and nothing changes, if the processor lacks them

void conv_forward(const Shape&, int groups, const float* x, const float* w, const float* b, float leak, float* y,
                  std::uint8_t* won, float* means);
// `means` (filters, 16 of each group) of y's maps, and `won`, may be null; so may dx. Where dy is not `whole` it has,
// like the means, one value for all positions of a map. Sums over groups are taken in their order, whatever the number
// of threads.
void conv_backward(const Shape&, int groups, const float* x, const float* w, const float* y, const std::uint8_t* won,
                   const float* dy, bool whole, float leak, float* dx, float* dw, float* db);
void warp_batch(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* lattice, int n,
                float mean, float variance, float* out);

}  // namespace inksight
