// The examples as data to train on: alone, or together with images of MNIST.

import { loadMnist } from "../mnist.js";
import { compareNames } from "./collection.js";

const PIXELS = 784;
const HELD_OUT = 5; // every fifth example of a class validates
const MNIST_IMAGES = { train: 6000, validation: 1000 }; // images: with all, a few examples would count for nothing
const MOST_REPEATS = 30; // of an example in a pass, so that its class counts as much as a digit
const DIGITS = Array.from("0123456789");

// Return {training, validation, names}, where the first two are {images, labels}.
export async function trainingData(collection, withMnist) {
  const own = collection.dataSet(), { training, validation } = holdOut(own);
  if (!withMnist) return { training, validation, names: own.names };
  const [digits, others] = await Promise.all(["train", "validation"].map((part) => loadMnist(part, MNIST_IMAGES[part])));
  const { names, ...mixed } = mix(repeated(training, MNIST_IMAGES.train / DIGITS.length), { ...digits, names: DIGITS });
  const { images, labels } = mix(validation, { ...others, names: DIGITS });
  return { training: mixed, validation: { images, labels }, names };
}

function holdOut({ images, labels, names }) {
  const seen = new Map(), rows = { training: [], validation: [] };
  labels.forEach((label, row) => {
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    rows[count % HELD_OUT ? "training" : "validation"].push(row);
  });
  const pick = (chosen) => ({ ...rowsOf({ images, labels }, chosen), names });
  return { training: pick(rows.training), validation: pick(rows.validation) };
}

// Repeat the examples of the classes that MNIST has not, until each class has about `count`.
function repeated({ names, ...set }, count) {
  const sizes = names.map((_, label) => set.labels.filter((one) => one === label).length);
  const repeats = names.map((name, label) => (DIGITS.includes(name) ? 1 : Math.min(Math.max(Math.round(count / sizes[label]), 1), MOST_REPEATS)));
  const rows = Array.from(set.labels).flatMap((label, row) => Array(repeats[label]).fill(row));
  return { ...rowsOf(set, rows), names };
}

function rowsOf({ images, labels }, rows) {
  const picked = { images: new Uint8Array(PIXELS * rows.length), labels: Uint8Array.from(rows, (row) => labels[row]) };
  rows.forEach((row, i) => picked.images.set(images.subarray(PIXELS * row, PIXELS * (row + 1)), PIXELS * i));
  return picked;
}

// Return two sets of labeled images, each {images, labels, names}, as one, with the classes of both.
export function mix(first, second) {
  const names = [...new Set([...first.names, ...second.names])].sort(compareNames);
  const images = new Uint8Array(first.images.length + second.images.length), labels = new Uint8Array(first.labels.length + second.labels.length);
  [first, second].forEach((set, i) => {
    const places = set.names.map((name) => names.indexOf(name));
    images.set(set.images, i ? first.images.length : 0);
    labels.set(set.labels.map((label) => places[label]), i ? first.labels.length : 0);
  });
  return { images, labels, names };
}
