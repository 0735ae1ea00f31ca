#include "predict/predictor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/pool.h"

namespace inksight {

namespace {

// From so many images on, a lane group is faster than one image after the other.
constexpr int GROUP_FROM = 9;

// Scratch that a thread keeps between calls.
float* scratch(int which, long floats) {
  static thread_local Scratch places[3];
  return places[which].get(floats);
}

}  // namespace

Predictor::Predictor(const Description& description, const float* weights)
    : net_(description), kernels_(kernels()), widest_(0) {
  const auto take = [&](long count) {
    const float* from = weights;
    weights += count;
    return from;
  };
  for (const Shape& s : net_.banks) {
    const float* kernel = take(s.weights());
    const float* bias = take(s.filters);
    const int padded = kernels_.padded(s.filters);
    Bank bank{s, std::vector<float>(padded), make_buffer(s.packed()), make_buffer(s.packed() / s.filters * padded),
              padded};
    std::copy(bias, bias + s.filters, bank.bias.begin());
    kernels_.pack_forward(s, kernel, bank.lanes.get());
    kernels_.pack_single(s, kernel, bank.single.get());
    banks_.push_back(std::move(bank));
    widest_ = std::max({widest_, s.input(), s.output()});
  }
  int inputs = net_.banks.back().filters;
  const auto copy = [&](long count) {
    const float* from = take(count);
    return std::vector<float>(from, from + count);
  };
  if (net_.dense) {
    dense_ = copy(long(inputs) * net_.dense);
    dense_bias_ = copy(net_.dense);
    inputs = net_.dense;
  }
  output_ = copy(long(inputs) * net_.classes);
  output_bias_ = copy(net_.classes);
}

void Predictor::predict(const std::uint8_t* bytes, const float* floats, long n, float* const* stages) const {
  const long groups = n / LANES, rest = n % LANES;
  const bool last_group = rest >= GROUP_FROM;
  const long tasks = groups + last_group;
  constexpr long MOST = 1 << 20;  // tasks a loop of the pool counts in an int
  for (long first = 0; first < tasks; first += MOST)
    pool().run(int(std::min(MOST, tasks - first)), [&](int task) {
      const long at = (first + task) * LANES;
      group(bytes, floats, at, int(std::min<long>(LANES, n - at)), stages);
    });
  for (long at = tasks * LANES; at < n; ++at) one(bytes, floats, at, stages);
}

void Predictor::group(const std::uint8_t* bytes, const float* floats, long first, int n, float* const* stages) const {
  const Shape& image = net_.banks.front();
  const int pixels = image.height * image.width;
  const float inverse = 1 / std::sqrt(net_.variance);
  float* x = scratch(0, widest_);
  float* y = scratch(1, widest_);
  // What lies in lanes -> (image, position, channel).
  const auto write = [&](float* to, const float* from, int channels, long positions) {
    if (!to) return;
    to += first * channels * positions;
    for (int lane = 0; lane < n; ++lane)
      for (long p = 0; p < positions; ++p)
        for (int c = 0; c < channels; ++c) *to++ = from[(c * positions + p) * LANES + lane];
  };
  const float scale = bytes ? inverse / 255 : inverse, offset = -net_.mean * inverse;
  for (int lane = 0; lane < LANES; ++lane) {
    const long from = (first + std::min(lane, n - 1)) * pixels;  // lanes nobody asked for repeat the last image
    if (bytes)
      for (int p = 0; p < pixels; ++p) x[p * LANES + lane] = float(bytes[from + p]) * scale + offset;
    else
      for (int p = 0; p < pixels; ++p) x[p * LANES + lane] = floats[from + p] * scale + offset;
  }
  write(stages[0], x, 1, pixels);
  int stage = 1;
  for (const Bank& bank : banks_) {
    kernels_.forward(bank.shape, x, bank.lanes.get(), bank.bias.data(), net_.leak, y, nullptr);
    std::swap(x, y);
    write(stages[stage++], x, bank.shape.filters, long(bank.shape.out_height()) * bank.shape.out_width());
  }
  const Shape& last = net_.banks.back();
  const int positions = last.out_height() * last.out_width();
  float* means = scratch(2, long(last.filters) * LANES);
  kernels_.average(last.filters, positions, x, means);
  float* barcode = y;  // free by now, and large enough
  for (int lane = 0; lane < n; ++lane) {
    for (int f = 0; f < last.filters; ++f) barcode[f] = means[long(f) * LANES + lane];
    head(barcode, first + lane, stages);
  }
}

void Predictor::one(const std::uint8_t* bytes, const float* floats, long at, float* const* stages) const {
  const Shape& image = net_.banks.front();
  const int pixels = image.height * image.width;
  const float inverse = 1 / std::sqrt(net_.variance), offset = -net_.mean * inverse;
  float* x = scratch(0, widest_);
  float* y = scratch(1, widest_);
  for (int p = 0; p < pixels; ++p)
    x[p] = (bytes ? float(bytes[at * pixels + p]) / 255 : floats[at * pixels + p]) * inverse + offset;
  if (stages[0]) std::copy(x, x + pixels, stages[0] + at * pixels);
  int stage = 1;
  int pixel = 1;  // floats from one pixel's channels to the next one's
  for (const Bank& bank : banks_) {
    kernels_.single(bank.shape, x, pixel, bank.single.get(), bank.bias.data(), net_.leak, y);
    std::swap(x, y);
    pixel = bank.padded;
    const long positions = long(bank.shape.out_height()) * bank.shape.out_width(), filters = bank.shape.filters;
    if (float* to = stages[stage++])
      for (long p = 0; p < positions; ++p)
        std::copy(x + p * pixel, x + p * pixel + filters, to + (at * positions + p) * filters);
  }
  const Shape& last = net_.banks.back();
  const int positions = last.out_height() * last.out_width();
  float* barcode = scratch(2, long(last.filters) * LANES);
  std::fill(barcode, barcode + last.filters, 0.0f);
  for (int p = 0; p < positions; ++p)
    for (int f = 0; f < last.filters; ++f) barcode[f] += x[p * pixel + f];
  for (int f = 0; f < last.filters; ++f) barcode[f] /= float(positions);
  head(barcode, at, stages);
}

void Predictor::head(const float* barcode, long at, float* const* stages) const {
  int stage = 1 + int(banks_.size()), inputs = net_.banks.back().filters;
  const auto keep = [&](const float* from, int count) {
    if (float* to = stages[stage++]) std::copy(from, from + count, to + at * count);
  };
  const auto layer = [](const float* x, int n, const std::vector<float>& w, const std::vector<float>& b, float* y) {
    const int units = int(b.size());
    std::copy(b.begin(), b.end(), y);
    for (int i = 0; i < n; ++i)
      for (int u = 0; u < units; ++u) y[u] += x[i] * w[long(i) * units + u];
  };
  static thread_local std::vector<float> hidden, logits;
  keep(barcode, inputs);
  const float* x = barcode;
  if (net_.dense) {
    hidden.resize(net_.dense);
    layer(x, inputs, dense_, dense_bias_, hidden.data());
    for (float& h : hidden) h = h > 0 ? h : h * net_.leak;
    keep(hidden.data(), net_.dense);
    x = hidden.data();
    inputs = net_.dense;
  }
  logits.resize(net_.classes);
  layer(x, inputs, output_, output_bias_, logits.data());
  keep(logits.data(), net_.classes);
  if (!stages[stage]) return;
  const float top = *std::max_element(logits.begin(), logits.end());
  float total = 0;
  for (float& z : logits) total += z = std::exp(z - top);
  for (float& z : logits) z /= total;
  keep(logits.data(), net_.classes);
}

}  // namespace inksight
