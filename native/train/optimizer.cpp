#include "train/optimizer.h"

#include <algorithm>
#include <cmath>

#include "runtime/dispatch.h"
#include "runtime/pool.h"

namespace inksight {

namespace {

// Jordan's quintic iteration (`zeropower_via_newtonschulz5`). It brings singular values to about 0.7 to 1.2, which
// suffices, in fewer steps than iterations that converge to 1.
constexpr float NEWTON_SCHULZ_COEFFICIENTS[] = {3.4445f, -4.7750f, 2.0315f};
constexpr int NEWTON_SCHULZ_STEPS = 5;
constexpr double UPDATE_RMS = 0.2;  // of Muon's updates, about that of Adam's, so that one learning rate suits both

constexpr long CHUNK = 8192;  // weights that a task updates

}  // namespace

Optimizer::Optimizer(const Recipe& recipe, const std::vector<Tensor>& tensors, const float* weights)
    : recipe_(recipe), tensors_(tensors), size_(tensors.back().offset + tensors.back().size()) {
  for (Buffer* buffer : {&weights_, &first_, &second_, &gradient_, &momentum_, &orthogonal_})
    *buffer = make_buffer(size_);
  std::copy(weights, weights + size_, weights_.get());
  std::fill_n(first_.get(), size_, 0.0f);
  std::fill_n(second_.get(), size_, 0.0f);
}

void Optimizer::update(const float* gradient, double rate) {
  float *w = weights_.get(), *first = first_.get(), *second = second_.get(), *g = gradient_.get();
  const float penalty = float(2 * recipe_.l2), m = float(recipe_.momentum), rest = float(1 - recipe_.momentum);
  for (const Tensor& t : tensors_)
    for (long i = t.offset; i < t.offset + t.size(); ++i) g[i] = t.is_bias ? gradient[i] : gradient[i] + penalty * w[i];

  std::vector<const Tensor*> by_muon;
  for (const Tensor& t : tensors_)
    if (recipe_.muon_scale > 0 && t.uses_muon) by_muon.push_back(&t);
  pool().run(int(by_muon.size()), [&](int task) {
    const Tensor& t = *by_muon[task];
    float* momentum = momentum_.get() + t.offset;
    for (long i = 0; i < t.size(); ++i) {
      const float next = m * first[t.offset + i] + rest * g[t.offset + i];
      momentum[i] = m * next + rest * g[t.offset + i];
    }
    kernels().orthogonalize(int(t.rows), int(t.columns), momentum, NEWTON_SCHULZ_STEPS, NEWTON_SCHULZ_COEFFICIENTS,
                            orthogonal_.get() + t.offset);
  });

  // From here on nothing needs memory.
  ++steps_;
  const double steps = double(steps_);
  const float corrected_rate =
      float(rate * std::sqrt(1 - std::pow(recipe_.beta2, steps)) / (1 - std::pow(recipe_.beta1, steps)));
  const float b1 = float(recipe_.beta1), rest1 = float(1 - recipe_.beta1);
  const float b2 = float(recipe_.beta2), rest2 = float(1 - recipe_.beta2), epsilon = float(recipe_.epsilon);
  for (const Tensor& t : tensors_) {
    const bool muon = recipe_.muon_scale > 0 && t.uses_muon;
    const float muon_rate =
        float(rate * recipe_.muon_scale * UPDATE_RMS * std::sqrt(double(std::max(t.rows, t.columns))));
    const float* orthogonal = orthogonal_.get();
    pool().run(int((t.size() + CHUNK - 1) / CHUNK), [&](int task) {
      const long begin = t.offset + task * CHUNK, end = std::min(begin + CHUNK, t.offset + t.size());
      for (long i = begin; i < end; ++i) second[i] = b2 * second[i] + rest2 * (g[i] * g[i]);
      if (muon) {
        for (long i = begin; i < end; ++i) first[i] = m * first[i] + rest * g[i];
        for (long i = begin; i < end; ++i) w[i] -= muon_rate * orthogonal[i];
      } else {
        for (long i = begin; i < end; ++i) first[i] = b1 * first[i] + rest1 * g[i];
        for (long i = begin; i < end; ++i) w[i] -= corrected_rate * first[i] / (std::sqrt(second[i]) + epsilon);
      }
    });
  }
}

void Optimizer::read(float* weights, float* first, float* second, std::int64_t* steps) const {
  std::copy(weights_.get(), weights_.get() + size_, weights);
  std::copy(first_.get(), first_.get() + size_, first);
  std::copy(second_.get(), second_.get() + size_, second);
  *steps = steps_;
}

void Optimizer::write(const float* weights, const float* first, const float* second, std::int64_t steps) {
  std::copy(weights, weights + size_, weights_.get());
  std::copy(first, first + size_, first_.get());
  std::copy(second, second + size_, second_.get());
  steps_ = steps;
}

}  // namespace inksight
