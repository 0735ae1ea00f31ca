// The engine for WebAssembly, as wasm.py times it in Node and in a page.

// Make a predictor and a trainer from the input of wasm.py. Return functions that predict all images, and take all training
// steps, until at least `seconds` have passed; each returns images a second.
async function start(input) {
  const decode = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const {instance} = await WebAssembly.instantiate(decode(input.module), {});
  const engine = instance.exports;
  engine._initialize();
  const place = (bytes) => {
    const address = engine.malloc(bytes.byteLength);
    new Uint8Array(engine.memory.buffer).set(new Uint8Array(bytes.buffer), address);
    return address;
  };
  const {n, classes, steps, size} = input;
  const at = Object.fromEntries(Object.entries(input.arrays).map(([name, text]) => [name, place(decode(text))]));
  const predictor = engine.inksight_predictor_new(at.network, at.banks, at.weights);
  const trainer = engine.inksight_trainer_new(at.network, at.banks, at.recipe, at.weights);
  const probabilities = engine.malloc(4 * n * classes);
  const stages = place(Uint32Array.of(0, place(new Uint32Array(input.banks)), 0, 0, 0, probabilities));
  const batches = place(Int32Array.of(steps, size, at.rows, at.factors, at.lattices, at.labels, 0, at.rates));
  const losses = engine.malloc(8 * steps), correct = engine.malloc(8 * steps);
  const rate = (images, call) => (seconds) => {
    const begin = performance.now();
    for (let done = images; ; done += images) {
      if (!call()) throw new Error("memory");
      const passed = (performance.now() - begin) / 1000;
      if (passed >= seconds) return done / passed;
    }
  };
  return {
    predict: rate(n, () => engine.inksight_predict(predictor, at.images, 0, n, stages)),
    train: rate(steps * size, () => engine.inksight_trainer_steps(trainer, at.images, n, batches, losses, correct)),
    // The probabilities of the first image, which show that it is the same network everywhere.
    check: () => {
      engine.inksight_predict(predictor, at.images, 0, 1, stages);
      return Array.from(new Float32Array(engine.memory.buffer, probabilities, classes));
    },
  };
}
