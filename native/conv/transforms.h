// Winograd's transforms of one row: 9 - K convolution outputs from 8 multiplications.
//
// Convolving a row of 8 columns with K taps, for 9 - K outputs, is a product of two polynomials. The product follows
// from its values at 8 points, here 7 numbers and infinity, at one multiplication each; direct sums need K (9 - K),
// which is 20 for K = 5. The transforms of input, filter and output are linear with small constants. Their cost is paid
// once per channel or filter, not for each pair of them. Gradients use the adjoints of the transforms, their
// transposes. The results agree with direct sums to about 2e-6 of the largest value.
//
// Terms of different points cancel: with all weights and inputs of one size, their absolute values add up to 23, 17 and
// 16 times those of direct sums for K = 3, 5 and 7. Rounding errors are proportional to them. Of the points 0, +-a, +-b,
// +-c with fractions from 1/4 to 4, none give noticeably smaller sums, and these are exact with few bits.
//
// Toom-Cook multiplication; Winograd, "Arithmetic Complexity of Computations", SIAM, 1980. The transforms are
// named as in Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR, 2016.
#pragma once
#include "conv/shape.h"
#include "runtime/lanes.h"

namespace inksight {
namespace INKSIGHT_ISA {

constexpr double FINITE_POINTS[POINTS - 1] = {0, 1, -1, 2, -2, 0.5, -0.5};

template <int K>
constexpr int TILE = POINTS + 1 - K;  // outputs

// The filter transform's coefficient of tap j at point p: p's j-th power over the product of p's distances to the other
// points.
template <int K>
constexpr double filter_coefficient(int p, int j) {
  if (K == 1) return 1;  // a 1x1 kernel saves no multiplications: the points are the columns themselves
  if (p == POINTS - 1) return j == K - 1;
  double value = 1;
  for (int n = 0; n < j; ++n) value *= FINITE_POINTS[p];
  for (int q = 0; q < POINTS - 1; ++q)
    if (q != p) value /= FINITE_POINTS[p] - FINITE_POINTS[q];
  return value;
}

template <int K>
struct FilterMatrix {
  float at[POINTS][K];
  constexpr FilterMatrix() : at() {
    for (int p = 0; p < POINTS; ++p)
      for (int j = 0; j < K; ++j) at[p][j] = float(filter_coefficient<K>(p, j));
  }
};
template <int K>
constexpr FilterMatrix<K> FILTER_MATRIX{};

// Transform row i of the kernel from channel c to filter f, and return its value at point p. `w` is
// (k, k, channels, filters).
template <int K>
inline float filter_transform(const Shape& s, const float* w, int p, int i, int c, int f) {
  float value = 0;
  UNROLL(j, K) value += FILTER_MATRIX<K>.at[p][j] * w[(long(i * K + j) * s.channels + c) * s.filters + f];
  return value;
}

// Transform eight input columns to their values at the points. V is a vector or a number.
template <int K, class V>
inline void input_transform(const V (&x)[POINTS], V (&v)[POINTS]) {
  if constexpr (K == 1) {
    UNROLL(p, POINTS) v[p] = x[p];
    return;
  }
  v[0] = (x[6] - x[0]) + 5.25f * (x[2] - x[4]);
  const V even1 = (x[2] + x[6]) - 4.25f * x[4], odd1 = (x[1] + x[5]) - 4.25f * x[3];
  v[1] = even1 + odd1;
  v[2] = even1 - odd1;
  const V even2 = (0.25f * x[2] + x[6]) - 1.25f * x[4], odd2 = (0.5f * x[1] + 2.0f * x[5]) - 2.5f * x[3];
  v[3] = even2 + odd2;
  v[4] = even2 - odd2;
  const V even3 = (4.0f * x[2] + x[6]) - 5.0f * x[4], odd3 = (2.0f * x[1] + 0.5f * x[5]) - 2.5f * x[3];
  v[5] = even3 + odd3;
  v[6] = even3 - odd3;
  v[7] = (x[7] - x[1]) + 5.25f * (x[3] - x[5]);
}

// The adjoint of input_transform: from the gradient at the points to the gradient of the eight columns.
template <int K>
inline void input_transform_adjoint(const Vec (&v)[POINTS], Vec (&x)[POINTS]) {
  if constexpr (K == 1) {
    UNROLL(p, POINTS) x[p] = v[p];
    return;
  }
  const Vec even1 = v[1] + v[2], even2 = v[3] + v[4], even3 = v[5] + v[6];
  const Vec odd1 = v[1] - v[2], odd2 = v[3] - v[4], odd3 = v[5] - v[6];
  x[0] = -v[0];
  x[1] = odd1 + (0.5f * odd2 + 2.0f * odd3) - v[7];
  x[2] = even1 + (0.25f * even2 + 4.0f * even3) + 5.25f * v[0];
  x[3] = 5.25f * v[7] - 4.25f * odd1 - 2.5f * (odd2 + odd3);
  x[4] = -5.25f * v[0] - 4.25f * even1 - (1.25f * even2 + 5.0f * even3);
  x[5] = odd1 + (2.0f * odd2 + 0.5f * odd3) - 5.25f * v[7];
  x[6] = (v[0] + even1) + (even2 + even3);
  x[7] = v[7];
}

// Transform the products at the points to a tile of outputs.
template <int K>
inline void output_transform(const Vec (&v)[POINTS], Vec (&y)[TILE<K>]) {
  if constexpr (K == 1) {
    UNROLL(p, POINTS) y[p] = v[p];
    return;
  }
  const Vec even1 = v[1] + v[2], even2 = v[3] + v[4], even3 = v[5] + v[6];
  const Vec odd1 = v[1] - v[2], odd2 = v[3] - v[4], odd3 = v[5] - v[6];
  UNROLL(i, TILE<K>) {
    const float two = float(1 << i), half = 1 / two;
    y[i] = i % 2 ? odd1 + (two * odd2 + half * odd3) : even1 + (two * even2 + half * even3);
  }
  y[0] += v[0];
  y[TILE<K> - 1] += v[7];
}

// Load the sums at the points, which are `stride` floats apart, and transform them to a tile of outputs.
template <int K>
inline void load_output_tile(const float* sums, long stride, Vec (&y)[TILE<K>]) {
  Vec v[POINTS];
  UNROLL(p, POINTS) v[p] = load(sums + p * stride);
  output_transform<K>(v, y);
}

// The adjoint of output_transform: from the gradient of a tile of outputs to the gradient at the points.
template <int K>
inline void output_transform_adjoint(const Vec (&y)[TILE<K>], Vec (&v)[POINTS]) {
  if constexpr (K == 1) {
    UNROLL(p, POINTS) v[p] = y[p];
    return;
  }
  Vec even1 = y[0], even2 = y[0], even3 = y[0], odd1 = y[1], odd2 = 2.0f * y[1], odd3 = 0.5f * y[1];
  UNROLL(i, TILE<K>) {
    const float two = float(1 << i), half = 1 / two;
    if (i < 2) continue;
    (i % 2 ? odd1 : even1) += y[i];
    (i % 2 ? odd2 : even2) += two * y[i];
    (i % 2 ? odd3 : even3) += half * y[i];
  }
  v[0] = y[0];
  v[1] = even1 + odd1;
  v[2] = even1 - odd1;
  v[3] = even2 + odd2;
  v[4] = even2 - odd2;
  v[5] = even3 + odd3;
  v[6] = even3 - odd3;
  v[7] = y[TILE<K> - 1];
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
