// The workers that train together: started, given their images, watched.

import { readFile } from "../files.js";
import { Thread } from "../thread.js";

const MOST = 4; // workers: a batch of 128 images has so many parts, and each keeps all images
const WATCH_EVERY = 1000; // milliseconds
const MISSED = 6; // signs of life, after which a worker counts as lost

export class Crew {
  // Start workers, as many as the machine has cores, or `count`; fewer if the browser does not start all.
  static async start(abi, count = Math.min(navigator.hardwareConcurrency || 1, MOST)) {
    const wasm = await engineBytes();
    const started = await Promise.allSettled(Array.from({ length: count }, () => Thread.start(abi, wasm)));
    const threads = started.filter(({ value }) => value).map(({ value }) => value);
    if (!threads.length) throw started[0].reason;
    return new Crew(threads);
  }

  constructor(threads) {
    Object.assign(this, { threads, images: 0, validation: null, missed: 0 });
    this.watching = setInterval(() => this.watch(), WATCH_EVERY);
  }

  get lead() {
    return this.threads[0];
  }

  // Give every worker the training images, unless it has them; those of MNIST are views of one buffer.
  async keepTraining({ images, labels }) {
    if (this.images === labels.length && this.buffer === images.buffer) return;
    Object.assign(this, { images: labels.length, buffer: images.buffer, validation: null });
    await Promise.all(this.threads.map((thread) => keep(thread, "train", images.slice(), labels.slice())));
  }

  // Give every worker its share of the validation images.
  async keepValidation({ images, labels }) {
    if (this.validation === labels) return;
    this.validation = labels;
    const n = this.threads.length, at = (i) => Math.ceil((i * labels.length) / n); // the first has some, however few there are
    const share = (i) => [images.slice(784 * at(i), 784 * at(i + 1)), labels.slice(at(i), at(i + 1))];
    await Promise.all(this.threads.map((thread, i) => keep(thread, "validation", ...share(i))));
  }

  // Train; resolves when the training has ended. `onEvent` gets what the workers tell (replica.js).
  async train(job, onEvent) {
    const ports = connect(this.threads.length);
    this.threads.forEach((thread) => { thread.onEvent = onEvent; });
    const all = this.threads.map((thread, index) =>
      thread.call("train", { ...job, index, ports: ports[index] }, ports[index].filter(Boolean)));
    await Promise.all(all);
  }

  // Ask every worker for a sign of life. The timer stands still while the browser freezes the page, and so does the count.
  async watch() {
    if (this.isAsking) {
      this.missed += 1;
      if (this.missed >= MISSED) this.end("a worker does not answer");
      return;
    }
    this.isAsking = true;
    this.missed = 0;
    await Promise.allSettled(this.threads.map((thread) => thread.call("answer")));
    this.isAsking = false;
  }

  end(reason) {
    clearInterval(this.watching);
    this.threads.forEach((thread) => thread.end(reason));
  }
}

// Return the bytes of the engine: with relaxed SIMD, which trains faster, where the browser has it.
async function engineBytes() {
  const relaxed = await readFile("engine-relaxed.wasm");
  return WebAssembly.validate(relaxed) ? relaxed : readFile("engine.wasm");
}

function keep(thread, name, images, labels) {
  return thread.call("keep", { name, images, labels }, [images.buffer, labels.buffer]);
}

// Return the ports of each worker to each other one; null to itself.
function connect(count) {
  const ports = Array.from({ length: count }, () => Array.from({ length: count }, () => null));
  for (let i = 0; i < count; i++)
    for (let j = i + 1; j < count; j++) {
      const { port1, port2 } = new MessageChannel();
      ports[i][j] = port1;
      ports[j][i] = port2;
    }
  return ports;
}
