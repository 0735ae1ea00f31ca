// What the worker computes for the views of a data set.

import { Predictor } from "../engine.js";
import { judge } from "./judgments.js";
import { project } from "./projection.js";

const PIXELS = 784;

// Return the named stages of images.
export function stagesOf(engine, { network, normalization, weights, images, names }) {
  const predictor = new Predictor(engine, { network, normalization }, weights);
  try {
    return predictor.run(images, images.length / PIXELS, names);
  } finally {
    predictor.free();
  }
}

// Return the judgments on labels by logits, and the barcodes projected to two dimensions.
export function survey({ logits, barcodes, labels, classes }) {
  return { ...judge(logits, labels, classes), ...project(barcodes, labels, barcodes.length / labels.length) };
}
