// How well a network classifies labeled images.

import { Predictor } from "./engine.js";

const PIXELS = 784;
const AT_ONCE = 512; // images: the logits of all would need memory for nothing

// Return {count, correct, loss, confusion, predicted} of a network on images: the number of images and of those
// classified correctly, the sum of the cross-entropies, how many images of each class (row) are taken for each class
// (column), and the class of each image. `weights` are those of `Layers.flat` in model.js.
export function evaluate(engine, { network, normalization, weights, images, labels }) {
  const { classes } = network, count = labels.length;
  const confusion = new Uint32Array(classes * classes), predicted = new Uint16Array(count);
  const predictor = new Predictor(engine, { network, normalization }, weights);
  let loss = 0, correct = 0;
  try {
    for (let start = 0; start < count; start += AT_ONCE) {
      const n = Math.min(AT_ONCE, count - start), part = images.subarray(start * PIXELS, (start + n) * PIXELS);
      const { logits } = predictor.run(part, n, ["logits"]);
      for (let i = 0; i < n; i++) {
        const row = logits.subarray(i * classes, (i + 1) * classes), label = labels[start + i];
        let best = 0;
        for (let j = 1; j < classes; j++) if (row[j] > row[best]) best = j;
        const sum = row.reduce((total, value) => total + Math.exp(value - row[best]), 0);
        loss += Math.log(sum) + row[best] - row[label];
        correct += Number(best === label);
        confusion[label * classes + best] += 1;
        predicted[start + i] = best;
      }
    }
  } finally {
    predictor.free();
  }
  return { count, correct, loss, confusion, predicted };
}
