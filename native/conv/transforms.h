// Fewer multiplications: rows as polynomials, known at points (Toom and Cook; Winograd, 1980).
//
// Convolving a row of eight columns with K taps, for 9 - K outputs, is a product of polynomials. At eight points, seven
// numbers and infinity, the product needs one multiplication each, where the sum of taps needs K (9 - K) in all: 20 for
// K = 5. All that is needed around it, to_points and from_points, is linear with small constants, and is paid once a
// channel and once a filter, not once for each pair of them. Gradients take the same way back: the adjoint of a linear
// map is its transpose. With these points results agree with the direct sums to some 2e-6 of the largest.
#pragma once
#include "conv/shape.h"
#include "runtime/lanes.h"

namespace inksight {
namespace INKSIGHT_ISA {

constexpr double FINITE[POINTS - 1] = {0, 1, -1, 2, -2, 0.5, -0.5};

template <int K>
constexpr int TILE = POINTS + 1 - K;  // outputs

// What tap j counts for at point p: its power over the product of the distances to the other points.
template <int K>
constexpr double tap_at(int p, int j) {
  if (K == 1) return 1;  // nothing to save: columns stand for themselves
  if (p == POINTS - 1) return j == K - 1;
  double value = 1;
  for (int n = 0; n < j; ++n) value *= FINITE[p];
  for (int q = 0; q < POINTS - 1; ++q)
    if (q != p) value /= FINITE[p] - FINITE[q];
  return value;
}

template <int K>
struct Taps {
  float at[POINTS][K];
  constexpr Taps() : at() {
    for (int p = 0; p < POINTS; ++p)
      for (int j = 0; j < K; ++j) at[p][j] = float(tap_at<K>(p, j));
  }
};
template <int K>
constexpr Taps<K> TAPS{};

// Of weights (k, k, channels, filters): row i of channel c's kernel for filter f, at point p.
template <int K>
inline float weight_at(const Shape& s, const float* w, int p, int i, int c, int f) {
  float value = 0;
  EACH(j, K) value += TAPS<K>.at[p][j] * w[(long(i * K + j) * s.channels + c) * s.filters + f];
  return value;
}

// Eight columns of the input -> their values at the points. V is a vector, or one number.
template <int K, class V>
inline void to_points(const V (&x)[POINTS], V (&v)[POINTS]) {
  if constexpr (K == 1) {
    EACH(p, POINTS) v[p] = x[p];
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

// The adjoint of to_points: from the gradient at the points to that of the eight columns.
template <int K>
inline void to_points_adjoint(const Vec (&v)[POINTS], Vec (&x)[POINTS]) {
  if constexpr (K == 1) {
    EACH(p, POINTS) x[p] = v[p];
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

// Products at the points -> a tile of outputs.
template <int K>
inline void from_points(const Vec (&v)[POINTS], Vec (&y)[TILE<K>]) {
  if constexpr (K == 1) {
    EACH(p, POINTS) y[p] = v[p];
    return;
  }
  const Vec even1 = v[1] + v[2], even2 = v[3] + v[4], even3 = v[5] + v[6];
  const Vec odd1 = v[1] - v[2], odd2 = v[3] - v[4], odd3 = v[5] - v[6];
  EACH(i, TILE<K>) {
    const float two = float(1 << i), half = 1 / two;
    y[i] = i % 2 ? odd1 + (two * odd2 + half * odd3) : even1 + (two * even2 + half * even3);
  }
  y[0] += v[0];
  y[TILE<K> - 1] += v[7];
}

// The same out of sums that lie `stride` floats apart.
template <int K>
inline void tile_from_points(const float* sums, long stride, Vec (&y)[TILE<K>]) {
  Vec v[POINTS];
  EACH(p, POINTS) v[p] = load(sums + p * stride);
  from_points<K>(v, y);
}

// The adjoint of from_points: from the gradient of a tile of outputs to that at the points.
template <int K>
inline void from_points_adjoint(const Vec (&y)[TILE<K>], Vec (&v)[POINTS]) {
  if constexpr (K == 1) {
    EACH(p, POINTS) v[p] = y[p];
    return;
  }
  Vec even1 = y[0], even2 = y[0], even3 = y[0], odd1 = y[1], odd2 = 2.0f * y[1], odd3 = 0.5f * y[1];
  EACH(i, TILE<K>) {
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
