// One value of a feature map, step by step: the kernel slides over its input, and the sum is written out in numbers.

import { explainValue, windowOf } from "./arithmetic.js";
import { clear, paint, picture, rangeOf, reachOf, Scale, valueAt } from "./colors.js";
import { explain, make, pixelAt } from "./dom.js";
import { sidesOf } from "./engine.js";
import { number, t, term } from "./texts.js";

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export class Step {
  constructor(app) {
    this.app = app;
    this.element = make("li", { class: "step", id: "step", tabindex: "-1" });
  }

  // Show another filter, or none.
  show(selected) {
    this.selected = selected;
    if (!selected) return this.element.remove();
    const { bank, filter } = selected, { network } = this.app.model;
    const { kernel, pool } = network.banks[bank - 1];
    const channels = bank > 1 ? network.banks[bank - 2].filters : 1, sides = [28, ...sidesOf(network.banks)];
    Object.assign(this, { kernel, pool, channels, inputSide: sides[bank - 1], side: sides[bank] });
    this.off = make("button", { type: "button", id: "off", onclick: () => this.app.toggle(bank, filter) });
    this.restore = make("button", { type: "button", id: "restore", onclick: () => this.app.restore(bank, filter) }, t("restoreFilter"));
    const close = make("button", { type: "button", id: "close", onclick: () => this.app.select(null) }, t("close"));
    this.input = picture(bank > 1 ? "activations" : "images", t("inputLabel"));
    this.weights = picture("weights", t("kernel"));
    this.output = picture("activations", t("outputLabel"));
    this.scales = [new Scale(bank > 1 ? "activations" : "images", t("ownScale")), new Scale("weights", t("ownScale")), new Scale("activations", t("ownScale"))];
    this.frames = [make("span", { class: "frame" }), make("span", { class: "frame" })];
    this.dial = make("div", { class: "sheet dial", id: "dial", role: "slider", tabindex: "0", "aria-label": t("position"), "aria-valuemin": "0",
      "aria-valuemax": String(this.side ** 2 - 1), onkeydown: (event) => this.press(event), onpointerdown: (event) => this.drag(event), onpointermove: (event) => this.drag(event) },
      this.output, this.frames[1]);
    this.range = make("input", { type: "range", id: "position", min: "0", max: String(this.side ** 2 - 1), oninput: () => this.moveTo(Number(this.range.value)) });
    this.sumButtons = Array.from({ length: pool ** 2 }, (_, i) => make("button", { type: "button", onclick: () => this.choose({ window: i }) }));
    this.channelButtons = Array.from({ length: channels }, (_, channel) => make("button", { type: "button", onclick: () => this.choose({ channel }) }));
    this.cells = { window: makeCells(kernel, "span"), weights: makeCells(kernel, "input"), products: makeCells(kernel, "span") };
    this.cells.weights.forEach((cell, place) => {
      const label = t("weightAt", { row: Math.floor(place / kernel) + 1, column: (place % kernel) + 1 });
      for (const [name, value] of Object.entries({ type: "number", step: "0.05", inputmode: "decimal", "aria-label": label })) cell.setAttribute(name, value);
      cell.addEventListener("input", () => this.write(cell, place));
    });
    this.lines = make("ol", { class: "lines" });
    this.caption = make("figcaption");
    this.element.replaceChildren(
      make("div", { class: "head" }, make("h3", {}, t("tileLabel", { bank, filter })), make("div", { class: "group" }, this.off, this.restore, close)),
      make("p", { class: "soft" }, t(bank > 1 ? "stepAboutMaps" : "stepAboutImage", { kernel })),
      make("div", { class: "three" },
        makeFigure(this.caption, make("div", { class: "sheet" }, this.input, this.frames[0]), this.scales[0]),
        makeFigure(make("figcaption", {}, t("kernel")), make("div", { class: "sheet" }, this.weights), this.scales[1]),
        makeFigure(make("figcaption", {}, t("output")), this.dial, this.scales[2])),
      make("label", { class: "position" }, t("position"), this.range),
      channels > 1 ? makeChoice(t("channels"), "channels", this.channelButtons) : "",
      pool > 1 ? makeChoice(t("windows"), "windows", this.sumButtons) : "",
      make("div", { class: "sum" }, makeGrid(t("window"), kernel, this.cells.window), make("b", { "aria-hidden": "true" }, "×"),
        makeGrid(t("weightsEditable"), kernel, this.cells.weights), make("b", { "aria-hidden": "true" }, "="),
        makeGrid(t("products"), kernel, this.cells.products)),
      this.lines,
      make("p", { class: "soft" }, t("rounded")));
    this.app.rowOf(bank).after(this.element);
  }

  // Change the channel, the position or the window that is shown.
  choose(change) {
    Object.assign(this.selected, change);
    this.update(this.app.result);
    this.app.saveLink();
  }

  moveTo(place) {
    this.choose({ place: Math.min(Math.max(place, 0), this.side ** 2 - 1), window: null });
  }

  press(event) {
    const { place } = this.selected, { side } = this;
    const [row, column] = [Math.floor(place / side), place % side];
    if (event.key in ARROWS) {
      const [down, across] = ARROWS[event.key], within = (value) => Math.min(Math.max(value, 0), side - 1);
      this.moveTo(within(row + down) * side + within(column + across));
    } else if (event.key === "Home") this.moveTo(0);
    else if (event.key === "End") this.moveTo(side ** 2 - 1);
    else return;
    event.preventDefault();
  }

  drag(event) {
    if (!this.app.result.stages || (event.type === "pointermove" && !event.buttons)) return;
    const [column, row] = pixelAt(this.output, event);
    this.moveTo(row * this.side + column);
  }

  write(cell, place) {
    const { bank, filter, channel } = this.selected, value = cell.valueAsNumber;
    if (Math.abs(value) <= 1000) this.app.setWeight([bank, filter, channel, place].join("."), value);
  }

  update({ layers, stages, edits }) {
    if (!this.selected) return;
    const { bank, filter, channel } = this.selected, isOff = edits.off.has(`${bank}.${filter}`);
    this.off.textContent = t(isOff ? "switchOn" : "switchOff");
    this.off.setAttribute("aria-pressed", String(isOff));
    this.caption.textContent = bank > 1 ? t("inputChannel", { channel }) : t("inputImage");
    this.restore.hidden = ![...edits.weights.keys()].some((key) => key.startsWith(`${bank}.${filter}.`));
    const weights = layers.weightsOf(bank, filter, channel), reach = reachOf(weights);
    paint(this.weights, weights, this.kernel, this.kernel, -reach, reach, (i) => valueAt(Math.floor(i / this.kernel), i % this.kernel, weights[i]));
    this.scales[1].set(-reach, reach);
    this.cells.weights.forEach((cell, place) => {
      if (document.activeElement !== cell) cell.value = weights[place].toFixed(3);
      cell.disabled = isOff;
      tint(cell, weights[place], reach);
      cell.classList.toggle("edited", edits.weights.has([bank, filter, channel, place].join(".")));
    });
    this.element.classList.toggle("blank", !stages);
    if (!stages) {
      [this.input, this.output].forEach(clear);
      [...this.cells.window, ...this.cells.products].forEach((cell) => { cell.textContent = "–"; tint(cell, 0, 1); });
      this.lines.replaceChildren(make("li", {}, t("drawFirst")));
      return;
    }
    this.updateValues(layers.banks[bank - 1], stages, weights);
  }

  updateValues(layer, stages, weights) {
    const { bank, filter, channel, place } = this.selected, { side, inputSide, kernel } = this;
    const input = bank > 1 ? stages[`bank${bank - 1}`] : stages.normalized, output = stages[`bank${bank}`];
    const [row, column] = [Math.floor(place / side), place % side];
    const found = explainValue(layer, input, inputSide, filter, row, column);
    const chosen = this.selected.window ?? found.best, { windows } = found;
    const channelOf = (all, count, one) => Float32Array.from({ length: all.length / count }, (_, i) => all[i * count + one]);
    paintOwn(this.input, channelOf(input, this.channels, channel), inputSide, this.scales[0]);
    paintOwn(this.output, channelOf(output, layer.filters, filter), side, this.scales[2]);
    frame(this.frames[0], windows[chosen].column, windows[chosen].row, kernel, inputSide);
    frame(this.frames[1], column, row, 1, side);
    explain(this.output, (x, y) => valueAt(y, x, output[(y * side + x) * layer.filters + filter]));

    const values = windowOf(layer, input, inputSide, channel, windows[chosen].row, windows[chosen].column);
    const products = values.map((value, i) => value * weights[i]);
    fill(this.cells.window, values);
    fill(this.cells.products, products);
    this.channelButtons.forEach((button, i) => {
      button.textContent = `${i}: ${number(windows[chosen].sums[i], 3)}`;
      button.setAttribute("aria-pressed", String(i === channel));
    });
    this.sumButtons.forEach((button, i) => {
      button.textContent = number(windows[i].total, 3) + (i === found.best ? ` ${t("highest")}` : "");
      button.setAttribute("aria-pressed", String(i === chosen));
    });
    this.range.value = place;
    const text = t("positionText", { row: row + 1, column: column + 1, value: number(found.value, 3) });
    this.range.setAttribute("aria-valuetext", text);
    this.dial.setAttribute("aria-valuenow", String(place));
    this.dial.setAttribute("aria-valuetext", text);
    this.lines.replaceChildren(...this.writeOut(found, chosen, products).map((line) => make("li", {}, line)));
  }

  // Return the steps from the products to the value as lines of text.
  writeOut(found, chosen, products) {
    const { windows, best, bias, biased, value } = found, total = windows[chosen].total;
    const sum = (values) => values.map((one, i) => (i ? term(one) : number(one, 3))).join(" ");
    const lines = [t("lineProducts", { sum: sum(Array.from(products)), total: number(windows[chosen].sums[this.selected.channel], 3) })];
    if (this.channels > 1) lines.push(t("lineChannels", { sum: sum(Array.from(windows[chosen].sums)), total: number(total, 3) }));
    if (this.pool > 1) lines.push(t("linePool", { values: windows.map((one) => number(one.total, 3)).join("; "), total: number(windows[best].total, 3) }));
    lines.push(t("lineBias", { sum: `${number(windows[best].total, 3)} ${term(bias)}`, total: number(biased, 3) }));
    lines.push(t(biased > 0 ? "linePositive" : "lineNegative", { leak: number(this.app.model.network.leak, 1), before: number(biased, 3), value: number(value, 3) }));
    return lines;
  }
}

function paintOwn(canvas, values, side, scale) {
  const [low, high] = rangeOf(values);
  scale.set(low, high);
  paint(canvas, values, side, side, low, high, (i) => valueAt(Math.floor(i / side), i % side, values[i]));
}

function frame(element, column, row, size, side) {
  const share = (count) => `${(100 * count) / side}%`;
  Object.assign(element.style, { left: share(column), top: share(row), width: share(size), height: share(size) });
}

function makeCells(kernel, tag) {
  return Array.from({ length: kernel ** 2 }, () => make(tag, { class: "cell" }));
}

function makeGrid(title, kernel, cells) {
  const grid = make("div", { class: "grid" }, ...cells);
  grid.style.setProperty("--k", kernel);
  return make("div", { role: "group", "aria-label": title }, make("p", { class: "name", "aria-hidden": "true" }, title), grid);
}

function makeFigure(caption, content, scale) {
  return make("figure", {}, caption, content, scale.element);
}

function makeChoice(title, id, buttons) {
  return make("div", { class: "choice", id, role: "group", "aria-label": title }, make("p", { class: "name", "aria-hidden": "true" }, title), make("div", { class: "group" }, ...buttons));
}

function fill(cells, values) {
  const reach = reachOf(values);
  cells.forEach((cell, i) => {
    cell.textContent = number(values[i], 3);
    tint(cell, values[i], reach);
  });
}

// Tint a cell red above zero and blue below, in proportion, so lightly that its number stays readable.
function tint(cell, value, reach) {
  cell.style.setProperty("--share", reach ? Math.abs(value) / reach : 0);
  cell.classList.toggle("above", value > 0);
  cell.classList.toggle("below", value < 0);
}
