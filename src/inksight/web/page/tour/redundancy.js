// Filters that the answer does not need: they are found by switching them off.

import { Predictor } from "../engine.js";
import { Edits, Layers } from "../model.js";
import { ranking } from "../reading.js";

// Return the keys of as many filters of a bank as can be switched off together, from the one that matters least on, while
// the most probable class stays the same and has enough probability for an answer.
export function dispensableFilters({ engine, model, settings, edits, result }, bank) {
  const [answer] = ranking(result.stages.probabilities);
  const shareWithout = (keys) => {
    const layers = new Layers(model, new Edits([...edits.off, ...keys], edits.weights)), predictor = new Predictor(engine, model, layers.flat);
    const { probabilities } = predictor.run(result.prepared.image, 1, ["probabilities"]);
    predictor.free();
    return ranking(probabilities)[0] === answer ? probabilities[answer] : 0;
  };
  const keys = Array.from({ length: model.network.banks[bank - 1].filters }, (_, filter) => `${bank}.${filter}`).filter((key) => !edits.off.has(key));
  const shares = keys.map((key) => shareWithout([key])), order = ranking(shares).map((i) => keys[i]);
  let count = 0;
  while (count < order.length && shareWithout(order.slice(0, count + 1)) >= settings.min_confidence) count++;
  return order.slice(0, count);
}
