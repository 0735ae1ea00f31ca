// The whole way at a glance: the image, the filters and feature maps of each bank, barcode, dense layer, probabilities.

import { clear, mosaic, paint, picture, rangeOf, reachOf, Scale, valueAt } from "./colors.js";
import { make } from "./dom.js";
import { sidesOf } from "./engine.js";
import { ranking } from "./reading.js";
import { number, percent, t } from "./texts.js";

const CLIPPED = 0.99; // share of the activations that the color scale of maps covers: a few would darken all others

export class Overview {
  constructor(list, app) {
    this.app = app;
    const { banks, dense } = app.model.network;
    this.image = picture("images", t("imageLabel"), "image");
    this.banks = banks.map((bank, i) => this.makeBank(bank, i + 1));
    this.strips = ["barcode", ...(dense ? ["dense"] : [])].map((name) => {
      const canvas = picture("activations", t(name), "strip"), scale = new Scale("activations", t("activations"));
      return { name, canvas, scale, row: makeRow(name, t(name), t(`${name}About`, { count: name === "dense" ? dense : banks.at(-1).filters }), scale, canvas) };
    });
    this.bars = new Bars(app.model.classNames);
    this.imageRow = makeRow("image", t("image"), t("imageAbout"), null, this.image);
    this.barsRow = makeRow("probabilities", t("probabilities"), t("probabilitiesAbout"), null, this.bars.element);
    this.rows = [this.imageRow, ...[...this.banks, ...this.strips].map(({ row }) => row), this.barsRow];
    list.replaceChildren(...this.rows);
  }

  makeBank({ filters, kernel, pool }, number) {
    const tiles = Array.from({ length: filters }, (_, filter) => {
      const map = picture("activations", t("mapLabel", { filter }), "map"), weights = picture("weights", t("weightsLabel", { filter }), "weights");
      const button = make("button", { type: "button", class: "tile", onclick: () => this.app.select({ bank: number, filter }) },
        make("span", {}, String(filter)), map, weights);
      return { button, map, weights };
    });
    const scale = new Scale("activations", t("activations")), weightScale = new Scale("weights", t("weights"));
    const about = t("bankAbout", { filters, kernel, side: sidesOf(this.app.model.network.banks)[number - 1], pooled: pool > 1 ? t("pooled") : "" });
    const row = makeRow(`bank${number}`, t("bank", { number }), about, scale, make("div", { class: "tiles" }, ...tiles.map(({ button }) => button)));
    scale.element.after(weightScale.element);
    return { row, tiles, scale, weightScale };
  }

  // Paint the weights, which change with edits only.
  updateWeights({ layers, edits }) {
    this.banks.forEach(({ tiles, weightScale }, i) => {
      const { k, channels, kernel } = layers.banks[i], reach = reachOf(kernel);
      weightScale.set(-reach, reach);
      tiles.forEach(({ button, weights }, filter) => {
        const all = Array.from({ length: channels }, (_, channel) => layers.weightsOf(i + 1, filter, channel));
        const { values, width, height, tileAt } = mosaic(all, k);
        paint(weights, values, width, height, -reach, reach, (place) => {
          const { tile, row, column } = tileAt(place);
          return (channels > 1 ? `${t("channel", { channel: tile })}, ` : "") + valueAt(row, column, values[place]);
        });
        const isOff = edits.off.has(`${i + 1}.${filter}`);
        button.classList.toggle("off", isOff);
        button.setAttribute("aria-label", t("tileLabel", { bank: i + 1, filter }) + (isOff ? `, ${t("isOff")}` : ""));
      });
    });
  }

  updateSelection(selected) {
    this.banks.forEach(({ tiles }, i) => tiles.forEach(({ button }, filter) =>
      button.setAttribute("aria-pressed", String(selected?.bank === i + 1 && selected.filter === filter))));
  }

  // Show a result in the rows that are wanted.
  update({ prepared, stages, answer }, isWanted) {
    if (isWanted(this.imageRow)) paint(this.image, prepared.image, 28, 28, 0, 255, (i) => valueAt(Math.floor(i / 28), i % 28, prepared.image[i] / 255));
    const sides = sidesOf(this.app.model.network.banks);
    this.banks.forEach(({ row, tiles, scale }, i) => {
      if (!isWanted(row)) return;
      if (!stages) return tiles.forEach(({ map }) => clear(map));
      const all = stages[`bank${i + 1}`], side = sides[i], sorted = all.slice().sort();
      const [low, high] = [sorted[0], sorted[Math.floor(CLIPPED * (sorted.length - 1))]];
      scale.set(low, high);
      tiles.forEach(({ map }, filter) => {
        const values = Float32Array.from({ length: side * side }, (_, place) => all[place * tiles.length + filter]);
        paint(map, values, side, side, low, high, (place) => valueAt(Math.floor(place / side), place % side, values[place]));
      });
    });
    for (const { name, canvas, scale, row } of this.strips) {
      if (!isWanted(row)) continue;
      if (!stages) {
        clear(canvas);
        continue;
      }
      const values = stages[name], [low, high] = rangeOf(values);
      scale.set(low, high);
      paint(canvas, values, values.length, 1, low, high, (i) => t("entryValue", { entry: i, value: number(values[i], 3) }));
    }
    if (isWanted(this.barsRow)) this.bars.update(stages?.probabilities, answer);
  }
}

function makeRow(id, title, about, scale, content) {
  const text = make("div", { class: "about" }, make("h3", {}, title), make("p", {}, about));
  if (scale) text.append(scale.element);
  return make("li", { class: "stage", id: `stage-${id}` }, text, make("div", { class: "content" }, content));
}

// The probability of each class as a bar with its number.
export class Bars {
  constructor(names) {
    this.rows = names.map((name) => {
      const bar = make("i"), share = make("span", { class: "share" });
      return { bar, share, element: make("li", {}, make("b", {}, make("bdi", {}, name)), make("span", { class: "track" }, bar), share) };
    });
    this.element = make("ul", { class: "bars" }, ...this.rows.map(({ element }) => element));
    this.element.classList.toggle("many", names.length > 10);
  }

  update(probabilities, answer) {
    const best = probabilities && ranking(probabilities)[0];
    this.rows.forEach(({ bar, share, element }, i) => {
      bar.style.width = `${probabilities ? 100 * probabilities[i] : 0}%`;
      share.textContent = probabilities ? percent(probabilities[i]) : "–";
      element.classList.toggle("best", i === best && !answer.reason);
    });
  }
}
