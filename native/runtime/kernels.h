// What one build of the kernels offers: the same functions for every instruction set, chosen at run time.
#pragma once
#include <cstdint>

#include "conv/shape.h"
#include "image/preprocess.h"

namespace inksight {

struct Kernels {
  const char* name;
  // Weights (k, k, channels, filters) as forward, and backward, want them.
  void (*pack_forward)(const Shape&, const float* w, float* packed);
  void (*pack_backward)(const Shape&, const float* w, float* packed);
  // One lane group each. `won` may be null, and so may dx, and then `packed`.
  void (*forward)(const Shape&, const float* x, const float* packed, const float* b, float leak, float* y,
                  std::uint8_t* won);
  void (*backward)(const Shape&, const float* x, const float* packed, const float* y, const std::uint8_t* won,
                   const float* dy, bool whole, float leak, float* dx, float* dw, float* db);
  void (*average)(int maps, int positions, const float* x, float* means);
  // One image, with filters in the vectors: see single.h.
  int (*padded)(int filters);
  void (*pack_single)(const Shape&, const float* w, float* packed);
  void (*single)(const Shape&, const float* x, int pixel, const float* packed, const float* b, float leak, float* y);
  void (*warp)(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* lattice, int n,
               float mean, float variance, float* out);
  // `steps` steps with the polynomial's three coefficients: see orthogonal.h.
  void (*orthogonalize)(int rows, int columns, const float* m, int steps, const float* abc, float* out);
  double (*peak)(long repeats);
  Found (*prepare)(const double* picture, long height, long width, int invert, const Constants&, std::uint8_t* image,
                   double* grey, double* ink);  // see prepare.h
};

extern const Kernels portable_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;

}  // namespace inksight
