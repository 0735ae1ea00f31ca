#include "train/loss.h"

#include <cmath>

#include "runtime/layout.h"

namespace inksight {

Loss cross_entropy(int classes, int n, const float* logits, const Answers& answers, float scale, float smoothing,
                   float* gradient) {
  Loss loss;
  for (int lane = 0; lane < LANES; ++lane) {
    const float* x = logits + lane;
    float* d = gradient + lane;
    if (lane >= n) {
      for (int c = 0; c < classes; ++c) d[c * LANES] = 0;
      continue;
    }
    const auto answer = [&](int c) {
      return answers.labels ? float(c == answers.labels[lane]) : answers.targets[long(lane) * classes + c];
    };
    int predicted = 0, expected = 0;
    for (int c = 1; c < classes; ++c) {
      if (x[c * LANES] > x[predicted * LANES]) predicted = c;
      if (answer(c) > answer(expected)) expected = c;
    }
    // Rounded from double precision, the results of different mathematical libraries are the same.
    const float top = x[predicted * LANES];
    float total = 0;
    for (int c = 0; c < classes; ++c) total += d[c * LANES] = float(std::exp(double(x[c * LANES] - top)));
    const float log_total = float(std::log(double(total))), weight = answers.weights[lane];
    float entropy = 0, answered = 0;
    for (int c = 0; c < classes; ++c) {
      if (const float share = answer(c)) entropy -= share * (x[c * LANES] - top - log_total);
      answered += (1 - smoothing) * answer(c);
    }
    answered += smoothing;
    for (int c = 0; c < classes; ++c) {
      const float smooth = (1 - smoothing) * answer(c) + smoothing / float(classes);
      d[c * LANES] = weight * scale * (answered * (d[c * LANES] / total) - smooth);
    }
    loss.sum += double(weight) * entropy;
    loss.correct += weight > 0 && predicted == expected;
  }
  return loss;
}

}  // namespace inksight
