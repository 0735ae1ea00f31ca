// The barcode beside the average barcode of each class, and which of its entries spoke for the decision.

import { evidence } from "./arithmetic.js";
import { clear, paint, picture, rangeOf, reachOf, Scale } from "./colors.js";
import { explain, make } from "./dom.js";
import { ranking } from "./reading.js";
import { number, t, term } from "./texts.js";

export class Barcodes {
  constructor(container, app) {
    const { model, means } = app, names = model.classNames;
    Object.assign(this, { app, names, means });
    this.scale = new Scale("activations", t("activations"));
    this.differenceScale = new Scale("weights", t("difference"));
    this.own = makeStrip("activations", t("barcodeOfDrawing"));
    this.rows = (means ?? []).map((_, i) => makeStrip("activations", t("meanOf", { name: names[i] }), () => app.compareWith(i)));
    this.difference = makeStrip("weights", "");
    this.bars = Array.from({ length: model.network.banks.at(-1).filters }, () => make("i"));
    this.bars.forEach((bar) => bar.append(make("b")));
    this.evidence = make("div", { class: "evidence", role: "img" }, ...this.bars);
    this.sum = make("p", { id: "evidence-sum" });
    this.longest = make("p", { class: "small" });
    this.heading = make("h3", { id: "evidence-title" });
    this.list = make("ol", { class: "strips" }, this.own.element, ...this.rows.map(({ element }) => element));
    container.replaceChildren(
      make("p", { class: "soft" }, t(means ? "barcodesAbout" : "barcodesAboutAlone")), this.list, this.scale.element,
      this.heading, make("p", { class: "soft" }, t("evidenceAbout")), this.evidence, this.longest, this.sum,
      make("ol", { class: "strips" }, this.difference.element), this.differenceScale.element);
    this.container = container;
  }

  update({ stages, layers, against }) {
    this.container.classList.toggle("blank", !stages);
    const barcode = stages?.barcode ?? new Float32Array(this.bars.length);
    const [low, high] = rangeOf([...barcode, ...(this.means ?? []).flatMap((mean) => [...mean])]);
    this.scale.set(low, high);
    this.rows.forEach(({ canvas }, i) => paintStrip(canvas, this.means[i], low, high));
    if (!stages) {
      [this.own.canvas, this.difference.canvas].forEach(clear);
      this.rows.forEach((row) => set(row, "", false));
      this.heading.textContent = t("evidence");
      this.sum.textContent = t("drawFirst");
      this.longest.textContent = "";
      this.bars.forEach((bar) => bar.style.setProperty("--share", 0));
      return;
    }
    paintStrip(this.own.canvas, barcode, low, high);
    const distances = (this.means ?? []).map((mean) => Math.hypot(...barcode.map((value, i) => value - mean[i])));
    this.rows.forEach((row, i) => set(row, number(distances[i]), distances[i] === Math.min(...distances)));
    const [first, second] = ranking(stages.probabilities);
    this.updateEvidence(layers.rest, barcode, first, against === null || against === first ? second : against);
  }

  updateEvidence(rest, barcode, first, other) {
    const names = { name: this.names[first], other: this.names[other] };
    this.rows.forEach(({ element }, i) => element.querySelector("button").setAttribute("aria-pressed", String(i === other)));
    const trend = Float64Array.from(barcode, (_, i) => (this.means ? this.means.reduce((sum, mean) => sum + mean[i], 0) / this.means.length : 0));
    const { values, baselineMargin, margin } = evidence(rest, this.app.model.network.leak, trend, barcode, first, other);
    const reach = reachOf(values);
    this.bars.forEach((bar, i) => {
      bar.style.setProperty("--share", reach ? Math.abs(values[i]) / reach : 0);
      bar.className = values[i] < 0 ? "below" : "above";
    });
    this.longest.textContent = t("longestBar", { reach: number(reach, 3) });
    const textOf = (i) => t("entryValue", { entry: i, value: number(values[i], 3) });
    this.bars.forEach((bar, i) => {
      bar.classList.add("values");
      explain(bar, () => textOf(i));
    });
    const strongest = ranking(values.map(Math.abs)).slice(0, 5).map(textOf).join("; ");
    this.heading.textContent = t("evidenceFor", names);
    this.evidence.setAttribute("aria-label", t("evidenceLabel", { ...names, strongest }));
    const total = values.reduce((sum, value) => sum + value, 0);
    this.sum.textContent = t(this.means ? "evidenceSum" : "evidenceSumAlone", { ...names, from: number(baselineMargin, 3), sum: term(total), to: number(margin, 3) });
    const base = this.means ? this.means[other] : trend, difference = Float32Array.from(barcode, (value, i) => value - base[i]);
    const most = reachOf(difference);
    this.differenceScale.set(-most, most);
    this.difference.element.querySelector("span").textContent = this.means ? t("differenceTo", names) : t("barcodeOfDrawing");
    this.difference.canvas.setAttribute("aria-label", this.means ? t("differenceTo", names) : t("barcodeOfDrawing"));
    paintStrip(this.difference.canvas, difference, -most, most);
  }
}

function makeStrip(map, name, onclick) {
  const canvas = picture(map, name, "strip"), note = make("span", { class: "note" });
  const label = onclick ? make("button", { type: "button", onclick }, name) : make("span", {}, name);
  return { canvas, note, element: make("li", {}, label, canvas, note) };
}

function set({ note, element }, text, isNearest) {
  note.textContent = text && t("distance", { value: text });
  element.classList.toggle("nearest", isNearest);
}

function paintStrip(canvas, values, low, high) {
  paint(canvas, values, values.length, 1, low, high, (i) => t("entryValue", { entry: i, value: number(values[i], 3) }));
}
