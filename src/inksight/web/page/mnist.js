// MNIST, from the files of the page: unpacked while they come, no further than has been asked for.

import { openFile, readJson } from "./files.js";

const PIXELS = 784;
const HEADER = 10; // bytes of an array of NumPy before its description, whose length is in the last two of them
const FILES = { train: "train", validation: "train", test: "test" }; // the validation images follow those of training

let counts = null; // images of each part, or the promise of them
let arrays = {}; // by the names of their files

// Return {images: Uint8Array(count * 784), labels: Uint8Array(count)} of a part: "train", "validation" or "test", as
// `inksight.load("mnist").split()` divides them. They are views of arrays that others see, too: do not change them.
// `onProgress(share)` is called while they come.
export async function loadMnist(part, count = Infinity, onProgress = () => {}) {
  const all = await countMnist(), first = part === "validation" ? all.train : 0, end = first + Math.min(count, all[part]);
  const total = FILES[part] === "test" ? all.test : all.train + all.validation;
  const [images, labels] = ["x", "y"].map((letter) => {
    const name = `mnist/${letter}_${FILES[part]}.bin`;
    return (arrays[name] ??= new ArrayFile(name, total * (letter === "x" ? PIXELS : 1)));
  });
  try {
    await labels.upTo(total);
    await images.upTo(end * PIXELS, (filled) => onProgress(Math.min(filled / (end * PIXELS), 1)));
  } catch (error) {
    arrays = {}; // the next call tries again
    throw error;
  }
  return { images: images.bytes.subarray(first * PIXELS, end * PIXELS), labels: labels.bytes.subarray(first, end) };
}

// Return how many images each part has.
export function countMnist() {
  counts ??= readJson("mnist/parts.json").catch((error) => { counts = null; throw error; });
  return counts;
}

// The bytes of an array, which is stored as a compressed file of NumPy.
class ArrayFile {
  constructor(name, length) {
    Object.assign(this, { name, bytes: new Uint8Array(length), filled: 0, reading: Promise.resolve() });
    this.chunks = null;
  }

  // Wait until so many bytes have come. Calls take turns, since one stream serves all.
  upTo(length, onProgress = () => {}) {
    this.reading = this.reading.then(() => this.read(length, onProgress));
    return this.reading;
  }

  async read(length, onProgress) {
    this.chunks ??= arrayOf(await openFile(this.name));
    while (this.filled < length) {
      const { value, done } = await this.chunks.next();
      if (done) throw new Error(`${this.name}: ${this.filled} of ${this.bytes.length} bytes`);
      this.bytes.set(value, this.filled);
      this.filled += value.length;
      onProgress(this.filled);
    }
  }
}

// Yield the data of a compressed file of NumPy, without its header.
async function* arrayOf(stream) {
  const reader = stream.pipeThrough(new DecompressionStream("deflate-raw")).getReader(); // WebKit's streams do not iterate
  let head = new Uint8Array(0);
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    if (!head) {
      yield value;
      continue;
    }
    head = Uint8Array.from([...head, ...value]);
    const start = HEADER + (head.length < HEADER ? Infinity : head[8] + 256 * head[9]);
    if (head.length < start) continue;
    yield head.subarray(start);
    head = null;
  }
}
