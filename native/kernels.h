// What one build of the kernels offers: the same functions for every instruction set, chosen at run time.
#pragma once
#include <cstdint>

#include "shape.h"

namespace inksight {

struct Kernels {
  const char* name;
  // Weights as (k, k, channels, filters), and back, in the order the kernels read them.
  void (*pack_forward)(const Shape&, const float* w, float* packed);
  void (*pack_backward)(const Shape&, const float* w, float* packed);
  // One lane group each. `won` may be null.
  void (*forward)(const Shape&, const float* x, const float* packed, const float* b, float leak, float* y,
                  std::uint8_t* won);
  // One image, with filters in the vectors; `sums` is scratch.
  void (*pack_single)(const Shape&, const float* w, float* packed);
  void (*single)(const Shape&, const float* x, const float* packed, const float* b, float leak, float* sums, float* y);
  void (*pre_activation)(const Shape&, const float* y, const std::uint8_t* won, const float* dy, float leak,
                         float* dz, float* db);
  void (*weight_gradient)(const Shape&, const float* x, const float* dz, float* dw);
  void (*input_gradient)(const Shape&, const float* dz, const float* packed, float* dx);
  void (*warp)(const std::uint8_t* images, long count, int side, const std::int32_t* rows, const float* affine, int n,
               float mean, float variance, float* out);
  double (*peak)(long repeats);
};

extern const Kernels portable_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;

}  // namespace inksight
