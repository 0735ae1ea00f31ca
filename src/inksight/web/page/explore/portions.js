// What takes long is done in portions of images by a worker, so that it says how far it is, and ends when it is outdated.

import { Thread } from "../thread.js";

const PIXELS = 784;
const AT_ONCE = 1000; // images

let starting = null; // the worker that all views share

// Return the worker, started anew if it was lost.
export async function worker(abi) {
  if (starting && !(await starting.catch(() => null))?.worker) starting = null;
  starting ??= Thread.start(abi);
  return starting;
}

// Do a task of worker.js with a model, its weights and each portion of {images, labels}, one after the other. Returns the
// results, or null as soon as `isWanted()` is false. `onProgress(share)` is called in between.
export async function inPortions(thread, task, { network, normalization }, weights, { images, labels }, values, isWanted, onProgress) {
  const results = [];
  for (let start = 0; start < labels.length; start += AT_ONCE) {
    const end = Math.min(start + AT_ONCE, labels.length);
    const portion = { images: images.slice(start * PIXELS, end * PIXELS), labels: labels.slice(start, end) };
    results.push(await thread.call(task, { network, normalization, weights, ...portion, ...values }));
    if (!isWanted()) return null;
    onProgress(end / labels.length);
  }
  return results;
}

// Join arrays of one kind.
export function join(arrays) {
  const all = new arrays[0].constructor(arrays.reduce((sum, { length }) => sum + length, 0));
  arrays.reduce((start, array) => (all.set(array, start), start + array.length), 0);
  return all;
}
