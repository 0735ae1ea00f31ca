// Calls one of the functions below, by its name, with the page's modules and with values.
async ([name, values]) => {
  const names = ["arithmetic", "engine", "link", "model", "pictures", "reading", "strokes"];
  const modules = await Promise.all(names.map((name) => import(`/${name}.js`)));
  const [arithmetic, engine, link, model, pictures, reading, strokes] = modules;
  const settings = await (await fetch("/settings.json")).json();
  const bytesOf = async (file) => new Uint8Array(await (await fetch(file)).arrayBuffer());
  const decode = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const encode = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };
  const start = async () => engine.Engine.start(await bytesOf("/engine.wasm"), settings.abi);
  const load = async () => model.parseModel(await bytesOf("/model.safetensors"));

  const functions = {
    predict: async ({ images, count }) => {
      const network = await load();
      const predictor = new engine.Predictor(await start(), network, new model.Layers(network, new model.Edits()).flat);
      const all = predictor.run(decode(images), count);
      const sizes = Object.fromEntries(Object.entries(all).map(([name, values]) => [name, values.length / count]));
      const one = (i) => Object.fromEntries(Object.entries(all).map(([name, values]) => [name, values.subarray(i * sizes[name], (i + 1) * sizes[name])]));
      const margins = Float64Array.from({ length: count }, (_, i) => reading.oodMargin(network, one(i), settings));
      predictor.free();
      return { stages: Object.fromEntries(Object.entries(all).map(([name, values]) => [name, encode(values)])), margins: encode(margins) };
    },
    prepare: async ({ pictures }) => {
      const machine = await start();
      return pictures.map(({ height, width, picture }) => {
        const found = machine.prepare({ brightness: Float64Array.from(decode(picture), (value) => value / 255), height, width }, settings.constants);
        return { ...found, ...Object.fromEntries(["image", "gray", "ink"].map((name) => [name, encode(found[name])])) };
      });
    },
    answer: async ({ drawings }) => {
      const machine = await start(), network = await load();
      const predictor = new engine.Predictor(machine, network, new model.Layers(network, new model.Edits()).flat);
      const assess = (image) => {
        const stages = predictor.run(image);
        return { probabilities: stages.probabilities, margin: reading.oodMargin(network, stages, settings) };
      };
      return drawings.map(([lines, width]) => {
        const sheet = strokes.rasterize(lines, width), prepared = reading.prepareBest(machine, assess, settings, sheet);
        const answer = reading.answerOf(prepared.problem, assess(prepared.image), settings);
        return { sheet: encode(sheet.brightness), height: sheet.height, width: sheet.width, image: encode(prepared.image), ...answer };
      });
    },
    brightness: ({ given }) => given.map(({ data, height, width }) =>
      encode(pictures.brightnessOf(decode(data), width, height, settings))),
    explain: async ({ image }) => {
      const network = await load(), layers = new model.Layers(network, new model.Edits());
      const predictor = new engine.Predictor(await start(), network, layers.flat), stages = predictor.run(decode(image));
      const sides = [28, ...engine.sidesOf(network.network.banks)];
      const differences = layers.banks.map((bank, i) => {
        const input = i ? stages[`bank${i}`] : stages.normalized, output = stages[`bank${i + 1}`];
        let most = 0;
        for (const filter of [0, 3, bank.filters - 1])
          for (let place = 0; place < sides[i + 1] ** 2; place++) {
            const { value } = arithmetic.explainValue(bank, input, sides[i], filter, Math.floor(place / sides[i + 1]), place % sides[i + 1]);
            most = Math.max(most, Math.abs(value - output[place * bank.filters + filter]));
          }
        return most;
      });
      return differences;
    },
    evidence: async ({ cases }) => {
      const network = await load(), { rest } = new model.Layers(network, new model.Edits());
      const means = model.averageBarcodes(decode(settings.means), network.network);
      const trend = Array.from(means[0], (_, i) => means.reduce((sum, mean) => sum + mean[i], 0) / means.length);
      return cases.map(([barcode, a, b]) => {
        const found = arithmetic.evidence(rest, network.network.leak, trend, barcode, a, b);
        return { ...found, values: Array.from(found.values) };
      });
    },
    switchOff: async ({ images, off, count }) => {
      const network = await load();
      const predictor = new engine.Predictor(await start(), network, new model.Layers(network, new model.Edits(off)).flat);
      return encode(predictor.run(decode(images), count).probabilities);
    },
    changeWeight: async ({ key, value }) => {
      const network = await load(), layers = new model.Layers(network, new model.Edits([], [[key, value]]));
      return [Array.from(layers.weightsOf(2, 7, 3)), Array.from(layers.weightsOf(2, 7, 4))];
    },
    erase: ({ cases }) => cases.map(([lines, point, radius]) => strokes.erase(lines, point, radius)),
    followLink: ({ lines }) => {
      const edits = new model.Edits(["1.3", "2.0"], [["1.0.0.12", -0.5], ["3.1.2.8", 1e-7]]);
      const state = { model: "abc", pen: 90, lines, edits, selected: { bank: 2, filter: 5, channel: 1, place: 33, window: 2 }, language: "de", tour: 4 };
      const { off, weights, ...found } = link.readHash(link.writeHash(state));
      return { ...found, off, weights };
    },
    decodeStrokes: ({ text }) => strokes.decode(text),
    draw: async ({ network, seed, pass, count, augmentation, share }) => {
      const draws = await import("/training/draws.js");
      return {
        weights: encode(draws.startingWeights(network, seed)), order: encode(draws.drawOrder(seed, pass, count)),
        lattices: encode(draws.drawLattices(seed, pass, count, augmentation, share)),
      };
    },
    rates: async ({ recipe, images }) => {
      const { augmentationLeft, learningRateAt, planOf } = await import("/training/recipe.js");
      const plan = planOf(recipe, images), epochs = [...Array(recipe.epochs).keys()], passes = [...Array(recipe.passes).keys()];
      return {
        ...plan, rates: Array.from({ length: plan.steps }, (_, i) => learningRateAt(recipe, (i + 0.5) / plan.steps)),
        left: epochs.flatMap((epoch) => passes.map((pass) => augmentationLeft(recipe, epoch, pass))),
      };
    },
    normalize: async ({ images }) => (await import("/training/normalization.js")).normalizationOf(decode(images)),
    train: async ({ workers, images, labels, network, recipe, seed, firstEpoch }) => {
      const { Crew } = await import("/training/crew.js"), { startingWeights } = await import("/training/draws.js");
      const crew = await Crew.start(settings.abi, workers), set = { images: decode(images), labels: decode(labels) };
      await Promise.all([crew.keepTraining(set), crew.keepValidation(set)]);
      const normalization = await crew.lead.call("normalize", { name: "train" });
      const state = { weights: startingWeights(network, seed) }, epochs = [];
      const job = { network, recipe, seed, images: set.labels.length, firstEpoch, normalization, state, step: 0 };
      await crew.train(job, (event) => { if (event.kind === "epoch") epochs.push(event); });
      crew.end();
      const lead = epochs.filter(({ index }) => index === 0);
      return {
        weights: encode(lead.at(-1).weights), losses: lead.map(({ epoch }) => epoch.loss / epoch.images),
        correct: lead.map(({ epoch }) => epoch.correct), validated: epochs.reduce((sum, one) => sum + one.validated.count, 0),
      };
    },
    writeModel: async ({ run, weights, epochs }) => {
      const file = await import("/training/model_file.js"), more = await (await fetch("/training.json")).json();
      return encode(file.writeModel(run, new Float32Array(decode(weights).buffer), epochs, more));
    },
    readModel: async ({ bytes }) => {
      const file = await import("/training/model_file.js");
      try {
        const { model: found, digest } = file.readModel(decode(bytes));
        return { digest, names: found.classNames, own: file.networkDigest(found) };
      } catch (error) {
        return { error: error.message };
      }
    },
    evaluate: async ({ images, labels }) => {
      const { Thread } = await import("/thread.js"), network = await load();
      const thread = await Thread.start(settings.abi), weights = new model.Layers(network).flat;
      const found = await thread.call("evaluate", { network: network.network, normalization: network.normalization, weights, images: decode(images), labels: decode(labels) });
      thread.end();
      return { ...found, confusion: Array.from(found.confusion), predicted: Array.from(found.predicted) };
    },
    mnist: async ({ part, count }) => {
      const { loadMnist } = await import("/mnist.js"), shares = [];
      const { images, labels } = await loadMnist(part, count ?? undefined, (share) => shares.push(share));
      return { images: encode(images), labels: encode(labels), shares };
    },
    hash: async ({ texts }) => {
      const { sha256 } = await import("/training/sha256.js");
      return texts.map((text) => sha256(decode(text)));
    },
    pythonJson: async ({ text }) => {
      const { dump, parse, plain } = await import("/training/python_json.js");
      return [dump(parse(text), true), dump(plain(parse(text)))];
    },
  };
  return functions[name](values);
}
