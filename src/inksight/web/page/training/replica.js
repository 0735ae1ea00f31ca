// The part of one worker in a training. All workers hold the same network. Each computes the gradients of some parts of a
// batch, sends them to the others, and takes the same step as they do. A part has always the same images, and the
// gradients are added in the order of the parts, so the weights do not depend on the number of workers.

import { Layers, unflattened } from "../model.js";
import { evaluate } from "../evaluation.js";
import { drawLattices, drawOrder, LATTICE } from "./draws.js";
import { augmentationLeft, learningRateAt, planOf } from "./recipe.js";
import { Trainer } from "./trainer.js";

const PIXELS = 784;
const PART = 32; // images: fewer take longer in the engine, more leave a worker without a part
const REPORT_EVERY = 300; // milliseconds between reports of the first worker
const PREVIEW = 160; // validation images that are classified for a report: more would slow the training down

export class Replica {
  // `job`: {network, normalization, recipe, seed, images (of the training), firstEpoch, state, step, epoch (metrics of the
  // current one), index (of this worker), ports (to the others, by their index)}; `sets`: {train, validation}, images and
  // labels; those of validation are this worker's share. `tell(event)` reports to the page.
  constructor(engine, job, sets, tell) {
    Object.assign(this, { engine, job, sets, tell, plan: planOf(job.recipe, job.images), step: job.step, isPaused: false, isStopped: false });
    this.trainer = new Trainer(engine, { ...job, weights: job.state.weights, part: PART });
    if (job.state.first) this.trainer.state = job.state;
    this.parts = Math.ceil(this.plan.size / PART);
    this.workers = job.ports.length;
    this.own = Array.from({ length: this.parts }, (_, part) => part).filter((part) => part % this.workers === job.index);
    this.inboxes = job.ports.map((port) => port && new Inbox(port));
    sets.validation.then(({ images, labels }) => {
      this.preview = { images: images.subarray(0, PREVIEW * PIXELS), labels: labels.subarray(0, PREVIEW) };
    });
    this.total = new Float32Array(this.trainer.size);
  }

  get isLead() {
    return this.job.index === 0;
  }

  // Take all steps that are left, unless the page stops it.
  async run() {
    const { plan, job } = this;
    this.epoch = job.epoch ?? this.newEpoch();
    this.reported = this.began = performance.now();
    try {
      while (this.step < plan.steps) {
        await this.pause();
        const isStopped = !(await this.takeStep());
        if (isStopped ? this.epoch.images : this.step % plan.perEpoch === 0) await this.endEpoch(); // as in Python
        else if (this.isLead && performance.now() - this.reported > REPORT_EVERY) this.report();
        if (isStopped) break;
      }
    } finally {
      this.trainer.free();
      job.ports.forEach((port) => port?.close());
    }
  }

  newEpoch() {
    return { number: this.job.firstEpoch + Math.floor(this.step / this.plan.perEpoch), images: 0, loss: 0, correct: 0, rate: 0, seconds: 0 };
  }

  // Wait while the training is paused. A worker alone must let messages in from time to time.
  async pause() {
    if (this.workers === 1) await turn();
    while (this.isPaused && !this.isStopped) {
      this.report();
      this.clock();
      await new Promise((resolve) => { this.wake = resolve; });
      this.began = performance.now();
    }
  }

  // Follow the page: {isPaused} or {isStopped}.
  control(change) {
    Object.assign(this, change);
    this.wake?.();
  }

  // Add the time since the last call to that of the epoch.
  clock() {
    const now = performance.now();
    this.epoch.seconds += (now - this.began) / 1000;
    this.began = now;
  }

  // Take one step together with the others; return whether all did.
  async takeStep() {
    const { job, plan, step } = this;
    if (step % plan.perPass === 0 || !this.order) this.drawPass();
    const start = (step % plan.perPass) * plan.size, count = Math.min(plan.size, job.images - start);
    const gradients = new Float32Array(this.own.length * this.trainer.size), losses = [], correct = [];
    this.own.forEach((part, i) => {
      const found = this.gradientOf(part, start, count, gradients.subarray(i * this.trainer.size, (i + 1) * this.trainer.size));
      losses.push(found.loss);
      correct.push(found.correct);
    });
    const own = { gradients, losses, correct, isStopped: this.isStopped };
    job.ports.forEach((port) => port?.postMessage(own));
    const all = await Promise.all(this.inboxes.map((inbox) => inbox?.next() ?? own));
    if (all.some(({ isStopped }) => isStopped)) return false;
    const rate = learningRateAt(job.recipe, Math.min((step + 0.5) / plan.steps, 1));
    const { loss, right } = this.add(all);
    if (!Number.isFinite(loss)) throw new Error("diverged");
    this.trainer.update(this.total, rate);
    this.step += 1;
    Object.assign(this.epoch, { images: this.epoch.images + count, loss: this.epoch.loss + loss, correct: this.epoch.correct + right, rate });
    return true;
  }

  drawPass() {
    const { job, plan } = this, done = Math.floor(this.step / plan.perEpoch);
    const pass = Math.floor(this.step / plan.perPass), number = job.firstEpoch * job.recipe.passes + pass;
    const share = augmentationLeft(job.recipe, done, pass % job.recipe.passes);
    this.order = drawOrder(job.seed, number, job.images);
    this.lattices = drawLattices(job.seed, number, job.images, job.recipe.augmentation, share);
  }

  // Compute the gradient of a part of the batch of `count` images that begins at a place of the order. As in Python, images
  // of weight 0 fill up the last batch of a pass.
  gradientOf(part, start, count, gradient) {
    const first = part * PART, n = Math.min(PART, this.plan.size - first), { train } = this.sets;
    const images = new Uint8Array(n * PIXELS), labels = new Int32Array(n), weights = new Float32Array(n), lattices = new Float32Array(n * LATTICE);
    for (let i = 0; i < n; i++) {
      const row = this.order[start + ((first + i) % count)];
      images.set(train.images.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS);
      lattices.set(this.lattices.subarray(row * LATTICE, (row + 1) * LATTICE), i * LATTICE);
      labels[i] = train.labels[row];
      weights[i] = first + i < count ? 1 : 0;
    }
    return this.trainer.gradient({ images, labels, weights, lattices }, count, gradient);
  }

  // Add up the parts of a batch in their order.
  add(all) {
    const { total } = this, size = total.length;
    let loss = 0, right = 0;
    total.fill(0);
    for (let part = 0; part < this.parts; part++) {
      const { gradients, losses, correct } = all[part % this.workers], i = Math.floor(part / this.workers);
      const start = i * size;
      for (let k = 0; k < size; k++) total[k] += gradients[start + k];
      loss += losses[i];
      right += correct[i];
    }
    return { loss, right };
  }

  // Validate the network on this worker's share, and begin the next epoch.
  async endEpoch() {
    this.clock();
    const validated = this.evaluate(await this.sets.validation);
    const { weights } = this.trainer.state;
    this.tell({ kind: "epoch", index: this.job.index, epoch: this.epoch, validated, weights: this.isLead ? weights : null });
    this.epoch = this.newEpoch();
    this.began = this.reported = performance.now();
    if (this.isLead) this.tell({ kind: "progress", step: this.step, state: this.trainer.state, epoch: { ...this.epoch }, preview: null });
  }

  // Tell the page how far the training is, with all that is needed to go on from here.
  report() {
    this.clock();
    const state = this.trainer.state;
    const preview = this.preview && this.evaluate(this.preview, state.weights);
    this.tell({ kind: "progress", step: this.step, state, epoch: { ...this.epoch }, preview });
    this.reported = this.began = performance.now();
  }

  evaluate({ images, labels }, weights = this.trainer.state.weights) {
    const { network, normalization } = this.job;
    const { flat } = new Layers({ network, params: unflattened(network, weights) });
    const { confusion, correct, loss, count } = evaluate(this.engine, { network, normalization, weights: flat, images, labels });
    return { confusion, correct, loss, count };
  }
}

// What comes through a port, in its order.
class Inbox {
  constructor(port) {
    this.messages = [];
    port.onmessage = ({ data }) => {
      this.messages.push(data);
      this.wake?.();
    };
  }

  async next() {
    while (!this.messages.length) await new Promise((resolve) => { this.wake = resolve; });
    return this.messages.shift();
  }
}

// Let the messages in that have come.
function turn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); resolve(); };
    port2.postMessage(null);
  });
}
