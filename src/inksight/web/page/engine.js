// The engine in WebAssembly: it prepares pictures and predicts, as declared in native/api/inksight.h.

const SIDE = 28; // pixels: height and width of an image
const PROBLEMS = ["", "blank", "faint", "small"]; // by the number that the engine gives

export class Unsupported extends Error {}

export class Engine {
  // Start the engine from the bytes of its module; `abi` is the number of the interface that this file is written for.
  static async start(bytes, abi) {
    if (typeof WebAssembly !== "object" || !WebAssembly.validate(bytes)) throw new Unsupported("WebAssembly with SIMD");
    const { instance } = await WebAssembly.instantiate(bytes, {}); // it imports nothing
    instance.exports._initialize();
    if (instance.exports.inksight_abi() !== abi) throw new Error("the engine has another interface than the page");
    return new Engine(instance.exports);
  }

  constructor(functions) {
    this.functions = functions;
  }

  // Call `work` with a function that places arrays in the engine's memory, which are freed afterwards.
  withMemory(work) {
    const addresses = [];
    const reserve = (size) => {
      const address = this.functions.malloc(Math.max(size, 1)) >>> 0;
      if (!address) throw new Error("out of memory");
      addresses.push(address);
      return address;
    };
    const place = (array) => {
      const address = reserve(array.byteLength);
      this.view(Uint8Array, address, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return address;
    };
    try {
      return work(place, reserve);
    } finally {
      addresses.forEach((address) => this.functions.free(address));
    }
  }

  // Return a view of the engine's memory. It is valid until the next call, which may replace the memory by a larger one.
  view(Kind, address, length) {
    return new Kind(this.functions.memory.buffer, address, length);
  }

  // Prepare the brightness (Float64Array, 0..1, height rows of width) of a picture of one digit, as `inksight.prepare`
  // does. `invert`: the ink is lighter than the paper; undefined: detect it.
  prepare({ brightness, height, width }, constants, invert) {
    return this.withMemory((place, reserve) => {
      const size = Math.min(height, constants.working_size) * Math.min(width, constants.working_size);
      const [image, gray, ink, found] = [SIDE * SIDE, 8 * size, 8 * size, 9 * 8].map(reserve);
      const sign = invert === undefined ? -1 : Number(invert);
      const numbers = place(Float64Array.from(Object.values(constants)));
      if (!this.functions.inksight_preprocess(place(brightness), height, width, sign, numbers, image, gray, ink, found))
        throw new Error("out of memory");
      const [h, w, left, top, boxWidth, boxHeight, dark, ambiguous, problem] = Array.from(this.view(BigInt64Array, found, 9), Number);
      return {
        image: this.view(Uint8Array, image, SIDE * SIDE).slice(),
        height: h,
        width: w,
        gray: this.view(Float64Array, gray, h * w).slice(),
        ink: this.view(Float64Array, ink, h * w).slice(),
        box: [left, top, boxWidth, boxHeight],
        dark: dark === 1,
        ambiguous: ambiguous === 1,
        problem: PROBLEMS[problem],
      };
    });
  }
}

// A network with its weights, ready to predict. `weights` are in the order of `flatten_weights` in Python.
export class Predictor {
  constructor(engine, { network, normalization }, weights) {
    this.engine = engine;
    this.stages = stageSizes(network);
    this.banks = network.banks.length;
    const effective = { ...network, banks: network.banks.map((bank) => ({ ...bank, separable: false })) };
    const parts = describe(effective, normalization);
    this.handle = engine.withMemory((place) => engine.functions.inksight_predictor_new(...parts.map(place), place(weights)));
    if (!this.handle) throw new Error("out of memory");
  }

  free() {
    this.engine.functions.inksight_predictor_free(this.handle);
  }

  // Return the named stages of n images (Uint8Array) by name, each a Float32Array, channels last; by default all.
  run(images, n = 1, names = Object.keys(this.stages)) {
    const { engine } = this, stages = Object.fromEntries(names.map((name) => [name, this.stages[name]]));
    return engine.withMemory((place, reserve) => {
      const at = Object.fromEntries(Object.entries(stages).map(([name, size]) => [name, reserve(4 * n * size)]));
      const banks = place(Uint32Array.from({ length: this.banks }, (_, i) => at[`bank${i + 1}`] ?? 0));
      const wanted = place(Uint32Array.from([at.normalized, banks, at.barcode, at.dense, at.logits, at.probabilities], (address) => address ?? 0));
      if (!engine.functions.inksight_predict(this.handle, place(images), 0, n, wanted)) throw new Error("out of memory");
      return Object.fromEntries(
        Object.entries(stages).map(([name, size]) => [name, engine.view(Float32Array, at[name], n * size).slice()]));
    });
  }
}

// Return the structs of a network and of its banks, as bytes.
export function describe({ banks, dense, classes, leak }, { mean, variance }) {
  const head = new DataView(new ArrayBuffer(28));
  [SIDE, banks.length, dense, classes].forEach((value, i) => head.setInt32(4 * i, value, true));
  [leak, mean, variance].forEach((value, i) => head.setFloat32(16 + 4 * i, value, true));
  return [head, Int32Array.from(banks.flatMap(({ filters, kernel, pool, separable }) => [filters, kernel, pool, Number(separable)]))];
}

function stageSizes({ banks, dense, classes }) {
  const sizes = { normalized: SIDE * SIDE };
  sidesOf(banks).forEach((side, i) => { sizes[`bank${i + 1}`] = side * side * banks[i].filters; });
  sizes.barcode = banks.at(-1).filters;
  if (dense) sizes.dense = dense;
  return { ...sizes, logits: classes, probabilities: classes };
}

// Return the side of the feature maps of each bank, in pixels.
export function sidesOf(banks) {
  let side = SIDE;
  return banks.map(({ kernel, pool }) => (side = Math.floor((side - kernel + 1) / pool)));
}
