#include <algorithm>
#include <mutex>
#include <new>

#include "api/inksight.h"
#include "predict/predictor.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"
#include "train/trainer.h"

struct inksight_predictor {
  inksight::Predictor predictor;
};

struct inksight_trainer {
  inksight::Trainer trainer;
};

namespace {

// Run `work`. Return 0 if memory runs out, else 1: no exception may reach C.
template <class Work>
int succeeds(const Work& work) noexcept {
  try {
    work();
    return 1;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

}  // namespace

int inksight_abi() { return INKSIGHT_ABI; }

const char* inksight_isa() { return inksight::kernels().name; }

int inksight_use(const char* isa) { return inksight::use_kernels(isa); }

int inksight_threads() { return inksight::pool().threads(); }

void inksight_choose_threads(int threads) { inksight::choose_threads(threads); }

double inksight_peak() {
  const int threads = std::min(inksight::pool().threads(), inksight::usable_cores());  // others would only take turns
  std::mutex adding;
  double total = 0;
  inksight::pool().run(threads, [&](int) {
    const double rate = inksight::kernels().peak(20'000'000);
    std::lock_guard<std::mutex> lock(adding);
    total += rate;
  });
  return total;
}

inksight_predictor* inksight_predictor_new(const inksight_network* network, const inksight_bank* banks,
                                           const float* weights) {
  inksight_predictor* made = nullptr;
  succeeds([&] {
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
  return succeeds([&] { predictor->predictor.predict(bytes, floats, n, *stages); });
}

inksight_trainer* inksight_trainer_new(const inksight_network* network, const inksight_bank* banks,
                                       const inksight_recipe* recipe, const float* weights) {
  inksight_trainer* made = nullptr;
  succeeds([&] { made = new inksight_trainer{inksight::Trainer(*network, banks, *recipe, weights)}; });
  return made;
}

void inksight_trainer_free(inksight_trainer* trainer) { delete trainer; }

int inksight_trainer_steps(inksight_trainer* trainer, const std::uint8_t* images, long count,
                           const inksight_batches* batches, double* losses, std::int64_t* correct) {
  return succeeds([&] { trainer->trainer.take(images, count, *batches, losses, correct); });
}

int inksight_trainer_gradient(inksight_trainer* trainer, const std::uint8_t* images, long count,
                              const inksight_batches* batches, double total_weight, float* gradient, double* loss,
                              std::int64_t* correct) {
  return succeeds([&] {
    const inksight::Loss result = trainer->trainer.gradient(images, count, *batches, total_weight, gradient);
    *loss = result.sum;
    *correct = result.correct;
  });
}

int inksight_trainer_update(inksight_trainer* trainer, const float* gradient, double rate) {
  return succeeds([&] { trainer->trainer.optimizer.update(gradient, rate); });
}

void inksight_trainer_read(const inksight_trainer* trainer, float* weights, float* first, float* second,
                           std::int64_t* steps) {
  trainer->trainer.optimizer.read(weights, first, second, steps);
}

void inksight_trainer_write(inksight_trainer* trainer, const float* weights, const float* first, const float* second,
                            long steps) {
  trainer->trainer.optimizer.write(weights, first, second, steps);
}

int inksight_apply(const inksight_block* block) {
  return succeeds([&] {
    const inksight_block& b = *block;
    const inksight::Shape s{b.channels, b.height, b.width, b.filters, b.kernel, b.pool};
    const inksight::Kernels& k = inksight::kernels();
    const auto packed = inksight::make_buffer(s.packed()), packed_backward = inksight::make_buffer(s.packed());
    const auto gradients = inksight::make_buffer((s.weights() + s.filters) * b.groups);
    k.pack_forward(s, b.w, packed.get());
    k.pack_backward(s, b.w, packed_backward.get());
    inksight::pool().run(b.groups, [&](int g) {
      const float* x = b.x + g * s.input();
      float* y = b.y + g * s.output();
      auto* argmax = reinterpret_cast<std::uint8_t*>(inksight::scratch(inksight::Use::ACTIVATIONS, s.output() / 4));
      k.forward(s, x, packed.get(), b.b, b.leak, y, argmax);
      if (!b.dy) return;
      const long dy_size = b.dy_per_position ? s.output() : long(s.filters) * inksight::LANES;
      float* dw = gradients.get() + g * (s.weights() + s.filters);
      k.backward(s, x, b.dx ? packed_backward.get() : nullptr, y, argmax, b.dy + g * dy_size, b.dy_per_position, b.leak,
                 b.dx ? b.dx + g * s.input() : nullptr, dw, dw + s.weights());
    });
    if (!b.dy) return;
    std::fill_n(b.dw, s.weights(), 0.0f);
    std::fill_n(b.db, s.filters, 0.0f);
    for (int g = 0; g < b.groups; ++g) {
      const float* dw = gradients.get() + g * (s.weights() + s.filters);
      for (long i = 0; i < s.weights(); ++i) b.dw[i] += dw[i];
      for (int f = 0; f < s.filters; ++f) b.db[f] += dw[s.weights() + f];
    }
  });
}

int inksight_preprocess(const double* picture, long height, long width, int invert, const inksight_constants* constants,
                        std::uint8_t* image, double* gray, double* ink, inksight_found* found) {
  return succeeds([&] {
    *found = inksight::kernels().preprocess(picture, height, width, invert, *constants, image, gray, ink);
  });
}
