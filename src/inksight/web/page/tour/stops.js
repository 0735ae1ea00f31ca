// The stops of the tour: what each does on the page, the part that it shows, and the values that its text names.

import { reachOf } from "../colors.js";
import { ranking } from "../reading.js";
import { number, percent } from "../texts.js";

const PACE = 150; // milliseconds for each place of the kernel that slides: a row takes less than five seconds

// Return the stops for the network of a page. `enter(app)` does something, `values(app)` are those of the text, `key`
// names the text where a network has another than most.
export function stopsOf(app) {
  const { banks } = app.model.network;
  const pooled = banks.findIndex(({ pool }) => pool > 1);
  const all = [
    {
      name: "pixels", target: "#steps", enter: () => close(app),
      values: ({ result }) => ({ inked: result.prepared.image.filter((value) => value > 0).length }),
    },
    {
      name: "kernel", target: "#step .three",
      enter: async () => slide(app, (await selectStrongest(app, 1)).place),
      values: () => ({ kernel: banks[0].kernel }),
    },
    {
      name: "filters", target: "#stage-bank1", enter: () => close(app),
      values: () => ({ filters: banks[0].filters, filter: strongest(app, 1).filter }),
    },
    {
      name: "pooling", key: pooled < 0 ? "activation" : "pooling", target: "#step .lines",
      enter: () => selectStrongest(app, Math.max(pooled, 0) + 1),
      values: () => ({ leak: number(app.model.network.leak, 1) }),
    },
    {
      name: "deeper", target: "#stage-bank2", enter: () => selectStrongest(app, 2),
      values: () => ({ filters: banks[1].filters, channels: banks[0].filters, weights: banks[1].kernel ** 2 * banks[0].filters }),
    },
    {
      name: "barcode", key: app.means ? "barcode" : "barcodeAlone", target: "#barcodes .strips", enter: () => close(app),
      values: () => ({ count: banks.at(-1).filters, name: nearestMean(app) }),
    },
    {
      name: "decision", target: ".evidence", enter: () => app.compareWith(null),
      values: ({ model, result: { stages: { probabilities } } }) => {
        const [first, second] = ranking(probabilities);
        return { name: model.classNames[first], other: model.classNames[second], share: percent(probabilities[first]) };
      },
    },
    {
      name: "redundancy", target: "#stage-bank1", enter: () => close(app),
      values: ({ model, edits, result: { stages: { probabilities } } }) => ({
        off: [...edits.off].filter((key) => key.startsWith("1.")).length, filters: banks[0].filters,
        name: model.classNames[ranking(probabilities)[0]], share: percent(reachOf(probabilities)),
      }),
    },
  ];
  return all.filter(({ name }) => name !== "deeper" || banks.length > 1);
}

// Return the filter of a bank whose feature map has the highest value, and the place of it.
function strongest({ model, result }, bank) {
  const values = result.stages[`bank${bank}`], { filters } = model.network.banks[bank - 1];
  const highest = values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
  return { bank, filter: highest % filters, place: Math.floor(highest / filters) };
}

async function selectStrongest(app, bank) {
  const choice = strongest(app, bank);
  await app.select(choice);
  return choice;
}

async function close(app) {
  if (app.selected) await app.select(null);
}

// Slide the kernel along a row up to a place, unless the visitor moves it or chooses something else.
function slide({ step }, place) {
  if (!step || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  let at = place - (place % step.side);
  step.moveTo(at);
  const timer = setInterval(() => {
    if (at === place || step.selected?.place !== at || !step.element.isConnected) return clearInterval(timer);
    step.moveTo(++at);
  }, PACE);
}

function nearestMean({ means, model, result }) {
  if (!means) return "";
  const distances = means.map((mean) => Math.hypot(...result.stages.barcode.map((value, i) => value - mean[i])));
  return model.classNames[ranking(distances).at(-1)];
}
