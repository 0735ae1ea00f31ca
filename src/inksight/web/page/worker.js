// The engine in a worker: what takes long is computed here, so that the page goes on answering. thread.js calls it.

import { Engine } from "./engine.js";
import { evaluate } from "./evaluation.js";
import { stagesOf, survey } from "./explore/survey.js";

let engine = null;
const kept = {}; // sets of images, {images, labels} by name, which several tasks need

const tasks = {
  // Start the engine of a module's bytes.
  start: async ({ wasm, abi }) => { engine = await Engine.start(wasm, abi); },
  // Keep images for later tasks.
  keep: ({ name, images, labels }) => { kept[name] = { images, labels }; },
  // Evaluate a network on images, or on those kept under a name; see evaluation.js.
  evaluate: ({ name, ...values }) => evaluate(engine, { ...kept[name], ...values }),
  // Compute stages of images, and what the views of a data set show; see explore/survey.js.
  stages: (values) => stagesOf(engine, values),
  survey,
};

self.onmessage = async ({ data: { id, task, values } }) => {
  try {
    self.postMessage({ id, result: await tasks[task](values) });
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};
