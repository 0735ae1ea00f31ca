// The ink in a contrast picture, without paper noise and specks.
#pragma once
#include <cstdint>
#include <vector>

#include "image/pixels.h"
#include "image/preprocess.h"

namespace inksight {
namespace INKSIGHT_ISA {

// Neighbouring ink pixels of a row, from `first` to before `last`, and the connected component they belong to.
struct Run {
  long row, first, last;
  int component;
};

class Foreground {
 public:
  // Write the ink, 0..1 with the strokes' core at 1, to `ink`. `peak` is the largest contrast.
  void extract_foreground(const Grayscale& contrast, double peak, const Constants& constants, double* ink);

  // The runs of the ink that extract_foreground left, in the order of rows and columns.
  const std::vector<Run>& runs() const { return runs_; }

 private:
  double otsu(const Grayscale& contrast, double peak);
  double order_statistic(const Grayscale& contrast, long rank);
  void normalize_contrast(const Grayscale& contrast, double low, double full, const Constants& constants, double* ink);
  void find_runs(long height, long width);
  void drop_specks(long width, double speck_share, double* ink);

  std::vector<std::uint8_t> bins_, strong_, strong_nearby_, mask_;
  long counts_[256];
  std::vector<double> values_, sizes_;
  std::vector<Run> runs_;
  std::vector<int> parents_;
};

}  // namespace INKSIGHT_ISA
}  // namespace inksight
