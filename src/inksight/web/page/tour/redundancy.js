// Filters that the answer does not need: they are found by switching them off.

import { Predictor } from "../engine.js";
import { Edits, Layers } from "../model.js";
import { ranking } from "../reading.js";

// Return the keys of as many filters of a bank as can be switched off together, from the one that matters least on, until
// the network would give the image to another class.
export function dispensableFilters({ engine, model, edits, result }, bank) {
  const { prepared: { image }, stages } = result, [answer] = ranking(stages.probabilities);
  const without = (keys) => {
    const layers = new Layers(model, new Edits([...edits.off, ...keys], edits.weights)), predictor = new Predictor(engine, model, layers.flat);
    try {
      return predictor.run(image, 1, ["probabilities"]).probabilities;
    } finally {
      predictor.free();
    }
  };
  const keys = Array.from({ length: model.network.banks[bank - 1].filters }, (_, filter) => `${bank}.${filter}`).filter((key) => !edits.off.has(key));
  const left = keys.map((key) => without([key])[answer]), order = ranking(left).map((i) => keys[i]);
  let count = 0;
  while (count < order.length && ranking(without(order.slice(0, count + 1)))[0] === answer) count++;
  return order.slice(0, count);
}
