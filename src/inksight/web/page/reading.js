// A picture becomes an answer: a digit, or the reason why there is none. The rules are those of `inksight.read` for a
// single digit; tests compare the two.

import { sidesOf } from "./engine.js";

// Prepare a picture. Where ink and paper may be swapped, take what looks more like a digit.
export function prepareBest(engine, assess, settings, picture) {
  const whole = engine.prepare(picture, settings.constants);
  if (!whole.ambiguous) return whole;
  const inverted = engine.prepare(picture, settings.constants, whole.dark);
  if (inverted.problem) return whole;
  return rejectionMargin(assess(whole.image), settings) <= rejectionMargin(assess(inverted.image), settings) ? whole : inverted;
}

// Return a 28x28 image that needs no preparation, in the form of prepared pictures.
export function asPrepared(image) {
  const ink = Float64Array.from(image, (value) => value / 255);
  return { image, ink, gray: ink.map((value) => 1 - value), height: 28, width: 28, dark: true, problem: image.some(Boolean) ? "" : "blank" };
}

// Return by how much an image exceeds what is accepted: above 0, it is rejected.
function rejectionMargin({ probabilities, margin }, { min_confidence: minimum }) {
  return margin === -Infinity ? minimum - Math.max(...probabilities) : margin;
}

// Return {digit, runnerUp, confidence, reason} of a prepared picture and its assessment; `digit` and `runnerUp` are
// classes, and a reason says why the digit is rejected.
export function answerOf(problem, { probabilities, margin }, { min_confidence: minimum }) {
  if (problem) return { digit: null, runnerUp: null, confidence: 0, reason: problem };
  const [digit, runnerUp] = ranking(probabilities);
  const confidence = probabilities[digit];
  const reason = margin > 0 ? "not a digit" : confidence < minimum ? "unsure" : "";
  return { digit, runnerUp, confidence, reason };
}

// Return the indices of values, the highest first; the first of equal ones first.
export function ranking(values) {
  return Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
}

// Return the out-of-distribution score of an image minus the threshold, as `inksight.nn.ood`: the distance to the
// nearest class plus weighted log-odds that the predicted class is wrong. Minus infinity without a detector.
export function oodMargin({ network, detector, temperature }, stages, settings) {
  if (!detector) return -Infinity;
  const powers = Array.from(stages.probabilities, (p) => p ** (temperature / detector.temperature));
  const total = powers.reduce((sum, p) => sum + p, 0), highest = Math.max(...powers);
  const logOdds = Math.log(Math.max((total - highest) / highest, settings.min_odds));
  return distance(detector, featuresOf(network, stages)) + settings.odds_weight * logOdds - detector.threshold;
}

// Return the signed square roots of the averages of all feature maps.
function featuresOf({ banks }, stages) {
  return sidesOf(banks).flatMap((side, i) => {
    const maps = stages[`bank${i + 1}`], { filters } = banks[i];
    const sums = new Float64Array(filters);
    maps.forEach((value, place) => { sums[place % filters] += value; });
    return Array.from(sums, (sum) => Math.sign(sum) * Math.sqrt(Math.abs(sum) / side ** 2));
  });
}

// Return the squared Mahalanobis distance to the nearest class mean, divided by the number of features.
function distance({ means, whitening }, features) {
  const n = features.length;
  let nearest = Infinity;
  for (let start = 0; start < means.length; start += n) {
    const white = new Float64Array(n);
    features.forEach((value, i) => {
      const difference = value - means[start + i];
      for (let j = 0; j < n; j++) white[j] += difference * whitening[i * n + j];
    });
    nearest = Math.min(nearest, white.reduce((sum, value) => sum + value * value, 0));
  }
  return nearest / n;
}
