// Model files (safetensors): reading one, which may be damaged or hostile, and the weights of an edited network.

import { sidesOf } from "./engine.js";

const FORMAT = "inksight model 2";

export class Damaged extends Error {}

function check(valid, what) {
  if (!valid) throw new Damaged(what);
}

const isCount = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;

// Return {network, classNames, normalization, temperature, params, detector} of the bytes of a model file.
export function parseModel(bytes) {
  return modelOf(parseSafetensors(bytes));
}

// Return the same of the header and the arrays of a file.
export function modelOf({ header, arrays }) {
  const { network, class_names: classNames, temperature } = header;
  check(header.format === FORMAT, "format");
  checkNetwork(network);
  check(Array.isArray(classNames) && classNames.length === network.classes && classNames.every((name) => typeof name === "string"), "class_names");
  check(temperature >= 1e-3 && temperature <= 1e3, "temperature");
  const params = {};
  for (const [name, shape] of Object.entries(paramShapes(network))) params[name] = arrayOf(arrays, name, shape);
  const [mean, variance, count] = ["mean", "variance", "count"].map((name) => arrayOf(arrays, `normalization.${name}`, [])[0]);
  check(variance > 0, "normalization.variance");
  return { network, classNames, temperature, params, normalization: { mean, variance, count }, detector: detectorOf(header, arrays) };
}

// Return the header, as values and as text, and the arrays of a file; `parse` reads the text.
export function parseSafetensors(bytes, parse = JSON.parse) {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = Number(view.getBigUint64(0, true));
    check(size <= bytes.length - 8, "header");
    const { __metadata__: metadata, ...described } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + size)));
    const arrays = {};
    for (const [name, { dtype, shape, data_offsets: [start, end] }] of Object.entries(described)) {
      const count = shape.reduce((product, length) => product * length, 1);
      check(dtype === "F32" && start >= 0 && end - start === 4 * count && 8 + size + end <= bytes.length, name);
      const values = new Float32Array(bytes.slice(8 + size + start, 8 + size + end).buffer);
      check(values.every(Number.isFinite), name);
      arrays[name] = { shape, values };
    }
    return { header: parse(metadata.inksight), text: metadata.inksight, arrays };
  } catch (error) {
    throw error instanceof Damaged ? error : new Damaged(error.message);
  }
}

function checkNetwork(network) {
  check(network && typeof network === "object" && Array.isArray(network.banks) && isCount(network.banks.length, 1, 32), "banks");
  for (const bank of network.banks)
    check(bank && isCount(bank.filters, 1, 1024) && [1, 3, 5, 7].includes(bank.kernel) && [1, 2].includes(bank.pool), "banks");
  check(Math.min(...sidesOf(network.banks)) >= 1, "banks");
  check(isCount(network.dense, 0, 4096) && isCount(network.classes, 2, 1000), "dense or classes");
  check(network.leak >= 0 && network.leak <= 1, "leak");
}

function arrayOf(arrays, name, shape) {
  check(Object.hasOwn(arrays, name) && String(arrays[name].shape) === String(shape), name);
  return arrays[name].values;
}

// Return the shape of every weight by name, as `inksight.nn.parameters.param_shapes`.
export function paramShapes({ banks, dense, classes }) {
  const shapes = {};
  let channels = 1;
  banks.forEach(({ filters, kernel, separable }, i) => {
    const name = `bank${i + 1}`;
    if (separable) {
      shapes[`${name}.depthwise`] = [kernel, kernel, channels];
      shapes[`${name}.pointwise`] = [channels, filters];
    } else shapes[`${name}.kernel`] = [kernel, kernel, channels, filters];
    shapes[`${name}.bias`] = [filters];
    channels = filters;
  });
  if (dense) {
    shapes["dense.kernel"] = [channels, dense];
    shapes["dense.bias"] = [dense];
    channels = dense;
  }
  return { ...shapes, "output.kernel": [channels, classes], "output.bias": [classes] };
}

// Return the weights by name of all weights in the order of the model file.
export function unflattened(network, weights) {
  let start = 0;
  return Object.fromEntries(Object.entries(paramShapes(network)).map(([name, shape]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return [name, weights.slice(start, (start += size))];
  }));
}

function detectorOf(header, arrays) {
  const detector = header.ood_detector;
  if (!detector || Object.hasOwn(arrays, "ood_detector.rejection_weights")) return null; // that kind is not computed here
  const features = header.network.banks.reduce((sum, { filters }) => sum + filters, 0);
  const temperature = detector.temperature ?? header.temperature;
  check(Number.isFinite(detector.threshold) && temperature >= 1e-3 && temperature <= 1e3, "ood_detector");
  return {
    threshold: detector.threshold,
    temperature,
    means: arrayOf(arrays, "ood_detector.means", [header.network.classes, features]),
    whitening: arrayOf(arrays, "ood_detector.whitening", [features, features]),
  };
}

// Return the average barcode of each class from the bytes of all.
export function averageBarcodes(bytes, { banks, classes }) {
  const { filters } = banks.at(-1), all = new Float32Array(bytes.buffer);
  return Array.from({ length: classes }, (_, i) => all.subarray(i * filters, (i + 1) * filters));
}

// What a visitor has changed: filters that are switched off, as "bank.filter", and weights by "bank.filter.channel.place".
export class Edits {
  constructor(off = [], weights = []) {
    this.off = new Set(off);
    this.weights = new Map(weights);
  }

  get empty() {
    return !this.off.size && !this.weights.size;
  }

  // Remove the edits of one filter.
  restore(bank, filter) {
    this.off.delete(`${bank}.${filter}`);
    for (const key of this.weights.keys()) if (key.startsWith(`${bank}.${filter}.`)) this.weights.delete(key);
  }
}

// The layers with the weights that the network has after the edits: kernels (k, k, channels, filters), biases, and so on.
export class Layers {
  constructor({ network, params }, edits = new Edits()) {
    this.banks = network.banks.map(({ filters, kernel: k, pool, separable }, i) => {
      const name = `bank${i + 1}`, channels = i ? network.banks[i - 1].filters : 1;
      const kernel = separable ? product(params, name, k, channels, filters) : params[`${name}.kernel`].slice();
      return { filters, k, pool, channels, kernel, bias: params[`${name}.bias`].slice(), leak: network.leak };
    });
    for (const [key, value] of edits.weights) {
      const [bank, filter, channel, place] = key.split(".").map(Number);
      const layer = this.banks[bank - 1];
      layer.kernel[indexOf(layer, filter, channel, place)] = value;
    }
    for (const key of edits.off) {
      const [bank, filter] = key.split(".").map(Number);
      const { kernel, bias, filters } = this.banks[bank - 1];
      for (let i = filter; i < kernel.length; i += filters) kernel[i] = 0;
      bias[filter] = 0;
    }
    this.rest = (network.dense ? ["dense", "output"] : ["output"]).map((name) => ({
      kernel: params[`${name}.kernel`], bias: params[`${name}.bias`] }));
  }

  // Return all weights in the order in which the engine reads them.
  get flat() {
    const parts = [...this.banks, ...this.rest].flatMap(({ kernel, bias }) => [kernel, bias]);
    const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((start, part) => (all.set(part, start), start + part.length), 0);
    return all;
  }

  // Return the weights of one filter for one channel, row by row.
  weightsOf(bank, filter, channel) {
    const layer = this.banks[bank - 1];
    return Float32Array.from({ length: layer.k ** 2 }, (_, place) => layer.kernel[indexOf(layer, filter, channel, place)]);
  }
}

function indexOf({ channels, filters }, filter, channel, place) {
  return (place * channels + channel) * filters + filter;
}

// Return whether an edit, which may come from a link, names a filter, or a weight, that exists.
export function exists(network, key) {
  const parts = key.split(".").map(Number);
  const bank = network.banks[parts[0] - 1];
  const channels = parts[0] > 1 ? network.banks[parts[0] - 2]?.filters : 1;
  const limits = [Infinity, bank?.filters, channels, bank?.kernel ** 2];
  return Boolean(bank) && parts.every((part, i) => isCount(part, 0, limits[i] - 1));
}

// Return the effective kernel of a separable bank.
function product(params, name, k, channels, filters) {
  const depthwise = params[`${name}.depthwise`], pointwise = params[`${name}.pointwise`];
  return Float32Array.from({ length: k * k * channels * filters }, (_, i) => {
    const filter = i % filters, row = Math.floor(i / filters);
    return depthwise[row] * pointwise[(row % channels) * filters + filter];
  });
}
