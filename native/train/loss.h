// Softmax cross-entropy of one lane group.
#pragma once
#include <cstdint>

namespace inksight {

struct Loss {
  double sum = 0;   // of the images' cross-entropies, each times its weight
  long correct = 0;  // images of weight above 0 whose largest logit is that of their class
};

// What the images of a lane group should be classified as: `labels`, or else the probabilities `targets` (n, classes).
struct Answers {
  const std::int32_t* labels;
  const float* targets;
  const float* weights;  // one for each image
};

// Return the loss of n <= 16 images from their logits (classes, 16). Write the gradient of the loss to minimize,
// (classes, 16): it is the sum of the weighted cross-entropies times `scale`, with a share `smoothing` of each answer
// distributed evenly over all classes. The gradient of lanes from n on is 0.
Loss cross_entropy(int classes, int n, const float* logits, const Answers& answers, float scale, float smoothing,
                   float* gradient);

}  // namespace inksight
