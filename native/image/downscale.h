// Downscaling of pictures to a maximum side: `downscale` of src/inksight/imaging/resampling.py.
#pragma once
#include "image/pixels.h"
#include "image/resample.h"

namespace inksight {
namespace INKSIGHT_ISA {

// The size of a picture after downscaling.
struct Downscaled {
  long size[2];          // pixels: height and width
  double pixel_size[2];  // pixels of the original picture: height and width of a new pixel
};

class Downscaler {
 public:
  // Downscale a picture to at most `max_side` pixels per side, and write it to `out`. A very large picture is first
  // reduced to the means of square blocks, to about four times that size.
  Downscaled operator()(const double* picture, long height, long width, long max_side, double* out);

 private:
  void block_mean(const double* picture, long height, long width, long block);

  Resampler resample_;
  Grayscale blocks_;
};

}  // namespace INKSIGHT_ISA
}  // namespace inksight
