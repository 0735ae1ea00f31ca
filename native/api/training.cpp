// The part of the C interface that trains.
#include <algorithm>

#include "api/inksight.h"
#include "api/succeeds.h"
#include "runtime/dispatch.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"
#include "train/trainer.h"

struct inksight_trainer {
  inksight::Trainer trainer;
};

inksight_trainer* inksight_trainer_new(const inksight_network* network, const inksight_bank* banks,
                                       const inksight_recipe* recipe, const float* weights) {
  inksight_trainer* made = nullptr;
  inksight::succeeds([&] { made = new inksight_trainer{inksight::Trainer(*network, banks, *recipe, weights)}; });
  return made;
}

void inksight_trainer_free(inksight_trainer* trainer) { delete trainer; }

int inksight_trainer_steps(inksight_trainer* trainer, const std::uint8_t* images, long count,
                           const inksight_batches* batches, double* losses, std::int64_t* correct) {
  return inksight::succeeds([&] { trainer->trainer.take(images, count, *batches, losses, correct); });
}

int inksight_trainer_gradient(inksight_trainer* trainer, const std::uint8_t* images, long count,
                              const inksight_batches* batches, double total_weight, float* gradient, double* loss,
                              std::int64_t* correct) {
  return inksight::succeeds([&] {
    const inksight::Loss result = trainer->trainer.gradient(images, count, *batches, total_weight, gradient);
    *loss = result.sum;
    *correct = result.correct;
  });
}

int inksight_trainer_update(inksight_trainer* trainer, const float* gradient, double rate) {
  return inksight::succeeds([&] { trainer->trainer.optimizer().update(gradient, rate); });
}

void inksight_trainer_read(const inksight_trainer* trainer, float* weights, float* first, float* second,
                           std::int64_t* steps) {
  trainer->trainer.optimizer().read(weights, first, second, steps);
}

void inksight_trainer_write(inksight_trainer* trainer, const float* weights, const float* first, const float* second,
                            long steps) {
  trainer->trainer.optimizer().write(weights, first, second, steps);
}

int inksight_apply(const inksight_block* block) {
  return inksight::succeeds([&] {
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
