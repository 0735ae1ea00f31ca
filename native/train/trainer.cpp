#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/dispatch.h"
#include "runtime/pool.h"

namespace inksight {

namespace {

// The lane groups of a batch are shared out to slots, each of which adds up the gradients of its groups; then the slots
// are added up in their order. Their number does not depend on the number of threads, so neither does the result.
constexpr int MAX_SLOTS = 64;
constexpr long MAX_SLOT_FLOATS = 1 << 24;  // in all slots together

constexpr long CHUNK = 8192;  // weights whose slots a task adds up

}  // namespace

Trainer::Trainer(const inksight_network& network, const inksight_bank* banks, const Recipe& recipe,
                 const float* weights)
    : network_(network), layers_(network, banks), optimizer_(recipe, layers_.tensors, weights),
      smoothing_(float(recipe.label_smoothing)), max_input_(0) {
  long size = 0;
  for (const Layers::Bank& bank : layers_.banks) {
    packed_forward_.push_back(make_buffer(bank.shape.packed()));
    packed_backward_.push_back(make_buffer(bank.shape.packed()));
    maps_.push_back(size);
    size += bank.shape.input();
    max_input_ = std::max(max_input_, bank.shape.input());
  }
  maps_.push_back(size);
  size += layers_.banks.back().shape.output();
  for (const Layers::Bank& bank : layers_.banks) {
    argmax_.push_back(size);
    if (bank.shape.pool == 2) size += (bank.shape.output() + 3) / 4;  // a byte each
  }
  activations_ = size;
  effective_ = make_buffer(layers_.effective_size);
  gradient_ = make_buffer(optimizer_.size());
}

void Trainer::take(const std::uint8_t* images, long count, const Batches& batches, double* losses,
                   std::int64_t* correct) {
  for (int step = 0; step < batches.steps; ++step) {
    const long first = long(step) * batches.size;
    Batches batch = batches;
    batch.rows += first;
    batch.weights += first;
    batch.lattices += first * 2 * KNOTS * KNOTS;
    if (batch.labels) batch.labels += first;
    if (batch.targets) batch.targets += first * network_.classes;
    double total = 0;
    for (int i = 0; i < batch.size; ++i) total += batch.weights[i];
    const Loss loss = gradient(images, count, batch, total, gradient_.get());
    losses[step] = total > 0 ? loss.sum / total : 0;
    correct[step] = loss.correct;
    optimizer_.update(gradient_.get(), batches.rates[step]);
  }
}

Loss Trainer::gradient(const std::uint8_t* images, long count, const Batches& batch, double total_weight,
                       float* gradient) {
  const int groups = (batch.size + LANES - 1) / LANES;
  const long size = layers_.effective_size;
  const int slots = int(std::min<long>({groups, MAX_SLOTS, std::max(1L, MAX_SLOT_FLOATS / size)}));
  if (slots_size_ < slots * size) {
    slots_size_ = 0;
    slots_ = make_buffer(slots * size);
    slots_size_ = slots * size;
  }
  pack();
  const float scale = total_weight > 0 ? float(1 / total_weight) : 0.0f;
  Loss losses[MAX_SLOTS];
  pool().run(slots, [&](int slot) {
    float* sum = slots_.get() + slot * size;
    std::fill_n(sum, size, 0.0f);
    for (int g = int(long(groups) * slot / slots); g < int(long(groups) * (slot + 1) / slots); ++g) {
      const Loss loss = group_gradient(images, count, batch, g * LANES, scale, sum);
      losses[slot].sum += loss.sum;
      losses[slot].correct += loss.correct;
    }
  });
  float* total = slots_.get();
  pool().run(int((size + CHUNK - 1) / CHUNK), [&](int task) {
    const long begin = task * CHUNK, end = std::min(begin + CHUNK, size);
    for (int slot = 1; slot < slots; ++slot) {
      const float* other = slots_.get() + slot * size;
      for (long i = begin; i < end; ++i) total[i] += other[i];
    }
  });
  layers_.contract(optimizer_.weights(), total, gradient);

  Loss loss;
  for (int slot = 0; slot < slots; ++slot) {
    loss.sum += losses[slot].sum;
    loss.correct += losses[slot].correct;
  }
  return loss;
}

void Trainer::pack() {
  layers_.expand(optimizer_.weights(), effective_.get());
  const int banks = int(layers_.banks.size());
  pool().run(2 * banks, [&](int task) {
    const Layers::Bank& bank = layers_.banks[task / 2];
    const float* kernel = effective_.get() + bank.effective;
    if (task % 2 == 0)
      kernels().pack_forward(bank.shape, kernel, packed_forward_[task / 2].get());
    else if (task > 1)  // the images need no gradient
      kernels().pack_backward(bank.shape, kernel, packed_backward_[task / 2].get());
  });
}

Loss Trainer::group_gradient(const std::uint8_t* images, long count, const Batches& batch, int first, float scale,
                             float* gradient) const {
  const Kernels& k = kernels();
  const int n = std::min(LANES, batch.size - first), banks = int(layers_.banks.size());
  const float* weights = effective_.get();
  float* activations = scratch(Use::ACTIVATIONS, activations_);
  const auto maps = [&](int i) { return activations + maps_[i]; };
  const auto argmax = [&](int i) {
    return layers_.banks[i].shape.pool == 2 ? reinterpret_cast<std::uint8_t*>(activations + argmax_[i]) : nullptr;
  };

  k.warp(images, count, network_.side, batch.rows + first, batch.lattices + long(first) * 2 * KNOTS * KNOTS, n,
         network_.mean, network_.variance, maps(0));
  for (int i = 0; i < banks; ++i) {
    const Layers::Bank& bank = layers_.banks[i];
    k.forward(bank.shape, maps(i), packed_forward_[i].get(), weights + bank.bias(), network_.leak, maps(i + 1), argmax(i));
  }
  const Shape& last = layers_.banks.back().shape;
  const int positions = last.out_height() * last.out_width();
  const bool has_hidden = layers_.dense.size() > 1;
  const Layers::Dense& output = layers_.dense.back();
  const long hidden_size = has_hidden ? long(output.inputs) * LANES : 0;
  float* barcode = scratch(Use::HEAD, 2 * (long(last.filters) * LANES + hidden_size + long(output.units) * LANES));
  float *hidden = barcode + long(last.filters) * LANES, *logits = hidden + hidden_size;
  float *d_logits = logits + long(output.units) * LANES, *d_hidden = d_logits + long(output.units) * LANES;
  float* d_barcode = d_hidden + hidden_size;
  k.average(last.filters, positions, maps(banks), barcode);
  const float* x = barcode;
  if (has_hidden) {
    const Layers::Dense& layer = layers_.dense.front();
    const float* w = weights + layer.effective;
    k.dense_forward(layer.inputs, layer.units, barcode, w, w + layer.size(), hidden);
    for (long i = 0; i < hidden_size; ++i) hidden[i] = hidden[i] > 0 ? hidden[i] : hidden[i] * network_.leak;
    x = hidden;
  }
  const float* w = weights + output.effective;
  k.dense_forward(output.inputs, output.units, x, w, w + output.size(), logits);

  const Answers answers{batch.labels ? batch.labels + first : nullptr,
                        batch.targets ? batch.targets + long(first) * network_.classes : nullptr,
                        batch.weights + first};
  const Loss loss = cross_entropy(output.units, n, logits, answers, scale, smoothing_, d_logits);

  float* dw = gradient + output.effective;
  k.dense_backward(output.inputs, output.units, x, w, d_logits, has_hidden ? d_hidden : d_barcode, dw, dw + output.size());
  if (has_hidden) {
    const Layers::Dense& layer = layers_.dense.front();
    for (long i = 0; i < hidden_size; ++i) d_hidden[i] = hidden[i] > 0 ? d_hidden[i] : d_hidden[i] * network_.leak;
    dw = gradient + layer.effective;
    k.dense_backward(layer.inputs, layer.units, barcode, weights + layer.effective, d_hidden, d_barcode, dw,
                     dw + layer.size());
  }
  // The gradient of a mean is one value for a whole feature map.
  for (long i = 0; i < long(last.filters) * LANES; ++i) d_barcode[i] /= float(positions);
  const float* dy = d_barcode;
  float *dx = scratch(Use::STAGE, max_input_), *next = scratch(Use::NEXT_STAGE, max_input_);
  for (int i = banks - 1; i >= 0; --i) {
    const Layers::Bank& bank = layers_.banks[i];
    const Shape& s = bank.shape;
    float* bank_gradient = scratch(Use::GROUPS, s.weights() + s.filters);
    k.backward(s, maps(i), i ? packed_backward_[i].get() : nullptr, maps(i + 1), argmax(i), dy, i < banks - 1,
               network_.leak, i ? dx : nullptr, bank_gradient, bank_gradient + s.weights());
    float* sum = gradient + bank.effective;
    for (long j = 0; j < s.weights() + s.filters; ++j) sum[j] += bank_gradient[j];
    dy = dx;
    std::swap(dx, next);
  }
  return loss;
}

}  // namespace inksight
