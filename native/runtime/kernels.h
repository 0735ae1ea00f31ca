// The functions that are compiled once for each instruction set, as a table for each. See dispatch.h for the choice.
#pragma once
#include <cstdint>

#include "conv/shape.h"
#include "image/preprocess.h"

namespace inksight {

struct Kernels {
  const char* name;
  // Pack weights (k, k, channels, filters) for `forward` and for `backward`.
  void (*pack_forward)(const Shape&, const float* w, float* packed);
  void (*pack_backward)(const Shape&, const float* w, float* packed);
  // The convolution block of one lane group: see conv/block.h and conv/gradients.h. `pool_argmax` may be null, and so
  // may `dx`, with `packed` of `backward`.
  void (*forward)(const Shape&, const float* x, const float* packed, const float* b, float leak, float* y,
                  std::uint8_t* pool_argmax);
  void (*backward)(const Shape&, const float* x, const float* packed, const float* y, const std::uint8_t* pool_argmax,
                   const float* dy, bool dy_per_position, float leak, float* dx, float* dw, float* db);
  void (*average)(int maps, int positions, const float* x, float* means);
  // The convolution block of one image: see conv/single.h.
  int (*padded_filters)(int filters);
  void (*pack_single)(const Shape&, const float* w, float* packed);
  void (*forward_single)(const Shape&, const float* x, int pixel_stride, const float* packed, const float* b,
                         float leak, float* y);
  // See train/dense.h.
  void (*dense_forward)(int inputs, int units, const float* x, const float* w, const float* b, float* y);
  void (*dense_backward)(int inputs, int units, const float* x, const float* w, const float* dy, float* dx, float* dw,
                         float* db);
  // See image/warp.h, train/orthogonal.h, runtime/peak.h and image/preprocess.h.
  void (*warp)(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* lattice, int n,
               float mean, float variance, float* out);
  void (*orthogonalize)(int rows, int columns, const float* m, int steps, const float* abc, float* out);
  double (*peak)(long repeats);
  Found (*preprocess)(const double* picture, long height, long width, int invert, const Constants&, std::uint8_t* image,
                      double* gray, double* ink);
};

extern const Kernels portable_kernels;
extern const Kernels neon_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;

}  // namespace inksight
