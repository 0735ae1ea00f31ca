// A network in training on the engine, as `inksight.engine.trainer.Trainer`.

import { describe } from "../engine.js";
import { LATTICE } from "./draws.js";

const PIXELS = 784;
const RECIPE = ["label_smoothing", "l2", "beta1", "beta2", "epsilon", "muon_scale", "momentum"]; // in the engine's order

export class Trainer {
  // `weights`: all, in the order of the model file; `part`: images in a call of `gradient`, at most.
  constructor(engine, { network, normalization, recipe, weights, part }) {
    this.engine = engine;
    this.size = weights.length;
    const numbers = Float64Array.from(RECIPE, (name) => (name === "l2" ? network.l2 : recipe[name]));
    const parts = [...describe(network, normalization), numbers, weights];
    this.handle = engine.withMemory((place) => engine.functions.inksight_trainer_new(...parts.map(place)));
    this.check(this.handle);
    // The arrays of a call stay in the engine's memory, since calls are many.
    const sizes = { images: PIXELS * part, rows: 4 * part, weights: 4 * part, lattices: 4 * LATTICE * part, labels: 4 * part,
      batches: 32, gradient: 4 * this.size, loss: 8, correct: 8, first: 4 * this.size, second: 4 * this.size };
    this.at = {};
    for (const [name, size] of Object.entries(sizes)) this.check((this.at[name] = engine.functions.malloc(size) >>> 0));
    engine.view(Int32Array, this.at.rows, part).set(Array.from({ length: part }, (_, i) => i));
  }

  check(done) {
    if (!done) throw new Error("out of memory");
  }

  free() {
    this.engine.functions.inksight_trainer_free(this.handle);
    Object.values(this.at).forEach((address) => this.engine.functions.free(address));
  }

  // Compute the gradient of a part of a batch, into `gradient`; return the sum of the weighted losses and the number of
  // correct images. `totalWeight`: sum of the weights of all images of the batch.
  gradient({ images, labels, weights, lattices }, totalWeight, gradient) {
    const { engine, at } = this, count = labels.length;
    engine.view(Uint8Array, at.images, images.length).set(images);
    engine.view(Int32Array, at.labels, count).set(labels);
    engine.view(Float32Array, at.weights, count).set(weights);
    engine.view(Float32Array, at.lattices, lattices.length).set(lattices);
    engine.view(Uint32Array, at.batches, 8).set([1, count, at.rows, at.weights, at.lattices, at.labels, 0, 0]);
    this.check(engine.functions.inksight_trainer_gradient(this.handle, at.images, count, at.batches, totalWeight, at.gradient, at.loss, at.correct));
    gradient.set(engine.view(Float32Array, at.gradient, this.size));
    return { loss: engine.view(Float64Array, at.loss, 1)[0], correct: Number(engine.view(BigInt64Array, at.correct, 1)[0]) };
  }

  // Take the optimizer's step for the gradient of a whole batch.
  update(gradient, rate) {
    this.engine.view(Float32Array, this.at.gradient, this.size).set(gradient);
    this.check(this.engine.functions.inksight_trainer_update(this.handle, this.at.gradient, rate));
  }

  // The state {weights, first, second, steps}: weights, moments of their gradients, steps taken.
  get state() {
    const { engine, at } = this, arrays = [at.gradient, at.first, at.second];
    engine.functions.inksight_trainer_read(this.handle, ...arrays, at.correct);
    const [weights, first, second] = arrays.map((address) => engine.view(Float32Array, address, this.size).slice());
    return { weights, first, second, steps: Number(engine.view(BigInt64Array, at.correct, 1)[0]) };
  }

  set state({ weights, first, second, steps }) {
    this.engine.withMemory((place) =>
      this.engine.functions.inksight_trainer_write(this.handle, ...[weights, first, second].map(place), steps));
  }
}
