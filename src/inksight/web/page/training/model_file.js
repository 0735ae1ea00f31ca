// Model files: written so that `inksight.load_model` reads them, and read with their checksum, which model.js leaves out.

import { Damaged, modelOf, paramShapes, parseSafetensors, unflattened } from "../model.js";
import { dump, parse, plain } from "./python_json.js";
import { sha256 } from "./sha256.js";

const DETECTOR = "ood_detector.";
const NORMALIZATION = ["mean", "variance", "count"];
const encoder = new TextEncoder();

// Return the bytes of the file of a run's network after so many epochs, with these weights.
export function writeModel(run, weights, epochs, settings) {
  const { network, recipe, normalization, classNames } = run;
  const arrays = Object.entries(unflattened(network, weights)).map(([name, values]) => ({ name, values, shape: paramShapes(network)[name] }));
  for (const name of NORMALIZATION) arrays.push({ name: `normalization.${name}`, values: Float32Array.of(normalization[name]), shape: [] });
  const header = {
    format: settings.format, network, class_names: classNames, recipe: { ...recipe, epochs }, history: run.history.slice(0, epochs),
    trained_on: !run.isOwn && run.images === settings.limits.images[1] ? settings.trained_on : "", version: settings.version, temperature: 1,
  };
  header.checksum = checksum(header, digestOf(arrays));
  return safetensors(arrays, dump(header));
}

// Return {model, digest} of the bytes of a visitor's file. Raises `Damaged` if it is anything else.
export function readModel(bytes) {
  let tree = null;
  const file = parseSafetensors(bytes, (text) => plain((tree = parse(text))));
  const model = modelOf(file), arrays = Object.entries(file.arrays).map(([name, { values }]) => ({ name, values }));
  const digest = digestOf(arrays.filter(({ name }) => !name.startsWith(DETECTOR)));
  const { checksum: found, ...header } = tree;
  if (found !== checksum(header, digest)) throw new Damaged("checksum");
  return { model, digest };
}

// Return the digest of a network, as `inksight.Model.digest`.
export function networkDigest({ network, params, normalization }) {
  const arrays = Object.keys(paramShapes(network)).map((name) => ({ name, values: params[name] }));
  for (const name of NORMALIZATION) arrays.push({ name: `normalization.${name}`, values: Float32Array.of(normalization[name]) });
  return digestOf(arrays);
}

function digestOf(arrays) {
  const sorted = [...arrays].sort((a, b) => (a.name < b.name ? -1 : 1));
  return sha256(together(sorted.flatMap(({ name, values }) => [encoder.encode(name), bytesOf(values)])));
}

function checksum(header, digest) {
  return sha256(encoder.encode(dump(header, true) + digest));
}

function safetensors(arrays, text) {
  const described = { __metadata__: { inksight: text } };
  let end = 0;
  for (const { name, values, shape } of arrays) described[name] = { dtype: "F32", shape, data_offsets: [end, (end += 4 * values.length)] };
  const json = encoder.encode(JSON.stringify(described)), size = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + size).fill(32); // spaces, up to a multiple of eight bytes
  new DataView(head.buffer).setBigUint64(0, BigInt(size), true);
  head.set(json, 8);
  return together([head, ...arrays.map(({ values }) => bytesOf(values))]);
}

function bytesOf(values) {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function together(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((start, part) => (all.set(part, start), start + part.length), 0);
  return all;
}
