#include <new>
#include <vector>

#include "api/inksight.h"
#include "predict/predictor.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"

struct inksight_predictor {
  inksight::Predictor predictor;
};

int inksight_abi() { return INKSIGHT_ABI; }

const char* inksight_isa() { return inksight::kernels().name; }

int inksight_use(const char* isa) { return inksight::use_kernels(isa); }

int inksight_threads() { return inksight::pool().threads(); }

double inksight_peak() {
  const int threads = inksight::pool().threads();
  std::vector<double> rates(threads);
  inksight::pool().run(threads, [&](int i) { rates[i] = inksight::kernels().peak(20'000'000); });
  double total = 0;
  for (const double rate : rates) total += rate;
  return total;
}

inksight_predictor* inksight_predictor_new(const int* banks, int count, int side, int dense, int classes,
                                           const float* scalars, const float* weights) {
  try {
    inksight::Description network{{}, dense, classes, scalars[0], scalars[1], scalars[2]};
    int channels = 1;
    for (int i = 0; i < count; ++i, banks += 3) {
      const inksight::Shape shape{channels, side, side, banks[0], banks[1], banks[2]};
      network.banks.push_back(shape);
      channels = shape.filters;
      side = shape.out_height();
    }
    return new inksight_predictor{inksight::Predictor(network, weights)};
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void inksight_predictor_free(inksight_predictor* predictor) { delete predictor; }

int inksight_predict(const inksight_predictor* predictor, const std::uint8_t* bytes, const float* floats, long n,
                     float* const* stages) {
  try {
    predictor->predictor.predict(bytes, floats, n, stages);
    return 1;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

int inksight_preprocess(const double* picture, long height, long width, int invert, const inksight_constants* constants,
                        std::uint8_t* image, double* gray, double* ink, inksight_found* found) {
  try {
    *found = inksight::kernels().preprocess(picture, height, width, invert, *constants, image, gray, ink);
    return 1;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}
