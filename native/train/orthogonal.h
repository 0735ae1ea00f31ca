// The nearest orthogonal matrix, roughly: what Muon makes of a kernel's momentum (see optimizer.py).
#pragma once
#include <algorithm>
#include <cmath>

#include "runtime/lanes.h"
#include "runtime/scratch.h"

namespace inksight {
namespace INKSIGHT_ISA {

// In doubles: the steps are taken on squares, which need twice the digits.
constexpr int HALF = WIDTH / 2;
typedef double Doubles __attribute__((vector_size(WIDTH * 4), may_alias));

// Rows of a matrix are filled up with zeros to whole vectors.
inline int padded_row(int columns) { return (columns + HALF - 1) / HALF * HALF; }

// c = a b: a's element (i, k) is a[i * down + k * along], the rows of b and c are `width` long.
inline void multiply(int rows, int inner, int width, const double* a, long down, long along, const double* b,
                     double* c) {
  constexpr int R = 4, V = 2;
  for (int i = 0; i < rows; i += R)
    for (int j = 0; j < width; j += V * HALF) {
      const int r_end = std::min(R, rows - i), v_end = std::min(V, (width - j) / HALF);
      Doubles acc[R][V] = {};
      for (int k = 0; k < inner; ++k) {
        Doubles row[V];
        EACH(v, V) row[v] = *reinterpret_cast<const Doubles*>(b + long(k) * width + j + std::min(v, v_end - 1) * HALF);
        EACH(r, R)
          EACH(v, V) acc[r][v] += row[v] * a[std::min(i + r, rows - 1) * down + k * along];
      }
      for (int r = 0; r < r_end; ++r)
        for (int v = 0; v < v_end; ++v) *reinterpret_cast<Doubles*>(c + long(i + r) * width + j + v * HALF) = acc[r][v];
    }
}

// `steps` Newton-Schulz steps x <- (a + b x x^T + c (x x^T)^2) x from x = m / |m|, as Jordan's Muon takes them. All
// that the steps do is a polynomial in the smaller of m's two Gram matrices, so they are taken there, and m comes in
// only at the beginning and the end.
inline void orthogonalize(int rows, int columns, const float* m, int steps, const float* abc, float* out) {
  static thread_local Scratch scratch;
  const bool wide = rows < columns;
  const int n = std::min(rows, columns), length = std::max(rows, columns), width = padded_row(n);
  const long square = long(n) * width, all = long(length) * width;
  double* tall = reinterpret_cast<double*>(scratch.get(2 * (2 * all + 5 * square)));
  double *result = tall + all, *gram = result + all, *total = gram + square, *q = total + square, *one = q + square,
         *two = one + square;
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
    times(total, q, one);
    std::swap(total, one);
    times(q, gram, two);
    times(two, q, gram);
  }
  multiply(length, n, width, tall, width, 1, total, result);
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c)
      out[long(r) * columns + c] = float(result[wide ? long(c) * width + r : long(r) * width + c]);
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
