#include "predict/predictor.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "runtime/dispatch.h"
#include "runtime/pool.h"

namespace inksight {

namespace {

constexpr int MIN_GROUP = 9;  // images: from here on, a lane group is faster than one image after another

// Return where to write a bank, or null.
float* bank_of(const Stages& stages, std::size_t bank) { return stages.banks ? stages.banks[bank] : nullptr; }

}  // namespace

Predictor::Predictor(const Description& description, const float* weights)
    : network_(description), kernels_(kernels()), max_stage_(0) {
  const auto take = [&](long count) {
    const float* start = weights;
    weights += count;
    return start;
  };
  for (const Shape& s : network_.banks) {
    const float* kernel = take(s.weights());
    const float* bias = take(s.filters);
    const int padded = kernels_.padded_filters(s.filters);
    Bank bank{s, std::vector<float>(padded), make_buffer(s.packed()), make_buffer(s.packed() / s.filters * padded),
              padded};
    std::copy(bias, bias + s.filters, bank.bias.begin());
    kernels_.pack_forward(s, kernel, bank.packed.get());
    kernels_.pack_single(s, kernel, bank.packed_single.get());
    banks_.push_back(std::move(bank));
    max_stage_ = std::max({max_stage_, s.input(), s.output()});
  }
  int inputs = network_.banks.back().filters;
  const auto copy = [&](long count) {
    const float* start = take(count);
    return std::vector<float>(start, start + count);
  };
  if (network_.dense) {
    dense_ = copy(long(inputs) * network_.dense);
    dense_bias_ = copy(network_.dense);
    inputs = network_.dense;
  }
  output_ = copy(long(inputs) * network_.classes);
  output_bias_ = copy(network_.classes);
}

void Predictor::predict(const std::uint8_t* bytes, const float* floats, long n, const Stages& stages) const {
  const long groups = n / LANES, rest = n % LANES;
  const bool last_group = rest >= MIN_GROUP;
  const long tasks = groups + last_group;
  constexpr long MAX_TASKS = 1 << 20;  // per loop of the pool, which counts them in an int
  for (long first = 0; first < tasks; first += MAX_TASKS)
    pool().run(int(std::min(MAX_TASKS, tasks - first)), [&](int task) {
      const std::ptrdiff_t image = (first + task) * LANES;
      predict_group(bytes, floats, image, int(std::min<std::ptrdiff_t>(LANES, n - image)), stages);
    });
  for (long image = tasks * LANES; image < n; ++image) predict_single(bytes, floats, image, stages);
}

void Predictor::predict_group(const std::uint8_t* bytes, const float* floats, std::ptrdiff_t first, int n,
                              const Stages& stages) const {
  const Shape& input = network_.banks.front();
  const int pixels = input.height * input.width;
  const float inverse = 1 / std::sqrt(network_.variance);
  float* x = scratch(Use::STAGE, max_stage_);
  float* y = scratch(Use::NEXT_STAGE, max_stage_);
  // Writes a stage of the group as (image, position, channel), unless `out` is null.
  const auto write = [&](float* out, const float* in, int channels, long positions) {
    if (!out) return;
    out += first * channels * positions;
    for (int lane = 0; lane < n; ++lane)
      for (long p = 0; p < positions; ++p)
        for (int c = 0; c < channels; ++c) *out++ = in[(c * positions + p) * LANES + lane];
  };
  const float scale = bytes ? inverse / 255 : inverse, offset = -network_.mean * inverse;
  for (int lane = 0; lane < LANES; ++lane) {
    const std::ptrdiff_t start = (first + std::min(lane, n - 1)) * pixels;  // unused lanes repeat the last image
    if (bytes)
      for (int p = 0; p < pixels; ++p) x[p * LANES + lane] = float(bytes[start + p]) * scale + offset;
    else
      for (int p = 0; p < pixels; ++p) x[p * LANES + lane] = floats[start + p] * scale + offset;
  }
  write(stages.normalized, x, 1, pixels);
  for (std::size_t i = 0; i < banks_.size(); ++i) {
    const Bank& bank = banks_[i];
    kernels_.forward(bank.shape, x, bank.packed.get(), bank.bias.data(), network_.leak, y, nullptr);
    std::swap(x, y);
    write(bank_of(stages, i), x, bank.shape.filters, long(bank.shape.out_height()) * bank.shape.out_width());
  }
  const Shape& last = network_.banks.back();
  const int positions = last.out_height() * last.out_width();
  float* means = scratch(Use::BARCODE, long(last.filters) * LANES);
  kernels_.average(last.filters, positions, x, means);
  float* barcode = y;  // reuses a buffer that is free by now and large enough
  for (int lane = 0; lane < n; ++lane) {
    for (int f = 0; f < last.filters; ++f) barcode[f] = means[long(f) * LANES + lane];
    predict_head(barcode, first + lane, stages);
  }
}

void Predictor::predict_single(const std::uint8_t* bytes, const float* floats, std::ptrdiff_t image,
                               const Stages& stages) const {
  const Shape& input = network_.banks.front();
  const int pixels = input.height * input.width;
  const float inverse = 1 / std::sqrt(network_.variance), offset = -network_.mean * inverse;
  float* x = scratch(Use::STAGE, max_stage_);
  float* y = scratch(Use::NEXT_STAGE, max_stage_);
  for (int p = 0; p < pixels; ++p)
    x[p] = (bytes ? float(bytes[image * pixels + p]) / 255 : floats[image * pixels + p]) * inverse + offset;
  if (stages.normalized) std::copy(x, x + pixels, stages.normalized + image * pixels);
  int pixel_stride = 1;  // floats from one pixel's channels to the next pixel's
  for (std::size_t i = 0; i < banks_.size(); ++i) {
    const Bank& bank = banks_[i];
    kernels_.forward_single(bank.shape, x, pixel_stride, bank.packed_single.get(), bank.bias.data(), network_.leak, y);
    std::swap(x, y);
    pixel_stride = bank.padded_filters;
    const long positions = long(bank.shape.out_height()) * bank.shape.out_width(), filters = bank.shape.filters;
    if (float* out = bank_of(stages, i))
      for (long p = 0; p < positions; ++p)
        std::copy(x + p * pixel_stride, x + p * pixel_stride + filters, out + (image * positions + p) * filters);
  }
  const Shape& last = network_.banks.back();
  const int positions = last.out_height() * last.out_width();
  float* barcode = scratch(Use::BARCODE, long(last.filters) * LANES);
  std::fill(barcode, barcode + last.filters, 0.0f);
  for (int p = 0; p < positions; ++p)
    for (int f = 0; f < last.filters; ++f) barcode[f] += x[p * pixel_stride + f];
  for (int f = 0; f < last.filters; ++f) barcode[f] /= float(positions);
  predict_head(barcode, image, stages);
}

void Predictor::predict_head(const float* barcode, std::ptrdiff_t image, const Stages& stages) const {
  int inputs = network_.banks.back().filters;
  const int classes = network_.classes;
  const auto write = [&](float* out, const float* in, int count) {
    if (out) std::copy(in, in + count, out + image * count);
  };
  const auto layer = [](const float* x, int n, const std::vector<float>& w, const std::vector<float>& b, float* y) {
    const int units = int(b.size());
    std::copy(b.begin(), b.end(), y);
    for (int i = 0; i < n; ++i)
      for (int u = 0; u < units; ++u) y[u] += x[i] * w[long(i) * units + u];
  };
  float* hidden = scratch(Use::HEAD, network_.dense + classes);
  float* logits = hidden + network_.dense;
  write(stages.barcode, barcode, inputs);
  const float* x = barcode;
  if (network_.dense) {
    layer(x, inputs, dense_, dense_bias_, hidden);
    for (int i = 0; i < network_.dense; ++i) hidden[i] = hidden[i] > 0 ? hidden[i] : hidden[i] * network_.leak;
    write(stages.dense, hidden, network_.dense);
    x = hidden;
    inputs = network_.dense;
  }
  layer(x, inputs, output_, output_bias_, logits);
  write(stages.logits, logits, classes);
  if (!stages.probabilities) return;
  const float top = *std::max_element(logits, logits + classes);
  float total = 0;
  for (int i = 0; i < classes; ++i) total += logits[i] = std::exp(logits[i] - top);
  for (int i = 0; i < classes; ++i) logits[i] /= total;
  write(stages.probabilities, logits, classes);
}

}  // namespace inksight
