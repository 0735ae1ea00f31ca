// Networks that leave a training: shown in all views, saved as a file; and files that a visitor opens.

import { loadMnist } from "../mnist.js";
import { Predictor } from "../engine.js";
import { make } from "../dom.js";
import { Layers, unflattened } from "../model.js";
import { networkDigest, readModel, writeModel } from "./model_file.js";

const MOST_BYTES = 256 * 2 ** 20; // of a model file, as in Python
const AT_ONCE = 500; // images

// Show a run's network, with the weights that are given, in all views of the page.
export async function useRun(app, settings, run, weights, name) {
  const { network, normalization, classNames } = run;
  const model = { network, normalization, classNames, temperature: 1, params: unflattened(network, weights), detector: null };
  await use(app, settings, model, networkDigest(model), name);
}

// Open a model file and show its network.
export async function openModel(app, settings, file) {
  if (file.size > MOST_BYTES) throw new Error("size");
  const { model, digest } = readModel(new Uint8Array(await file.arrayBuffer()));
  await use(app, settings, model, digest, file.name);
}

async function use(app, settings, model, digest, name) {
  const isDigits = model.classNames.join() === settings.class_names.join();
  app.use(model, { name, digest: digest.slice(0, 12) }, isDigits ? await averageBarcodes(app.engine, model, settings.images_per_class) : null);
}

// Return the average barcode of each class over its first training images.
async function averageBarcodes(engine, model, each) {
  const { images, labels } = await loadMnist("train"), { network } = model, width = network.banks.at(-1).filters;
  const predictor = new Predictor(engine, model, new Layers(model).flat);
  try {
    return Array.from({ length: network.classes }, (_, digit) => {
      const rows = [];
      for (let row = 0; row < labels.length && rows.length < each; row++) if (labels[row] === digit) rows.push(row);
      const sums = new Float64Array(width);
      for (let start = 0; start < rows.length; start += AT_ONCE) {
        const part = rows.slice(start, start + AT_ONCE), pixels = new Uint8Array(784 * part.length);
        part.forEach((row, i) => pixels.set(images.subarray(784 * row, 784 * (row + 1)), 784 * i));
        predictor.run(pixels, part.length, ["barcode"]).barcode.forEach((value, i) => { sums[i % width] += value; });
      }
      return Float32Array.from(sums, (sum) => sum / rows.length);
    });
  } finally {
    predictor.free();
  }
}

// Save the network of a run after so many epochs as a file.
export function download(run, weights, epochs, settings) {
  const address = URL.createObjectURL(new Blob([writeModel(run, weights, epochs, settings)], { type: "application/octet-stream" }));
  const link = make("a", { href: address, download: `run-${run.number}-epoch-${epochs}.safetensors` });
  document.body.append(link); // some browsers follow only links of the page
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // WebKit reads the file after the click has returned
}
