// A training and what came of it: its settings, its history, and its network after each epoch.

import { makeId } from "../store.js";
import { planOf } from "./recipe.js";

const MOST_POINTS = 1200; // of a curve: more than there are pixels

export class Run {
  // `settings`: {network, recipe, seed, images, classNames, data}; `data`: null for MNIST, or {training, validation}.
  constructor(number, settings) {
    Object.assign(this, { id: makeId(), number, ...settings, isOwn: Boolean(settings.data), status: "loading" });
    Object.assign(this, { history: [], snapshots: [], stored: 0, points: [], spent: 0, seen: 0 });
  }

  // Return the run of a record of archive.js, without its networks. One that was training was ended with the page.
  static restored({ status, ...record }) {
    return Object.assign(Object.create(Run.prototype), { data: null, snapshots: [], ...record, status: status === "ended" ? status : "stopped" });
  }

  // Whether its images are there. A visitor's own are not stored with it.
  get hasImages() {
    return !this.isOwn || this.data !== null;
  }

  // Begin to train, or to train further: as in Python, the optimizer starts anew, and the count of epochs goes on.
  begin(weights, normalization) {
    Object.assign(this, { normalization, status: "running", firstEpoch: this.history.length, plan: planOf(this.recipe, this.images) });
    this.last = { state: { weights }, step: 0, epoch: undefined }; // where training goes on if workers are lost
    this.start ??= weights;
    this.live = { weights, preview: null };
    this.shares = [];
    this.before = { images: 0, loss: 0, correct: 0 };
  }

  // The job from where the training is, for replica.js.
  get job() {
    const { network, normalization, recipe, seed, images, firstEpoch, last } = this;
    return { network, normalization, recipe, seed, images, firstEpoch, ...last };
  }

  // The weights that are the newest.
  get weights() {
    return this.live?.weights ?? this.snapshots.at(-1)?.weights;
  }

  get imagesPerSecond() {
    return this.spent ? this.seen / this.spent : 0;
  }

  // Note how far the training is.
  progress({ step, state, epoch, preview }) {
    this.live = { weights: state.weights, preview: preview ?? this.live.preview };
    const done = Math.floor(step / this.plan.perEpoch) + this.firstEpoch;
    if (done === this.history.length) this.last = { state, step, epoch }; // else a worker still validates the last epoch
    const images = epoch.images - this.before.images;
    if (images > 0) {
      this.points.push({
        at: this.firstEpoch + step / this.plan.perEpoch, loss: (epoch.loss - this.before.loss) / images,
        accuracy: (epoch.correct - this.before.correct) / images,
        preview: preview ? preview.correct / preview.count : null,
      });
      if (this.points.length > MOST_POINTS) this.points = this.points.filter((_, i) => i % 2);
    }
    this.before = epoch;
    this.passed = { images: epoch.images, seconds: epoch.seconds };
  }

  // Take the validation of an epoch by one of the workers; return whether the epoch is complete.
  epoch(event, workers) {
    if (event.epoch.number < this.history.length) return false; // told before a worker was lost
    this.shares.push(event);
    if (this.shares.length < workers) return false;
    const { epoch, weights } = this.shares.find(({ index }) => index === 0), counted = this.shares.map(({ validated }) => validated);
    const total = (name) => counted.reduce((sum, one) => sum + one[name], 0);
    const confusion = counted[0].confusion.map((_, i) => counted.reduce((sum, one) => sum + one.confusion[i], 0));
    this.history.push({
      epoch: epoch.number + 1, loss: epoch.loss / epoch.images, accuracy: epoch.correct / epoch.images,
      val_loss: total("loss") / total("count"), val_accuracy: total("correct") / total("count"),
      learning_rate: epoch.rate, seconds: epoch.seconds,
    });
    this.snapshots.push({ weights, confusion });
    this.shares = [];
    this.before = { images: 0, loss: 0, correct: 0 };
    this.seen += epoch.images;
    this.spent += epoch.seconds;
    this.passed = null;
    return true;
  }
}
