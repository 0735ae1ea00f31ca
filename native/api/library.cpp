#include <algorithm>
#include <atomic>

#include "api/inksight.h"
#include "api/succeeds.h"
#include "predict/predictor.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"

struct inksight_predictor {
  inksight::Predictor predictor;
};

int inksight_abi() { return INKSIGHT_ABI; }

#define QUOTE(text) #text
#define VERSION(major, minor, patch) QUOTE(major) "." QUOTE(minor) "." QUOTE(patch)

const char* inksight_compiler() {
#if defined(__apple_build_version__)  // numbered otherwise than Clang
  return "Apple Clang " VERSION(__clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__clang__)
  return "Clang " VERSION(__clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return "GCC " VERSION(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

const char* inksight_isa() { return inksight::kernels().name; }

int inksight_use(const char* isa) { return inksight::use_kernels(isa); }

int inksight_threads() { return inksight::pool().threads(); }

void inksight_choose_threads(int threads) { inksight::choose_threads(threads); }

double inksight_peak() {
  const int threads = std::min(inksight::pool().threads(), inksight::usable_cores());  // others would only take turns
  std::atomic<double> total{0};
  inksight::pool().run(threads, [&](int) {
    const double rate = inksight::kernels().peak(20'000'000);
    for (double sum = total; !total.compare_exchange_weak(sum, sum + rate);) {
    }
  });
  return total;
}

inksight_predictor* inksight_predictor_new(const inksight_network* network, const inksight_bank* banks,
                                           const float* weights) {
  inksight_predictor* made = nullptr;
  inksight::succeeds([&] {
    inksight::Description description{{}, network->dense, network->classes, network->leak, network->mean,
                                      network->variance};
    int channels = 1, side = network->side;
    for (int i = 0; i < network->banks; ++i) {
      const inksight::Shape shape{channels, side, side, banks[i].filters, banks[i].kernel, banks[i].pool};
      description.banks.push_back(shape);
      channels = shape.filters;
      side = shape.out_height();
    }
    made = new inksight_predictor{inksight::Predictor(description, weights)};
  });
  return made;
}

void inksight_predictor_free(inksight_predictor* predictor) { delete predictor; }

int inksight_predict(const inksight_predictor* predictor, const std::uint8_t* bytes, const float* floats, long n,
                     const inksight_stages* stages) {
  return inksight::succeeds([&] { predictor->predictor.predict(bytes, floats, n, *stages); });
}

int inksight_preprocess(const double* picture, long height, long width, int invert, const inksight_constants* constants,
                        std::uint8_t* image, double* gray, double* ink, inksight_found* found) {
  return inksight::succeeds([&] {
    *found = inksight::kernels().preprocess(picture, height, width, invert, *constants, image, gray, ink);
  });
}
