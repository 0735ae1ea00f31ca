// The placement of a digit's ink in the frame of an MNIST image.
#pragma once
#include <cstdint>
#include <vector>

#include "image/pixels.h"
#include "image/preprocess.h"
#include "image/resample.h"

namespace inksight {
namespace INKSIGHT_ISA {

class Framing {
 public:
  // Scale a digit's ink (height, width), with rows `stride` apart, to the box, and place it in `image` with its center
  // of mass in the middle. `image` holds side x side zeros.
  void center_in_frame(const double* ink, long height, long width, long stride, const Constants& constants,
                       std::uint8_t* image);

 private:
  Resampler resample_;
  Grayscale small_;
  std::vector<double> core_;
};

}  // namespace INKSIGHT_ISA
}  // namespace inksight
