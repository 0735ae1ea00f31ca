// The light on the paper: which way ink differs from paper, and the contrast of a picture under even light.
#pragma once
#include <vector>

#include "image/pixels.h"
#include "image/preprocess.h"
#include "image/resample.h"

namespace inksight {
namespace INKSIGHT_ISA {

class Illumination {
 public:
  Grayscale coarse;  // the picture, downscaled to the illumination grid; set it before calling the functions below

  // Return which way ink differs from the paper around it, from -1, clearly darker, to 1, clearly lighter.
  double polarity_score(const Constants& constants);

  // Set `contrast`, already of the picture's size, to the share of the paper's brightness that each pixel lacks, 0..1.
  // Inverts `coarse` for light ink.
  void flatten_illumination(const double* picture, bool dark, const Constants& constants, Grayscale& contrast);

 private:
  void fit_illumination_plane(int rounds, double slope_ridge);
  void closing(long window);

  Resampler resample_;
  Grayscale plane_, background_;
  std::vector<double> included_, padded_;
};

}  // namespace INKSIGHT_ISA
}  // namespace inksight
