// Print what every part of the engine computes, one number a line, so that two processors can be compared: see
// .ci/aarch64. Lines that begin with = must be the same; the others may differ by rounding.
#include <cmath>
#include <cstdio>
#include <vector>

#include "api/inksight.h"
#include "conv/shape.h"
#include "runtime/dispatch.h"
#include "runtime/layout.h"
#include "runtime/scratch.h"

namespace {

// Numbers -1..1 of a linear congruential generator.
class Random {
 public:
  float operator()() {
    state_ = state_ * 1664525 + 1013904223;
    return float(state_ >> 8) / (1 << 23) - 1;
  }

 private:
  std::uint32_t state_ = 1;
} next;

struct Aligned {
  explicit Aligned(long size) : buffer(inksight::make_buffer(size)), size(size) {
    for (long i = 0; i < size; ++i) buffer[i] = 0;
  }
  operator float*() const { return buffer.get(); }
  inksight::Buffer buffer;
  long size;
};

Aligned random(long size) {
  Aligned numbers(size);
  for (long i = 0; i < size; ++i) numbers[i] = next();
  return numbers;
}

// The largest number scales those of an array, because sums cancel.
void print(const char* name, const float* numbers, long size) {
  float largest = 1e-30f;
  for (long i = 0; i < size; ++i) largest = std::fmax(largest, std::fabs(numbers[i]));
  std::printf("= %s %ld\n%.9g\n", name, size, double(largest));
  for (long i = 0; i < size; ++i) std::printf("%.9g\n", double(numbers[i] / largest));
}

void convolve(int channels, int filters, int kernel, int pool) {
  const int groups = 2;
  const inksight::Shape s{channels, 12, 12, filters, kernel, pool};
  const Aligned x = random(groups * s.input()), w = random(s.weights()), b = random(filters);
  const Aligned y(groups * s.output()), dx(groups * s.input()), dw(s.weights()), db(filters);
  const Aligned dy = random(groups * s.output());
  const inksight_block block{channels, 12, 12, filters, kernel, pool, groups, 1, 0.1f, x, w, b, y, dy, dx, dw, db};
  if (!inksight_apply(&block)) std::printf("= out of memory\n");
  for (const Aligned* array : {&y, &dx, &dw, &db}) print("block", *array, array->size);
}

// Ten steps by Adam and Muon on two banks, one of them separable. The first one's gradient is printed, too.
void train() {
  const int steps = 10, size = 21, count = 9;
  const long knots = 2 * inksight::KNOTS * inksight::KNOTS;
  const inksight_bank banks[] = {{8, 5, 2, 0}, {12, 3, 1, 1}};
  const inksight_network network{28, 2, 10, 10, 0.01f, 0.13f, 0.09f};
  const inksight_recipe recipe{0.1, 1e-3, 0.9, 0.95, 1e-2, 0.3, 0.95};
  const long weights = 25 * 8 + 8 + 9 * 8 + 8 * 12 + 12 + 120 + 10 + 100 + 10;
  const Aligned start = random(weights), shares = random(steps * size), lattices = random(steps * size * knots);
  for (long i = 0; i < shares.size; ++i) shares[i] = std::fmax(shares[i], 0.0f);  // half of the images count for nothing
  for (long i = 0; i < lattices.size; ++i) lattices[i] = 14 * lattices[i];
  std::vector<std::uint8_t> images(count * 28 * 28);
  for (std::uint8_t& pixel : images) pixel = std::uint8_t(127 + 127 * next());
  std::vector<std::int32_t> rows(steps * size), labels(steps * size);
  for (std::int32_t& row : rows) row = std::int32_t((next() + 1) / 2 * count);
  for (std::int32_t& label : labels) label = std::int32_t((next() + 1) / 2 * 10);
  std::vector<double> rates(steps, 0.01);
  const inksight_batches batches{steps,         size,    rows.data(),  shares, lattices,
                                 labels.data(), nullptr, rates.data()};

  inksight_trainer* trainer = inksight_trainer_new(&network, banks, &recipe, start);
  const Aligned gradient(weights), trained(weights), first(weights), second(weights);
  double loss, losses[steps];
  std::int64_t correct[steps], taken;
  if (!trainer || !inksight_trainer_gradient(trainer, images.data(), count, &batches, size, gradient, &loss, correct) ||
      !inksight_trainer_steps(trainer, images.data(), count, &batches, losses, correct))
    std::printf("= out of memory\n");
  inksight_trainer_read(trainer, trained, first, second, &taken);
  inksight_trainer_free(trainer);
  for (const Aligned* array : {&gradient, &trained, &first, &second}) print("training", *array, array->size);
  std::printf("= %ld steps\n%.9g\n", long(taken), loss / size);
  for (int step = 0; step < steps; ++step) std::printf("= %ld correct\n%.9g\n", long(correct[step]), losses[step]);
}

void orthogonalize() {
  const float abc[] = {3.4445f, -4.775f, 2.0315f};
  const Aligned m = random(20 * 33), out(20 * 33);
  inksight::kernels().orthogonalize(20, 33, m, 5, abc, out);
  print("orthogonal", out, out.size);
}

void predict() {
  const int n = 21;  // a lane group, and five single images
  const inksight_bank banks[] = {{8, 5, 2, 0}, {12, 3, 1, 0}};
  const inksight_network network{28, 2, 10, 10, 0.01f, 0.13f, 0.09f};
  const Aligned weights = random(25 * 8 + 8 + 9 * 8 * 12 + 12 + 120 + 10 + 100 + 10);
  std::vector<std::uint8_t> images(n * 28 * 28);
  for (std::uint8_t& pixel : images) pixel = std::uint8_t(127 + 127 * next());
  const Aligned normalized(n * 784), first(n * 12 * 12 * 8), second(n * 10 * 10 * 12), barcode(n * 12), dense(n * 10),
      logits(n * 10), probabilities(n * 10);
  float* maps[] = {first, second};
  inksight_predictor* predictor = inksight_predictor_new(&network, banks, weights);
  const inksight_stages stages{normalized, maps, barcode, dense, logits, probabilities};
  if (!predictor || !inksight_predict(predictor, images.data(), nullptr, n, &stages)) std::printf("= out of memory\n");
  inksight_predictor_free(predictor);
  for (const Aligned* stage : {&normalized, &first, &second, &barcode, &dense, &logits, &probabilities})
    print("stage", *stage, stage->size);
}

void preprocess(long height, long width) {
  const inksight_constants constants{28, 20, 14, 320, 8, 24, 0.2, 0.06, 0.03, 0.2, 0.02, 5e-6, 0.02, 4, 6144};
  std::vector<double> picture(height * width), gray(height * width), ink(height * width);
  for (long y = 0; y < height; ++y)
    for (long x = 0; x < width; ++x) {
      const double radius = std::hypot((y - 0.5 * height) / 1.3, x - 0.5 * width) / width;
      const double light = 0.95 - 0.3 * double(x + y) / double(height + width);
      picture[y * width + x] = light * (std::fabs(radius - 0.25) < 0.05 ? 0.3 : 1);
    }
  std::uint8_t image[784];
  inksight_found found;
  if (!inksight_preprocess(picture.data(), height, width, -1, &constants, image, gray.data(), ink.data(), &found))
    std::printf("= out of memory\n");
  std::printf("= problem %ld, %ld x %ld\n", long(found.problem), long(found.height), long(found.width));
  for (const std::uint8_t pixel : image) std::printf("= %d\n", pixel);
  for (long i = 0; i < found.height * found.width; ++i) std::printf("= %a %a\n", gray[i], ink[i]);
}

}  // namespace

int main() {
  for (const int kernel : {1, 3, 5, 7})
    for (const int pool : {1, 2}) convolve(5, 7, kernel, pool);
  orthogonalize();
  train();
  predict();
  preprocess(60, 50);
  preprocess(900, 700);
}
