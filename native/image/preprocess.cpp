// Compiled without contraction of products and sums: what decides here is to come out as in NumPy, to the last bit.
#include "image/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <vector>

#include "image/resample.h"

namespace inksight {
namespace INKSIGHT_ISA {

namespace {

using std::size_t;

long round_half_up(double value) { return long(std::floor(value + 0.5)); }

double clip(double value) { return std::min(1.0, std::max(0.0, value)); }  // NaN, too, ends as a number

double largest(const std::vector<double>& values) {
  double best[8] = {};
  size_t i = 0;
  for (; i + 8 <= values.size(); i += 8)
    for (int k = 0; k < 8; ++k) best[k] = std::max(best[k], values[i + k]);
  for (; i < values.size(); ++i) best[0] = std::max(best[0], values[i]);
  return *std::max_element(best, best + 8);
}

// Rows of pixels, which lie close.
struct Grey {
  long height = 0, width = 0;
  std::vector<double> values;

  void shape(long down, long across) {
    height = down;
    width = across;
    values.resize(size_t(down) * size_t(across));
  }
  long size() const { return height * width; }
  double* row(long y) { return values.data() + y * width; }
};

// Pixels of a row with ink, from `first` to before `last`, and the spot that they are of.
struct Run {
  long row, first, last;
  int spot;
};

// A picture on its way. A thread keeps one: fresh memory costs a page fault every few thousand bytes.
class Preparation {
 public:
  Found run(const double* picture, long height, long width, int invert, const Constants& constants, std::uint8_t* image,
            double* grey, double* ink);

 private:
  void shrink(const double* picture, long height, long width, long most, double* to, long size[2], double pixel[2]);
  void in_blocks(const double* picture, long height, long width, long block);
  double lean();
  void even(const double* grey, bool dark);
  void slope_of_light(int rounds);
  void closing(long window);
  void only_ink(double* ink);
  double otsu();
  double in_order(long place);
  void between(double low, double full, double* ink);
  void find_runs();
  void drop_specks(double* ink);
  void fit(const double* ink, long height, long width, std::uint8_t* image);
  double steady(double value) const { return (value + c_.rough) - c_.rough; }

  Constants c_;
  Resampler resample_;
  Grey blocks_, coarse_, slope_, paper_, contrast_, small_;
  std::vector<double> counted_, padded_, some_, sizes_;
  std::vector<std::uint8_t> bins_, marks_, tall_, inked_;
  std::vector<Run> runs_;
  std::vector<int> parents_;
  long counts_[256];
  double peak_;
};

Found Preparation::run(const double* picture, long height, long width, int invert, const Constants& constants,
                       std::uint8_t* image, double* grey, double* ink) {
  c_ = constants;
  Found found{};
  std::fill(image, image + long(c_.side * c_.side), std::uint8_t(0));
  long size[2], cells[2];
  double pixel[2], unused[2];
  shrink(picture, height, width, long(c_.working), grey, size, pixel);
  found.height = size[0];
  found.width = size[1];
  coarse_.shape(std::min(size[0], long(c_.grid)), std::min(size[1], long(c_.grid)));
  shrink(grey, size[0], size[1], long(c_.grid), coarse_.values.data(), cells, unused);
  coarse_.shape(cells[0], cells[1]);
  const double leaning = invert < 0 ? lean() : invert ? 1.0 : -1.0;
  found.dark = leaning <= 0;
  contrast_.shape(size[0], size[1]);
  even(grey, found.dark);
  if (peak_ < c_.faint) {
    std::fill(ink, ink + contrast_.size(), 0.0);
    found.problem = peak_ < c_.faint / 2 ? BLANK : FAINT;
    return found;
  }
  only_ink(ink);
  if (runs_.empty()) {
    found.problem = FAINT;
    return found;
  }
  long first[2] = {runs_.front().row, size[1]}, last[2] = {runs_.back().row + 1, 0};  // rows and columns with ink
  for (const Run& run : runs_) {
    first[1] = std::min(first[1], run.first);
    last[1] = std::max(last[1], run.last);
  }
  const long lengths[2] = {height, width};
  long from[2], to[2];
  for (int axis = 0; axis < 2; ++axis) {
    from[axis] = long(double(first[axis]) * pixel[axis]);
    to[axis] = std::min(long(std::ceil(double(last[axis]) * pixel[axis])), lengths[axis]);
  }
  found.top = from[0];
  found.left = from[1];
  found.down = to[0] - from[0];
  found.across = to[1] - from[1];
  if (double(std::max(found.down, found.across)) < c_.least) {
    found.problem = SMALL;
    return found;
  }
  found.contested = std::abs(leaning) < c_.plain;
  // The crop's rows lie as far apart as the picture's.
  fit(ink + first[0] * size[1] + first[1], last[0] - first[0], last[1] - first[1], image);
  return found;
}

void Preparation::shrink(const double* picture, long height, long width, long most, double* to, long size[2],
                         double pixel[2]) {
  const long block = std::max(std::max(height, width) / (4 * most), 1L);
  if (block > 1) {
    in_blocks(picture, height, width, block);
    picture = blocks_.values.data();
    height = blocks_.height;
    width = blocks_.width;
  }
  const double ratio = double(most) / double(std::max(height, width));
  size[0] = height;
  size[1] = width;
  pixel[0] = pixel[1] = double(block);
  if (ratio >= 1) {
    std::copy(picture, picture + height * width, to);
    return;
  }
  for (int axis = 0; axis < 2; ++axis) {
    const long length = size[axis];
    size[axis] = std::max(1L, round_half_up(double(length) * ratio));
    pixel[axis] = double(block * length) / double(size[axis]);
  }
  resample_(picture, height, width, width, to, size[0], size[1]);
}

void Preparation::in_blocks(const double* picture, long height, long width, long block) {
  blocks_.shape((height + block - 1) / block, (width + block - 1) / block);
  const long full = width / block, rest = width - full * block;
  for (long y = 0; y < blocks_.height; ++y) {
    double* means = blocks_.row(y);
    std::fill(means, means + blocks_.width, 0.0);
    for (long down = 0; down < block; ++down) {
      const double* row = picture + std::min(y * block + down, height - 1) * width;
      for (long x = 0; x < full; ++x)
        for (long across = 0; across < block; ++across) means[x] += row[x * block + across];
      if (rest)
        for (long across = 0; across < block; ++across) means[full] += row[std::min(full * block + across, width - 1)];
    }
    for (long x = 0; x < blocks_.width; ++x) means[x] /= double(block * block);
  }
}

double Preparation::lean() {
  slope_of_light(1);
  double total = 0, sizes = 0;
  for (long i = 0; i < coarse_.size(); ++i) {
    const double difference = coarse_.values[i] - slope_.values[i];
    const double cube = difference * difference * difference;
    total += cube;
    sizes += std::abs(cube);
  }
  return std::abs(total) > 1e-9 * double(coarse_.size()) ? steady(total / sizes) : 0.0;
}

// Sets `contrast_` and its largest value from a picture and `coarse_`, which is turned over for light ink.
void Preparation::even(const double* grey, bool dark) {
  if (!dark)
    for (double& value : coarse_.values) value = 1 - value;
  slope_of_light(4);
  const long window = std::max(3L, round_half_up(double(std::max(coarse_.height, coarse_.width)) * 0.6)) | 1;
  paper_.shape(coarse_.height, coarse_.width);
  for (long i = 0; i < paper_.size(); ++i) paper_.values[i] = coarse_.values[i] - slope_.values[i];
  closing(window);
  for (long i = 0; i < paper_.size(); ++i) paper_.values[i] += slope_.values[i];
  double* contrast = contrast_.values.data();
  resample_(paper_.values.data(), paper_.height, paper_.width, paper_.width, contrast, contrast_.height,
            contrast_.width);
  for (long i = 0; i < contrast_.size(); ++i) {
    const double whole = contrast[i], value = dark ? grey[i] : 1 - grey[i];
    contrast[i] = steady(clip((whole - value) / std::max(whole, c_.darkest)));
  }
  peak_ = largest(contrast_.values);
}

// Sets `slope_` to the plane through the paper of `coarse_`.
void Preparation::slope_of_light(int rounds) {
  const long height = coarse_.height, width = coarse_.width, pixels = height * width;
  const auto place = [](long i, long length) {  // as linspace has it
    return length == 1 ? 0.0 : i == length - 1 ? 1.0 : double(i) * (2.0 / double(length - 1)) - 1.0;
  };
  slope_.shape(height, width);
  counted_.assign(size_t(pixels), 1.0);
  for (int left = rounds - 1; left >= 0; --left) {
    double n = 0, y1 = 0, x1 = 0, yy = 0, xy = 0, xx = 0, v = 0, vy = 0, vx = 0;
    for (long y = 0; y < height; ++y) {
      const double down = place(y, height);
      double row_n = 0, row_x = 0, row_xx = 0, row_v = 0, row_vx = 0;
      for (long x = 0; x < width; ++x) {
        const double across = place(x, width), count = counted_[y * width + x],
                     value = count * coarse_.values[y * width + x];
        row_n += count;
        row_x += count * across;
        row_xx += count * across * across;
        row_v += value;
        row_vx += value * across;
      }
      n += row_n, x1 += row_x, xx += row_xx, v += row_v, vx += row_vx;
      y1 += down * row_n, yy += down * down * row_n, xy += down * row_x, vy += down * row_v;
    }
    // Least squares, by elimination from the level down: what is left of the slopes is positive thanks to c_.level.
    yy += c_.level * double(pixels);
    xx += c_.level * double(pixels);
    const double y_of_n = y1 / n, x_of_n = x1 / n;
    yy -= y_of_n * y1, xy -= x_of_n * y1, xx -= x_of_n * x1;
    vy -= y_of_n * v, vx -= x_of_n * v;
    const double x_of_y = xy / yy;
    const double rise_x = (vx - x_of_y * vy) / (xx - x_of_y * xy);
    const double rise_y = (vy - xy * rise_x) / yy, level = (v - y1 * rise_y - x1 * rise_x) / n;
    double squares = 0;
    for (long y = 0; y < height; ++y)
      for (long x = 0; x < width; ++x) {
        const long i = y * width + x;
        slope_.values[i] = level + rise_y * place(y, height) + rise_x * place(x, width);
        const double above = coarse_.values[i] - slope_.values[i];
        squares += above * above * counted_[i];
      }
    const double least = -0.5 * std::sqrt(squares / n) - 1e-9;
    for (long i = 0; i < pixels; ++i) counted_[i] = coarse_.values[i] - slope_.values[i] >= least;
  }
}

// The least of the greatest of `paper_` in a square window; beyond its edge lies what is nearest.
void Preparation::closing(long window) {
  const long height = paper_.height, width = paper_.width, reach = window / 2;
  // The best of so many in a row, at their first: of twice as many, as often as fits, and then of all.
  const auto best = [&](double* values, long count, long step, auto better) {
    const auto join = [&](long apart) {
      for (long i = 0; i < count - apart * step; ++i) values[i] = better(values[i], values[i + apart * step]);
      count -= apart * step;
    };
    long span = 1;
    for (; 2 * span <= window; span *= 2) join(span);
    if (span < window) join(window - span);
  };
  const auto filter = [&](auto better) {
    const long across = width + 2 * reach, down = height + 2 * reach;
    padded_.resize(size_t(down * across));
    for (long y = 0; y < down; ++y) {
      const double* row = paper_.row(std::clamp(y - reach, 0L, height - 1));
      double* padded = &padded_[y * across];
      std::fill(padded, padded + reach, row[0]);
      std::copy(row, row + width, padded + reach);
      std::fill(padded + reach + width, padded + across, row[width - 1]);
    }
    best(padded_.data(), down * across, across, better);
    for (long y = 0; y < height; ++y) {
      best(&padded_[y * across], across, 1, better);
      std::copy(&padded_[y * across], &padded_[y * across] + width, paper_.row(y));
    }
  };
  filter([](double a, double b) { return a > b ? a : b; });
  filter([](double a, double b) { return a < b ? a : b; });
}

// Sets ink, and its `runs_`.
void Preparation::only_ink(double* ink) {
  const long pixels = contrast_.size();
  const double threshold = otsu();
  long below = 0;  // so many are paper
  for (const double value : contrast_.values) below += value < threshold;
  const double full = in_order(pixels - std::max(1L, (pixels - below) / 10));
  double low = 0;
  if (below) {
    const double usual = in_order(below / 2), less = in_order(below / 4);
    low = usual + c_.reach * (usual - less);
  }
  between(std::min(low, threshold), full, ink);
  find_runs();
  drop_specks(ink);
}

// Returns the threshold; leaves in `bins_` and `counts_` which of 256 equal ranges each contrast falls in.
double Preparation::otsu() {
  const long pixels = contrast_.size();
  bins_.resize(size_t(pixels));
  std::fill(counts_, counts_ + 256, 0L);
  const double scale = 256 / peak_;
  for (long i = 0; i < pixels; ++i) {
    bins_[i] = std::uint8_t(std::min(int(contrast_.values[i] * scale), 255));
    ++counts_[bins_[i]];
  }
  double whole = 0, weight = 0, total = 0, most = 0;
  for (int bin = 0; bin < 256; ++bin) whole += double(counts_[bin] * bin);
  int first = 0, last = 254;  // of those with the largest gain
  for (int bin = 0; bin < 255; ++bin) {
    weight += double(counts_[bin]);
    total += double(counts_[bin] * bin);
    const double both = weight * (double(pixels) - weight), apart = whole * weight - total * double(pixels);
    const double gain = both > 0 ? apart * apart / both : 0;
    if (gain > most) {
      most = gain;
      first = last = bin;
    } else if (gain == most && most > 0) {
      last = bin;
    }
  }
  return double((first + last) / 2 + 1) * peak_ / 256;
}

// Returns the contrast that has so many before it; the ranges that `otsu` left say among which to look.
double Preparation::in_order(long place) {
  int bin = 0;
  while (bin < 255 && place >= counts_[bin]) place -= counts_[bin++];
  some_.resize(size_t(counts_[bin]) + 1);  // one more: each is written, and stays if it counts
  long count = 0;
  for (long i = 0; i < contrast_.size(); ++i) {
    some_[count] = contrast_.values[i];
    count += bins_[i] == bin;
  }
  some_.pop_back();
  std::nth_element(some_.begin(), some_.begin() + place, some_.end());
  return some_[size_t(place)];
}

// Sets ink, and in `inked_` where there is some.
void Preparation::between(double low, double full, double* ink) {
  const long height = contrast_.height, width = contrast_.width, wide = width + 2;
  low = std::min(low, 0.5 * full);
  marks_.assign(size_t((height + 2) * wide), 0);
  for (long y = 0; y < height; ++y) {
    const double* contrast = contrast_.row(y);
    double* row = ink + y * width;
    std::uint8_t* marks = &marks_[(y + 1) * wide + 1];
    for (long x = 0; x < width; ++x) row[x] = clip((contrast[x] - low) / (full - low));
    for (long x = 0; x < width; ++x) marks[x] = row[x] > c_.pale;
  }
  tall_.resize(size_t(wide));
  inked_.resize(size_t(contrast_.size()));
  for (long y = 0; y < height; ++y) {
    const std::uint8_t* marks = &marks_[y * wide];
    for (long x = 0; x < wide; ++x) tall_[x] = marks[x] | marks[x + wide] | marks[x + 2 * wide];
    double* row = ink + y * width;
    std::uint8_t* inked = &inked_[y * width];
    for (long x = 0; x < width; ++x) inked[x] = (tall_[x] | tall_[x + 1] | tall_[x + 2]) & (row[x] > c_.edge);
    for (long x = 0; x < width; ++x) row[x] = inked[x] ? row[x] : 0.0;
  }
}

void Preparation::find_runs() {
  runs_.clear();
  for (long y = 0; y < contrast_.height; ++y) {
    const std::uint8_t* const row = &inked_[y * contrast_.width];
    const std::uint8_t* const end = row + contrast_.width;
    const auto next = [&](const std::uint8_t* from, int value) {
      const void* found = from < end ? std::memchr(from, value, size_t(end - from)) : nullptr;
      return found ? static_cast<const std::uint8_t*>(found) : end;
    };
    for (const std::uint8_t* from = next(row, 1); from < end;) {
      const std::uint8_t* to = next(from, 0);
      runs_.push_back({y, from - row, to - row, 0});
      from = next(to, 1);
    }
  }
}

// Takes away the spots of ink, joined by sides and corners, that are small beside the largest.
void Preparation::drop_specks(double* ink) {
  const long width = contrast_.width;
  parents_.clear();
  const auto root = [&](int spot) {
    while (parents_[spot] != spot) spot = parents_[spot] = parents_[parents_[spot]];
    return spot;
  };
  size_t above = 0;  // the first run that may touch the next one from the row above
  for (Run& run : runs_) {
    run.spot = int(parents_.size());
    parents_.push_back(run.spot);
    while (runs_[above].row < run.row - 1 || (runs_[above].row == run.row - 1 && runs_[above].last < run.first))
      ++above;
    for (size_t i = above; runs_[i].row == run.row - 1 && runs_[i].first <= run.last; ++i) {
      const int one = root(run.spot), two = root(runs_[i].spot);
      parents_[std::max(one, two)] = std::min(one, two);
    }
  }
  sizes_.assign(parents_.size(), 0.0);
  for (Run& run : runs_) {
    double& size = sizes_[run.spot = root(run.spot)];
    for (long x = run.first; x < run.last; ++x) size += ink[run.row * width + x];
  }
  const double least = c_.speck * largest(sizes_);
  const auto speck = [&](const Run& run) { return sizes_[run.spot] < least; };
  for (const Run& run : runs_)
    if (speck(run)) std::fill(ink + run.row * width + run.first, ink + run.row * width + run.last, 0.0);
  runs_.erase(std::remove_if(runs_.begin(), runs_.end(), speck), runs_.end());
}

// The crop's rows lie as far apart as those of `contrast_`.
void Preparation::fit(const double* ink, long height, long width, std::uint8_t* image) {
  const long side = long(c_.side);
  const double ratio = c_.box / double(std::max(height, width));
  small_.shape(std::max(1L, round_half_up(double(height) * ratio)), std::max(1L, round_half_up(double(width) * ratio)));
  std::vector<double>& small = small_.values;
  resample_(ink, height, width, contrast_.width, small.data(), small_.height, small_.width);
  double top = 0;
  for (double& value : small) top = std::max(top, value = steady(value));
  some_.clear();
  for (const double value : small)
    if (value > 0.5 * top) some_.push_back(value);
  const auto strongest = some_.end() - std::max<std::ptrdiff_t>(1, std::ptrdiff_t(some_.size() / 10));
  std::nth_element(some_.begin(), strongest, some_.end());
  const double full = *strongest;
  double mass = 0, down = 0, across = 0;
  for (long y = 0; y < small_.height; ++y)
    for (long x = 0; x < small_.width; ++x) {
      double& value = small_.row(y)[x];
      value = std::min(value / full, 1.0);
      mass += value;
      down += value * double(y);
      across += value * double(x);
    }
  const auto place = [&](double centre, long length) {
    const double moved =
        std::floor((c_.centre - centre) * 1e6 + 0.5) / 1e6;  // a tie is not the sums' last bits' to decide
    return std::clamp(round_half_up(moved), 0L, side - length);
  };
  image += place(down / mass, small_.height) * side + place(across / mass, small_.width);
  for (long y = 0; y < small_.height; ++y)
    for (long x = 0; x < small_.width; ++x)
      image[y * side + x] = std::uint8_t(std::floor(small_.row(y)[x] * 255 + 0.5));
}

}  // namespace

Found prepare(const double* picture, long height, long width, int invert, const Constants& constants,
              std::uint8_t* image, double* grey, double* ink) {
  static thread_local Preparation preparation;
  return preparation.run(picture, height, width, invert, constants, image, grey, ink);
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
