// The engine in a worker: what takes long is computed here, so that the page goes on answering. thread.js calls it.

import { Engine } from "./engine.js";
import { evaluate } from "./evaluation.js";
import { stagesOf, survey } from "./explore/survey.js";
import { Replica } from "./training/replica.js";
import { normalizationOf } from "./training/normalization.js";

let engine = null, replica = null, wanted = {}; // what the page wants of the training: see `control`
const sets = {}; // images that several tasks need: promises of {images, labels} by name
const keep = {}; // by name, what fulfills a promise

const promised = (name) => (sets[name] ??= new Promise((resolve) => { keep[name] = resolve; }));

const tasks = {
  // Start the engine of a module's bytes.
  start: async ({ wasm, abi }) => { engine = await Engine.start(wasm, abi); },
  // Keep images for later tasks.
  keep: ({ name, images, labels }) => {
    const set = { images, labels };
    if (name === "train") delete sets.validation; // of other images
    keep[name]?.(set);
    delete keep[name];
    sets[name] = Promise.resolve(set);
  },
  // Evaluate a network on images, or on those kept under a name; see evaluation.js.
  evaluate: async ({ name, ...values }) => evaluate(engine, { ...(name && (await promised(name))), ...values }),
  // Compute stages of images, and what the views of a data set show; see explore/survey.js.
  stages: (values) => stagesOf(engine, values),
  survey,
  // Return the normalization of images that are kept.
  normalize: async ({ name }) => normalizationOf((await promised(name)).images),
  // Train together with other workers; see training/replica.js. Ends when the training does.
  train: async (job) => {
    wanted = job.index === 0 ? { ...job.control } : {};
    replica = null;
    replica = new Replica(engine, job, { train: await promised("train"), validation: promised("validation") }, (event) => self.postMessage({ event }));
    replica.control(wanted);
    await replica.run();
  },
  // Pause, continue or stop the training: {isPaused} or {isStopped}. It may not have begun yet.
  control: (change) => {
    Object.assign(wanted, change);
    replica?.control(change);
  },
  // Answer, as a sign of life.
  answer: () => true,
};

self.onmessage = async ({ data: { id, task, values } }) => {
  try {
    self.postMessage({ id, result: await tasks[task](values) });
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};
