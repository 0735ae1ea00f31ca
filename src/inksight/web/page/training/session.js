// The training that runs: started, paused, stopped, and brought back when a worker is lost.

import { loadMnist } from "../mnist.js";
import { startingWeights } from "./draws.js";
import { Crew } from "./crew.js";

const MOST_LOSSES = 3; // of workers in a row, after which the training stops

export class Session {
  // `tell(name, values)` says something to the visitor; `changed(kind)` is called when the run has changed.
  constructor(abi, tell, changed) {
    Object.assign(this, { abi, tell, changed, run: null, crew: null });
  }

  get isBusy() {
    return ["loading", "running", "paused"].includes(this.run?.status);
  }

  // Train a run; one that has been trained goes on. Resolves when it ends.
  async train(run) {
    this.run = run;
    this.isStopped = false;
    this.workers = undefined; // as many as the machine has cores
    run.status = "loading";
    this.changed("status");
    try {
      const data = await this.load(run);
      await this.begin(run, data);
      await this.goOn(run, data);
      run.status = this.isStopped ? "stopped" : "ended";
    } catch (error) {
      run.status = "failed";
      this.release();
      this.tell(...reasonOf(error));
    }
    this.changed("status");
  }

  // Return {training, validation}: the images of a run, and the promise of those that validate.
  async load({ data, images }) {
    if (data) return { training: data.training, validation: Promise.resolve(data.validation) };
    const training = await loadMnist("train", images, (share) => this.changed("loading", share)), validation = loadMnist("validation");
    validation.catch(() => {}); // it fails where it is awaited
    return { training, validation };
  }

  async begin(run, data) {
    if (this.isStopped) return;
    await this.prepare(data);
    const normalization = run.normalization ?? (await this.crew.lead.call("normalize", { name: "train" }));
    run.begin(run.weights ?? startingWeights(run.network, run.seed), normalization);
  }

  // Start workers, with fewer of them if memory runs out, and give them the images.
  async prepare({ training, validation }) {
    try {
      this.crew ??= await Crew.start(this.abi, this.workers);
      await this.crew.keepTraining(training);
    } catch (error) {
      const count = this.crew?.threads.length ?? this.workers ?? 2;
      this.release();
      if (count === 1) throw error;
      this.workers = 1;
      return this.prepare({ training, validation });
    }
    const { crew } = this;
    validation.then((images) => crew.keepValidation(images)).catch((error) => crew.end(error.message));
  }

  // Train until the end; when workers are lost, start others and go on from the last report.
  async goOn(run, data) {
    for (let losses = 0; !this.isStopped; ) {
      const { step } = run.last;
      try {
        await this.prepare(data);
        return await this.crew.train({ ...run.job, control: { isPaused: run.status === "paused" } }, (event) => this.follow(run, event));
      } catch (error) {
        this.release();
        losses = run.last.step > step ? 1 : losses + 1;
        if (["diverged", "out of memory"].includes(error.message) || losses > MOST_LOSSES) throw error;
        this.tell("workerLost", { number: run.history.length + 1 });
      }
    }
  }

  follow(run, event) {
    if (event.kind === "progress") {
      run.progress(event);
      this.changed("progress");
    } else if (run.epoch(event, this.crew.threads.length)) this.changed("epoch");
  }

  pause() {
    this.run.status = "paused";
    this.crew?.lead.call("control", { isPaused: true });
    this.changed("status");
  }

  resume() {
    this.run.status = "running";
    this.crew?.lead.call("control", { isPaused: false });
    this.changed("status");
  }

  stop() {
    this.isStopped = true;
    this.crew?.lead.call("control", { isStopped: true });
  }

  // End the workers; the next training starts others.
  release() {
    this.crew?.end("ended");
    this.crew = null;
  }
}

// Return the name of a text, and its values, for an error.
function reasonOf({ message }) {
  if (message === "diverged") return ["diverged", {}];
  if (/memory|allocat/i.test(message)) return ["outOfMemory", {}];
  return ["trainingFailed", { reason: message }];
}
