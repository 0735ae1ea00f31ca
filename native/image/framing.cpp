#include "image/framing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace inksight {
namespace INKSIGHT_ISA {

namespace {

// Return the smallest of the largest tenth of the values: their maximum without outliers. Reorders them.
double upper_decile(std::vector<double>& values) {
  const auto decile = values.end() - std::max<std::ptrdiff_t>(1, std::ptrdiff_t(values.size() / 10));
  std::nth_element(values.begin(), decile, values.end());
  return *decile;
}

}  // namespace

void Framing::center_in_frame(const double* ink, long height, long width, long stride, const Constants& constants,
                              std::uint8_t* image) {
  const long side = long(constants.side);
  const double ratio = constants.box_size / double(std::max(height, width));
  small_.resize(std::max(1L, round_half_up(double(height) * ratio)),
                std::max(1L, round_half_up(double(width) * ratio)));
  resample_(ink, height, width, stride, small_.values.data(), small_.height, small_.width);
  double peak = 0;
  for (double& value : small_.values) peak = std::max(peak, value = drop_low_bits(value, constants.rounding_offset));
  // Scaling down makes thin strokes paler. MNIST's strokes are at full ink in their core.
  core_.clear();
  for (const double value : small_.values)
    if (value > 0.5 * peak) core_.push_back(value);
  const double full = upper_decile(core_);
  double mass = 0, y_mass = 0, x_mass = 0;
  for (long y = 0; y < small_.height; ++y)
    for (long x = 0; x < small_.width; ++x) {
      double& value = small_.row(y)[x];
      value = std::min(value / full, 1.0);
      mass += value;
      y_mass += value * double(y);
      x_mass += value * double(x);
    }
  const auto offset = [&](double center, long length) {
    // Rounded first: the last bits of the sums must not decide a tie.
    const double rounded = std::floor((constants.center - center) * 1e6 + 0.5) / 1e6;
    return std::clamp(round_half_up(rounded), 0L, side - length);
  };
  image += offset(y_mass / mass, small_.height) * side + offset(x_mass / mass, small_.width);
  for (long y = 0; y < small_.height; ++y)
    for (long x = 0; x < small_.width; ++x)
      image[y * side + x] = std::uint8_t(std::floor(small_.row(y)[x] * 255 + 0.5));
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
