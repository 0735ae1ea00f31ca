// A worker with the engine, as the page calls it. What it can do is in worker.js.

import { readFile, startWorker } from "./files.js";

export class Thread {
  // Start a worker with the engine of these bytes; `abi` is the number of the engine's interface.
  static async start(abi, wasm) {
    const thread = new Thread(await startWorker("worker.js"));
    try {
      await thread.call("start", { wasm: wasm ?? (await readFile("engine.wasm")), abi });
    } catch (error) {
      thread.end();
      throw error;
    }
    return thread;
  }

  constructor(worker) {
    Object.assign(this, { worker, waiting: new Map(), number: 0, onEvent: () => {} });
    worker.onmessage = ({ data: { id, result, error, event } }) => {
      if (event) return this.onEvent(event);
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    };
    worker.onerror = (event) => {
      event.preventDefault?.();
      this.end(event.message || "the worker did not start");
    };
  }

  // Do a task with values, which are copied, apart from the buffers in `transfer`, which are handed over.
  call(task, values = {}, transfer = []) {
    if (!this.worker) return Promise.reject(new Error(this.reason));
    return new Promise((resolve, reject) => {
      this.number += 1;
      this.waiting.set(this.number, { resolve, reject });
      this.worker.postMessage({ id: this.number, task, values }, transfer);
    });
  }

  // End the worker. What it has not answered fails.
  end(reason = "the worker was ended") {
    this.worker?.terminate();
    Object.assign(this, { worker: null, reason });
    for (const { reject } of this.waiting.values()) reject(new Error(reason));
    this.waiting.clear();
  }
}
