#include "image/illumination.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace inksight {
namespace INKSIGHT_ISA {

// Ink covers less area than paper and differs more from the illumination plane. So the sum of the cubed differences has
// the sign of the ink's difference. A picture without differences scores 0.
double Illumination::polarity_score(const Constants& constants) {
  fit_illumination_plane(1, constants.slope_ridge);
  double total = 0, magnitude = 0;
  for (long i = 0; i < coarse.size(); ++i) {
    const double difference = coarse.values[i] - plane_.values[i];
    const double cube = difference * difference * difference;
    total += cube;
    magnitude += std::abs(cube);
  }
  const bool decided = std::abs(total) > 1e-9 * double(coarse.size());
  return decided ? drop_low_bits(total / magnitude, constants.rounding_offset) : 0.0;
}

void Illumination::flatten_illumination(const double* picture, bool dark, const Constants& constants,
                                        Grayscale& contrast) {
  if (!dark)
    for (double& value : coarse.values) value = 1 - value;
  fit_illumination_plane(4, constants.slope_ridge);
  const long window = std::max(3L, round_half_up(double(std::max(coarse.height, coarse.width)) * 0.6)) | 1;
  background_.resize(coarse.height, coarse.width);
  for (long i = 0; i < background_.size(); ++i) background_.values[i] = coarse.values[i] - plane_.values[i];
  closing(window);
  for (long i = 0; i < background_.size(); ++i) background_.values[i] += plane_.values[i];
  double* out = contrast.values.data();
  resample_(background_.values.data(), background_.height, background_.width, background_.width, out, contrast.height,
            contrast.width);
  for (long i = 0; i < contrast.size(); ++i) {
    const double background = out[i], value = dark ? picture[i] : 1 - picture[i];
    const double share = (background - value) / std::max(background, constants.min_background);
    out[i] = drop_low_bits(clip(share), constants.rounding_offset);
  }
}

// Set `plane_` to the plane through the paper of `coarse`, by least squares. Every round leaves out the cells far below
// the plane of the round before.
void Illumination::fit_illumination_plane(int rounds, double slope_ridge) {
  const long height = coarse.height, width = coarse.width, pixels = height * width;
  const auto coordinate = [](long i, long length) {  // -1..1, in the arithmetic of NumPy's linspace
    return length == 1 ? 0.0 : i == length - 1 ? 1.0 : double(i) * (2.0 / double(length - 1)) - 1.0;
  };
  plane_.resize(height, width);
  included_.assign(std::size_t(pixels), 1.0);
  for (int round = 0; round < rounds; ++round) {
    double n = 0, y1 = 0, x1 = 0, yy = 0, xy = 0, xx = 0, v = 0, vy = 0, vx = 0;
    for (long y = 0; y < height; ++y) {
      const double y_at = coordinate(y, height);
      double row_n = 0, row_x = 0, row_xx = 0, row_v = 0, row_vx = 0;
      for (long x = 0; x < width; ++x) {
        const double x_at = coordinate(x, width), weight = included_[y * width + x];
        const double value = weight * coarse.values[y * width + x];
        row_n += weight;
        row_x += weight * x_at;
        row_xx += weight * x_at * x_at;
        row_v += value;
        row_vx += value * x_at;
      }
      n += row_n, x1 += row_x, xx += row_xx, v += row_v, vx += row_vx;
      y1 += y_at * row_n, yy += y_at * y_at * row_n, xy += y_at * row_x, vy += y_at * row_v;
    }
    // Solve the normal equations by elimination. The ridge keeps both pivots positive.
    yy += slope_ridge * double(pixels);
    xx += slope_ridge * double(pixels);
    const double y_of_n = y1 / n, x_of_n = x1 / n;
    yy -= y_of_n * y1, xy -= x_of_n * y1, xx -= x_of_n * x1;
    vy -= y_of_n * v, vx -= x_of_n * v;
    const double x_of_y = xy / yy;
    const double slope_x = (vx - x_of_y * vy) / (xx - x_of_y * xy);
    const double slope_y = (vy - xy * slope_x) / yy, level = (v - y1 * slope_y - x1 * slope_x) / n;
    double squares = 0;
    for (long y = 0; y < height; ++y)
      for (long x = 0; x < width; ++x) {
        const long i = y * width + x;
        plane_.values[i] = level + slope_y * coordinate(y, height) + slope_x * coordinate(x, width);
        const double residual = coarse.values[i] - plane_.values[i];
        squares += residual * residual * included_[i];
      }
    const double min_residual = -0.5 * std::sqrt(squares / n) - 1e-9;
    for (long i = 0; i < pixels; ++i) included_[i] = coarse.values[i] - plane_.values[i] >= min_residual;
  }
}

// Apply a grayscale closing with a square window to `background_`: the minimum of the maxima. Beyond the edge, the
// nearest value repeats.
void Illumination::closing(long window) {
  const long height = background_.height, width = background_.width, radius = window / 2;
  // Replaces each value by the best of the `window` values that begin with it. Spans double in length as often as the
  // window allows; two overlapping spans then cover the window.
  const auto running_best = [&](double* values, long count, long step, auto better) {
    const auto join = [&](long distance) {
      for (long i = 0; i < count - distance * step; ++i) values[i] = better(values[i], values[i + distance * step]);
      count -= distance * step;
    };
    long span = 1;
    for (; 2 * span <= window; span *= 2) join(span);
    if (span < window) join(window - span);
  };
  const auto filter = [&](auto better) {
    const long padded_width = width + 2 * radius, padded_height = height + 2 * radius;
    padded_.resize(std::size_t(padded_height * padded_width));
    for (long y = 0; y < padded_height; ++y) {
      const double* row = background_.row(std::clamp(y - radius, 0L, height - 1));
      double* padded = &padded_[y * padded_width];
      std::fill(padded, padded + radius, row[0]);
      std::copy(row, row + width, padded + radius);
      std::fill(padded + radius + width, padded + padded_width, row[width - 1]);
    }
    running_best(padded_.data(), padded_height * padded_width, padded_width, better);
    for (long y = 0; y < height; ++y) {
      running_best(&padded_[y * padded_width], padded_width, 1, better);
      std::copy(&padded_[y * padded_width], &padded_[y * padded_width] + width, background_.row(y));
    }
  };
  filter([](double a, double b) { return a > b ? a : b; });
  filter([](double a, double b) { return a < b ? a : b; });
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
