// The library's plain C interface, for ctypes: what was built and chosen, prediction, and preparation.
#include <cstdint>
#include <new>

#include "predict/predictor.h"
#include "runtime/pool.h"
#include "train/batch.h"

#pragma GCC visibility push(default)
extern "C" {

const char* inksight_isa() { return inksight::kernels().name; }

int inksight_use(const char* isa) { return inksight::use_kernels(isa); }

int inksight_threads() { return inksight::pool().threads(); }

// Multiply-adds a second of all threads together, measured on registers for about a tenth of a second.
double inksight_peak() {
  const int threads = inksight::pool().threads();
  double total = 0;
  double rates[256] = {};
  inksight::pool().run(threads, [&](int i) { rates[i] = inksight::kernels().peak(20'000'000); });
  for (int i = 0; i < threads; ++i) total += rates[i];
  return total;
}

// `banks` holds filters, kernel and pool of each; `numbers` leak, mean and variance. Null if memory runs out.
inksight::Predictor* inksight_predictor(const int* banks, int count, int side, int dense, int classes,
                                        const float* numbers, const float* weights) {
  inksight::Description net{{}, dense, classes, numbers[0], numbers[1], numbers[2]};
  int channels = 1;
  for (int i = 0; i < count; ++i, banks += 3) {
    const inksight::Shape shape{channels, side, side, banks[0], banks[1], banks[2]};
    net.banks.push_back(shape);
    channels = shape.filters;
    side = shape.out_height();
  }
  try {
    return new inksight::Predictor(net, weights);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void inksight_predictor_free(inksight::Predictor* predictor) { delete predictor; }

int inksight_predict(const inksight::Predictor* predictor, const std::uint8_t* bytes, const float* floats, long n,
                     float* const* stages) {
  try {
    predictor->predict(bytes, floats, n, stages);
    return 1;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

int inksight_prepare(const double* picture, long height, long width, int invert, const inksight::Constants* constants,
                     std::uint8_t* image, double* grey, double* ink, inksight::Found* found) {
  try {
    *found = inksight::kernels().prepare(picture, height, width, invert, *constants, image, grey, ink);
    return 1;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}
}
#pragma GCC visibility pop
