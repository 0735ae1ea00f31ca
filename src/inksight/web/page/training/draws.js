// What a training draws at random, from the same streams as in Python: starting weights, the order of the images, and
// their transformations. Tests compare it with `init_params`, `Batches` and `draw_lattices`.

import { paramShapes } from "../model.js";
import { Generator } from "./random.js";

const KNOTS = 5; // along each side of a lattice
export const LATTICE = 2 * KNOTS * KNOTS; // numbers of an image
const FIRST_STREAM = 3; // of the arrays of weights
const AFFINE = 1, ELASTIC = 2, ASPECT = 3; // streams of the transformations
const KNOT = Array.from({ length: KNOTS }, (_, i) => (i / (KNOTS - 1) - 0.5) * 27); // where, in pixels from the center

// Return all starting weights in the order of the model file: Glorot-uniform kernels and zero biases.
export function startingWeights(network, seed) {
  const parts = Object.entries(paramShapes(network)).map(([name, shape], i) => {
    const size = shape.reduce((product, length) => product * length, 1), limit = limitOf(name, shape);
    if (!limit) return new Float32Array(size);
    const random = new Generator([seed, FIRST_STREAM + i]);
    return Float32Array.from({ length: size }, () => -limit + (limit - -limit) * random.double());
  });
  return joined(parts);
}

function limitOf(name, shape) {
  if (name.endsWith(".bias")) return 0;
  const area = (lengths) => lengths.reduce((product, length) => product * length, 1);
  if (name.endsWith(".depthwise")) return Math.sqrt(3 / area(shape.slice(0, 2)));
  return Math.sqrt(6 / (area(shape.slice(0, -2)) * (shape.at(-2) + shape.at(-1))));
}

// Return arrays of numbers as one.
export function joined(parts) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((start, part) => (all.set(part, start), start + part.length), 0);
  return all;
}

// Return the order of the images in a pass.
export function drawOrder(seed, pass, images) {
  return new Generator([seed, pass]).permutation(images);
}

// Return the lattice of sampling positions of each image in a pass; `share` of the augmentation is left.
export function drawLattices(seed, pass, images, augmentation, share) {
  const { rotation, shift, scale, shear, elastic, aspect } = augmentation;
  const lattices = new Float32Array(images * LATTICE);
  const affine = new Generator([seed, pass, AFFINE]), stretching = new Generator([seed, pass, ASPECT]);
  const displacing = new Generator([seed, pass, ELASTIC]), reach = elastic * share;
  const draw = (random) => random.float() * 2 - 1;
  for (let image = 0; image < images; image++) {
    const angle = draw(affine) * ((rotation * share * Math.PI) / 180);
    const down = draw(affine) * shift * share, across = draw(affine) * shift * share;
    const size = 1 + draw(affine) * scale * share, slant = draw(affine) * shear * share;
    const stretch = aspect ? Math.exp(draw(stretching) * ((aspect * share) / 2)) : 1;
    const cos = Math.cos(angle) / size, sin = Math.sin(angle) / size, start = image * LATTICE, half = LATTICE / 2;
    for (let i = 0; i < half; i++) {
      const row = KNOT[Math.floor(i / KNOTS)], column = KNOT[i % KNOTS];
      lattices[start + i] = ((cos + sin * slant) * row + sin * column) * stretch + down;
      lattices[start + half + i] = ((cos * slant - sin) * row + cos * column) / stretch + across;
    }
    if (reach) for (let i = start; i < start + LATTICE; i++) lattices[i] += draw(displacing) * reach;
  }
  return lattices;
}
