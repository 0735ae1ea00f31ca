// An approximation of the nearest orthogonal matrix, for the Muon optimizer: see train/optimizer.h.
#pragma once
#include <algorithm>
#include <cmath>

#include "runtime/lanes.h"
#include "runtime/scratch.h"

namespace inksight {
namespace INKSIGHT_ISA {

// In double precision: the steps work on a Gram matrix, whose squared values need twice the digits.
constexpr int DOUBLES = WIDTH / 2;  // in a vector
typedef double DoubleVec __attribute__((vector_size(WIDTH * 4), may_alias));

// Return the length of a row that is padded with zeros to whole vectors.
inline int padded_row(int columns) { return (columns + DOUBLES - 1) / DOUBLES * DOUBLES; }

// Compute c = a b. Element (i, k) of a is a[i * row_stride + k * column_stride]. Rows of b and c have length `width`.
inline void multiply(int rows, int inner, int width, const double* a, long row_stride, long column_stride,
                     const double* b, double* c) {
  constexpr int R = WIDTH == 16 ? 8 : 4, V = 2;  // a block of sums, which stay in registers
  for (int i = 0; i < rows; i += R)
    for (int j = 0; j < width; j += V * DOUBLES) {
      const int r_end = std::min(R, rows - i), v_end = std::min(V, (width - j) / DOUBLES);
      const double *left[R], *right[V];
      UNROLL(r, R) left[r] = a + std::min(i + r, rows - 1) * row_stride;
      UNROLL(v, V) right[v] = b + j + std::min(v, v_end - 1) * DOUBLES;
      DoubleVec acc[R][V] = {};
      for (int k = 0; k < inner; ++k) {
        DoubleVec row[V];
        UNROLL(v, V) row[v] = *reinterpret_cast<const DoubleVec*>(right[v] + long(k) * width);
        UNROLL(r, R) {
          const DoubleVec factor = left[r][k * column_stride] - DoubleVec{};
          UNROLL(v, V) acc[r][v] += row[v] * factor;
        }
      }
      UNROLL(r, R)
        UNROLL(v, V) {
          double* sums = c + long(i + r) * width + j + v * DOUBLES;
          if (r < r_end && v < v_end) *reinterpret_cast<DoubleVec*>(sums) = acc[r][v];
        }
    }
}

// Take `steps` Newton-Schulz steps x <- (a + b x x^T + c (x x^T)^2) x from x = m / |m|, as in Jordan's Muon. Together
// the steps multiply m by a polynomial in the smaller of its two Gram matrices. They are taken on that matrix, and m is
// used only to compute it and for the final product. `abc` holds a, b and c.
inline void orthogonalize(int rows, int columns, const float* m, int steps, const float* abc, float* out) {
  const bool wide = rows < columns;
  const int n = std::min(rows, columns), length = std::max(rows, columns), width = padded_row(n);
  const long square = long(n) * width, all = long(length) * width;
  double* tall = reinterpret_cast<double*>(scratch(Use::MATRICES, 2 * (2 * all + 5 * square)));
  double *result = tall + all, *gram = result + all, *total = gram + square, *q = total + square, *next = q + square,
         *product = next + square;
  std::fill_n(tall, all, 0.0);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) tall[wide ? long(c) * width + r : long(r) * width + c] = m[long(r) * columns + c];
  const auto times = [&](const double* a, const double* b, double* c) { multiply(n, n, width, a, width, 1, b, c); };

  multiply(n, length, width, tall, 1, width, tall, gram);
  double squares = 0;
  for (int i = 0; i < n; ++i) squares += gram[i * width + i];
  const double scale = 1 / (std::sqrt(squares) + 1e-12);
  std::fill_n(total, square, 0.0);
  for (int i = 0; i < n; ++i) total[i * width + i] = scale;
  for (long i = 0; i < square; ++i) gram[i] *= scale * scale;

  for (int step = 0; step < steps; ++step) {
    times(gram, gram, q);
    for (long i = 0; i < square; ++i) q[i] = abc[1] * gram[i] + abc[2] * q[i];
    for (int i = 0; i < n; ++i) q[i * width + i] += abc[0];
    times(total, q, next);
    std::swap(total, next);
    times(q, gram, product);
    times(product, q, gram);
  }
  multiply(length, n, width, tall, width, 1, total, result);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      out[long(r) * columns + c] = float(result[wide ? long(c) * width + r : long(r) * width + c]);
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
