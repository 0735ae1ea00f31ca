// Run the WebAssembly engine on the input of test_wasm.py, and print its results as JSON.
import {readFileSync} from "node:fs";

const [, , module, file] = process.argv;
const input = JSON.parse(readFileSync(file));
const {instance} = await WebAssembly.instantiate(readFileSync(module), {});  // it imports nothing
const engine = instance.exports;
engine._initialize();

// Memory grows, which replaces its buffer: take a new view for each access.
const bytes = (address, length) => new Uint8Array(engine.memory.buffer, address, length);
const place = (array) => {
  const address = engine.malloc(array.byteLength);
  bytes(address, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return address;
};
const decode = (text) => Uint8Array.from(Buffer.from(text, "base64"));
const encode = (address, length) => Buffer.from(bytes(address, length)).toString("base64");

const constants = place(Float64Array.from(input.constants));
const prepared = input.pictures.map(({height, width, picture}) => {
  const pixels = place(Float64Array.from(decode(picture), (value) => value / 255));
  const image = engine.malloc(784), gray = engine.malloc(8 * height * width), ink = engine.malloc(8 * height * width);
  const found = engine.malloc(72);
  if (!engine.inksight_preprocess(pixels, height, width, -1, constants, image, gray, ink, found)) throw new Error("memory");
  const numbers = Array.from(new BigInt64Array(engine.memory.buffer, found, 9), Number);
  const size = 8 * numbers[0] * numbers[1];
  return {image: encode(image, 784), gray: encode(gray, size), ink: encode(ink, size), found: numbers};
});

const {banks, dense, classes, leak, mean, variance, n, stages} = input;
const network = new DataView(new ArrayBuffer(28));
[28, banks.length, dense, classes].forEach((value, i) => network.setInt32(4 * i, value, true));
[leak, mean, variance].forEach((value, i) => network.setFloat32(16 + 4 * i, value, true));
const networkAddress = place(network), bankAddress = place(Int32Array.from(banks.flat()));
const predictor = engine.inksight_predictor_new(networkAddress, bankAddress, place(decode(input.weights)));
const outputs = Object.fromEntries(Object.entries(stages).map(([name, size]) => [name, engine.malloc(4 * n * size)]));
const bankOutputs = place(Uint32Array.from(banks, (_, i) => outputs[`bank${i + 1}`]));
const wanted = place(Uint32Array.from(
  [outputs.normalized, bankOutputs, outputs.barcode, outputs.dense ?? 0, outputs.logits, outputs.probabilities]));
const images = place(decode(input.images));
if (!engine.inksight_predict(predictor, images, 0, n, wanted)) throw new Error("memory");
const predicted = Object.fromEntries(
  Object.entries(stages).map(([name, size]) => [name, encode(outputs[name], 4 * n * size)]));

engine.inksight_predictor_free(predictor);

const {recipe, steps, size, batches, parameters} = input.training;
const trainer = engine.inksight_trainer_new(
  networkAddress, bankAddress, place(Float64Array.from(recipe)), place(decode(input.training.weights)));
const {rows, weights, lattices, labels, rates} = Object.fromEntries(
  Object.entries(batches).map(([name, text]) => [name, place(decode(text))]));
const batchesAddress = place(Int32Array.of(steps, size, rows, weights, lattices, labels, 0, rates));
const losses = engine.malloc(8 * steps), correct = engine.malloc(8 * steps), taken = engine.malloc(8);
if (!engine.inksight_trainer_steps(trainer, images, n, batchesAddress, losses, correct)) throw new Error("memory");
const state = [0, 1, 2].map(() => engine.malloc(4 * parameters));
engine.inksight_trainer_read(trainer, ...state, taken);
engine.inksight_trainer_free(trainer);
const trained = {
  losses: encode(losses, 8 * steps), correct: encode(correct, 8 * steps), steps: encode(taken, 8),
  state: state.map((address) => encode(address, 4 * parameters)),
};

console.log(JSON.stringify({abi: engine.inksight_abi(), prepared, predicted, trained}));
