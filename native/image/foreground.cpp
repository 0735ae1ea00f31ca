#include "image/foreground.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace inksight {
namespace INKSIGHT_ISA {

using std::size_t;

void Foreground::extract_foreground(const Grayscale& contrast, double peak, const Constants& constants, double* ink) {
  const long pixels = contrast.size();
  const double threshold = otsu(contrast, peak);
  long paper = 0;  // pixels below the threshold
  for (const double value : contrast.values) paper += value < threshold;
  const double full =
      order_statistic(contrast, pixels - std::max(1L, (pixels - paper) / 10));  // the ink's upper decile
  double noise = 0;  // the largest contrast that counts as noise of the paper
  if (paper) {
    const double median = order_statistic(contrast, paper / 2), quartile = order_statistic(contrast, paper / 4);
    noise = median + constants.noise_reach * (median - quartile);
  }
  normalize_contrast(contrast, std::min(noise, threshold), full, constants, ink);
  find_runs(contrast.height, contrast.width);
  drop_specks(contrast.width, constants.speck_share, ink);
}

// Return Otsu's threshold. Leaves each contrast's bin among 256 equal ranges in `bins_`, and the bins' sizes in
// `counts_`.
double Foreground::otsu(const Grayscale& contrast, double peak) {
  const long pixels = contrast.size();
  bins_.resize(size_t(pixels));
  std::fill(counts_, counts_ + 256, 0L);
  const double scale = 256 / peak;
  for (long i = 0; i < pixels; ++i) {
    bins_[i] = std::uint8_t(std::min(int(contrast.values[i] * scale), 255));
    ++counts_[bins_[i]];
  }
  double all = 0, weight = 0, total = 0, best_gain = 0;
  for (int bin = 0; bin < 256; ++bin) all += double(counts_[bin] * bin);
  int first = 0, last = 254;  // bins with the largest gain
  for (int bin = 0; bin < 255; ++bin) {
    weight += double(counts_[bin]);
    total += double(counts_[bin] * bin);
    const double product = weight * (double(pixels) - weight), difference = all * weight - total * double(pixels);
    const double gain = product > 0 ? difference * difference / product : 0;
    if (gain > best_gain) {
      best_gain = gain;
      first = last = bin;
    } else if (gain == best_gain && best_gain > 0) {
      last = bin;
    }
  }
  return double((first + last) / 2 + 1) * peak / 256;
}

// Return the contrast of a rank, counted from 0 for the smallest. Searches only its bin, as `otsu` left it.
double Foreground::order_statistic(const Grayscale& contrast, long rank) {
  int bin = 0;
  while (bin < 255 && rank >= counts_[bin]) rank -= counts_[bin++];
  values_.resize(size_t(counts_[bin]) + 1);  // one more: every value is written, and kept only if it is in the bin
  long count = 0;
  for (long i = 0; i < contrast.size(); ++i) {
    values_[count] = contrast.values[i];
    count += bins_[i] == bin;
  }
  values_.pop_back();
  std::nth_element(values_.begin(), values_.begin() + rank, values_.end());
  return values_[size_t(rank)];
}

// Scale contrast to ink: 0 at `low`, or at half of `full` if that is lower, and 1 at `full`. Weak pixels count as ink
// only next to a strong one: this keeps the edges of strokes and drops ruled lines. Sets `mask_` to the pixels that
// are ink.
void Foreground::normalize_contrast(const Grayscale& contrast, double low, double full, const Constants& constants,
                                    double* ink) {
  const long height = contrast.height, width = contrast.width, padded_width = width + 2;
  low = std::min(low, 0.5 * full);
  strong_.assign(size_t((height + 2) * padded_width), 0);
  for (long y = 0; y < height; ++y) {
    const double* row = contrast.row(y);
    double* ink_row = ink + y * width;
    std::uint8_t* strong = &strong_[(y + 1) * padded_width + 1];
    for (long x = 0; x < width; ++x) ink_row[x] = clip((row[x] - low) / (full - low));
    for (long x = 0; x < width; ++x) strong[x] = ink_row[x] > constants.weak_ink;
  }
  strong_nearby_.resize(size_t(padded_width));
  mask_.resize(size_t(contrast.size()));
  for (long y = 0; y < height; ++y) {
    const std::uint8_t* strong = &strong_[y * padded_width];
    std::uint8_t* nearby = strong_nearby_.data();  // in this row or one of its two neighbours
    for (long x = 0; x < padded_width; ++x)
      nearby[x] = strong[x] | strong[x + padded_width] | strong[x + 2 * padded_width];
    double* ink_row = ink + y * width;
    std::uint8_t* mask = &mask_[y * width];
    for (long x = 0; x < width; ++x)
      mask[x] = (nearby[x] | nearby[x + 1] | nearby[x + 2]) & (ink_row[x] > constants.min_ink);
    for (long x = 0; x < width; ++x) ink_row[x] = mask[x] ? ink_row[x] : 0.0;
  }
}

void Foreground::find_runs(long height, long width) {
  runs_.clear();
  for (long y = 0; y < height; ++y) {
    const std::uint8_t* const row = &mask_[y * width];
    const std::uint8_t* const end = row + width;
    const auto find = [&](const std::uint8_t* start, int value) {
      const void* match = start < end ? std::memchr(start, value, size_t(end - start)) : nullptr;
      return match ? static_cast<const std::uint8_t*>(match) : end;
    };
    for (const std::uint8_t* first = find(row, 1); first < end;) {
      const std::uint8_t* last = find(first, 0);
      runs_.push_back({y, long(first - row), long(last - row), 0});  // on Windows a long has 32 bits
      first = find(last, 1);
    }
  }
}

// Remove the connected components, joined by sides and corners, with less ink than a share of the largest.
void Foreground::drop_specks(long width, double speck_share, double* ink) {
  parents_.clear();
  const auto root = [&](int component) {
    while (parents_[component] != component) component = parents_[component] = parents_[parents_[component]];
    return component;
  };
  size_t above = 0;  // the first run of the row above that may touch the current run
  for (Run& run : runs_) {
    run.component = int(parents_.size());
    parents_.push_back(run.component);
    while (runs_[above].row < run.row - 1 || (runs_[above].row == run.row - 1 && runs_[above].last < run.first))
      ++above;
    for (size_t i = above; runs_[i].row == run.row - 1 && runs_[i].first <= run.last; ++i) {
      const int a = root(run.component), b = root(runs_[i].component);
      parents_[std::max(a, b)] = std::min(a, b);
    }
  }
  sizes_.assign(parents_.size(), 0.0);
  for (Run& run : runs_) {
    double& size = sizes_[run.component = root(run.component)];
    for (long x = run.first; x < run.last; ++x) size += ink[run.row * width + x];
  }
  const double min_size = speck_share * largest(sizes_);
  const auto is_speck = [&](const Run& run) { return sizes_[run.component] < min_size; };
  for (const Run& run : runs_)
    if (is_speck(run)) std::fill(ink + run.row * width + run.first, ink + run.row * width + run.last, 0.0);
  runs_.erase(std::remove_if(runs_.begin(), runs_.end(), is_speck), runs_.end());
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
