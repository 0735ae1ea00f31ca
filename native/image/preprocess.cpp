#include "image/preprocess.h"

#include <algorithm>
#include <cmath>

#include "image/downscale.h"
#include "image/foreground.h"
#include "image/framing.h"
#include "image/illumination.h"
#include "image/pixels.h"
#include "runtime/scratch.h"

namespace inksight {
namespace INKSIGHT_ISA {

namespace {

// The steps, with the memory that they keep between pictures.
class Preprocessor {
 public:
  Found run(const double* picture, long height, long width, int invert, const Constants& constants, std::uint8_t* image,
            double* gray, double* ink);

 private:
  Downscaler downscale_;
  Illumination illumination_;
  Grayscale contrast_;
  Foreground foreground_;
  Framing framing_;
};

Found Preprocessor::run(const double* picture, long height, long width, int invert, const Constants& constants,
                        std::uint8_t* image, double* gray, double* ink) {
  Found found{};
  std::fill(image, image + long(constants.side * constants.side), std::uint8_t(0));
  const auto [size, pixel_size] = downscale_(picture, height, width, long(constants.working_size), gray);
  found.height = size[0];
  found.width = size[1];
  Grayscale& coarse = illumination_.coarse;
  const long grid = long(constants.illumination_grid);
  coarse.resize(std::min(size[0], grid), std::min(size[1], grid));
  const Downscaled cells = downscale_(gray, size[0], size[1], grid, coarse.values.data());
  coarse.resize(cells.size[0], cells.size[1]);
  const double polarity = invert < 0 ? illumination_.polarity_score(constants) : invert ? 1.0 : -1.0;
  found.dark = polarity <= 0;
  contrast_.resize(size[0], size[1]);
  illumination_.flatten_illumination(gray, found.dark, constants, contrast_);
  const double peak = largest(contrast_.values);
  if (peak < constants.min_contrast) {
    std::fill(ink, ink + contrast_.size(), 0.0);
    found.problem = peak < constants.min_contrast / 2 ? INKSIGHT_BLANK : INKSIGHT_FAINT;
    return found;
  }
  foreground_.extract_foreground(contrast_, peak, constants, ink);
  const std::vector<Run>& runs = foreground_.runs();
  if (runs.empty()) {
    found.problem = INKSIGHT_FAINT;
    return found;
  }
  long first[2] = {runs.front().row, size[1]}, last[2] = {runs.back().row + 1, 0};  // rows and columns with ink
  for (const Run& run : runs) {
    first[1] = std::min(first[1], run.first);
    last[1] = std::max(last[1], run.last);
  }
  const long lengths[2] = {height, width};
  long begin[2], end[2];  // the box in the original picture
  for (int axis = 0; axis < 2; ++axis) {
    begin[axis] = long(double(first[axis]) * pixel_size[axis]);
    end[axis] = std::min(long(std::ceil(double(last[axis]) * pixel_size[axis])), lengths[axis]);
  }
  found.box_top = begin[0];
  found.box_left = begin[1];
  found.box_height = end[0] - begin[0];
  found.box_width = end[1] - begin[1];
  if (double(std::max(found.box_height, found.box_width)) < constants.min_size) {
    found.problem = INKSIGHT_SMALL;
    return found;
  }
  found.polarity_ambiguous = std::abs(polarity) < constants.polarity_threshold;
  framing_.center_in_frame(ink + first[0] * size[1] + first[1], last[0] - first[0], last[1] - first[1], size[1],
                           constants, image);
  return found;
}

}  // namespace

Found preprocess(const double* picture, long height, long width, int invert, const Constants& constants,
                 std::uint8_t* image, double* gray, double* ink) {
  return kept<Preprocessor>().run(picture, height, width, invert, constants, image, gray, ink);
}

}  // namespace INKSIGHT_ISA
}  // namespace inksight
