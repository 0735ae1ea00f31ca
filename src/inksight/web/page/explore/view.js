// The network on a data set: which classes it confuses, its barcodes as a map, the hardest images, doubtful labels.

import { make } from "../dom.js";
import { loadStyle } from "../files.js";
import { addTexts, number, percent, t } from "../texts.js";
import { makeConfusion } from "./confusion.js";
import { Gallery } from "./gallery.js";
import { axesText, PointMap } from "./map.js";
import { loadPalette } from "./palette.js";
import { inPortions, join, worker } from "./portions.js";
import { sourcesFor } from "./sources.js";

const WAIT = 400; // milliseconds without an edit, after which an edited network is examined

// Open the view in an element, and examine the network of the page.
export async function open(element, app) {
  const [palette] = await Promise.all([loadPalette(), addTexts("texts/explore"), loadStyle("explore/style.css")]);
  const view = new Explore(element, app, palette);
  view.show();
  return view;
}

class Explore {
  constructor(element, app, palette) {
    Object.assign(this, { element, app, palette, source: null, colorKind: "class", isVisible: true });
    new IntersectionObserver((entries) => {
      this.isVisible = entries.at(-1).isIntersecting;
      this.catchUp();
    }).observe(element);
  }

  // Make the elements in the present language.
  show() {
    this.choice = make("select", { id: "explore-source", onchange: () => this.examine() });
    this.status = make("p", { id: "explore-status", role: "status" });
    this.bar = make("progress", { max: "1", "aria-label": t("exploreProgress"), hidden: true });
    this.body = make("div", { hidden: true });
    this.element.replaceChildren(make("label", { class: "inline-field" }, t("exploreSource"), this.choice), this.status, this.bar, this.body);
    this.makeParts();
    this.listSources().then(() => (this.found ? this.report() : this.examine()));
  }

  makeParts() {
    this.parts = Object.fromEntries(["confusion", "map", "hardest", "doubtful"].map((name) => {
      const title = t(name === "confusion" ? "confusionMatrix" : name), content = make("div", { id: `explore-${name}` }), gallery = new Gallery(this.app);
      return [name, { content, gallery, element: make("section", { "aria-label": title }, make("h3", {}, title), make("p", { class: "soft" }, t(`${name}About`)), content, gallery.element) }];
    }));
    this.map = new PointMap((rows) => this.list("map", t("inLasso", { count: number(rows.length, 0) }), rows));
    this.axes = make("p", { class: "small" });
    const colors = ["class", "error"].map((kind) => make("button", { type: "button", "data-kind": kind, onclick: () => this.colorBy(kind) }, t(`colorBy ${kind}`)));
    this.colorButtons = colors;
    const listAll = make("button", { type: "button", id: "list-all", onclick: () => this.list("map", t("allImages"), this.allRows()) }, t("listAll"));
    this.parts.map.content.append(make("div", { class: "group" }, ...colors, listAll), this.map.element, this.axes);
    this.body.append(...Object.values(this.parts).map(({ element }) => element));
  }

  async listSources() {
    const { model } = this.app;
    this.sources = await sourcesFor(model);
    this.model = model;
    const before = this.source?.key;
    this.choice.replaceChildren(...this.sources.map(({ key }) => make("option", { value: key }, t(`source ${key}`))));
    if (this.sources.some(({ key }) => key === before)) this.choice.value = before;
  }

  // Examine the network again soon if it has changed.
  update({ layers }) {
    if (layers === this.layers) return;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.catchUp(), WAIT);
  }

  // Examine the network if it has changed and the view is in sight: until then, edits would be slower for nothing.
  async catchUp() {
    if (!this.isVisible || !this.layers || this.app.layers === this.layers) return;
    if (this.model !== this.app.model) await this.listSources();
    this.examine();
  }

  // Examine the network on the chosen images. A newer examination ends an older one.
  async examine() {
    const run = (this.run = {}), { model, layers } = this.app, isWanted = () => this.run === run;
    this.layers = layers;
    const source = this.sources.find(({ key }) => key === this.choice.value);
    if (!source) {
      Object.assign(this, { source: null, found: null });
      this.body.hidden = true;
      return this.say(t("noSource"));
    }
    try {
      this.progress("exploreLoading", 0);
      const images = await source.load((share) => isWanted() && this.progress("exploreLoading", share));
      if (!isWanted()) return;
      const thread = await worker(this.app.settings.abi), names = { names: ["logits", "barcode"] };
      const stages = await inPortions(thread, "stages", model, layers.flat, images, names, isWanted, (share) => this.progress("exploreComputing", share));
      if (!stages) return;
      const [logits, barcodes] = ["logits", "barcode"].map((name) => join(stages.map((stage) => stage[name])));
      const found = await thread.call("survey", { logits, barcodes, labels: images.labels, classes: model.network.classes });
      if (!isWanted()) return;
      Object.assign(this, { source, images, found, names: model.classNames });
      this.report();
    } catch (error) {
      if (!isWanted()) return;
      this.say(t("exploreFailed", { reason: error.message }));
      this.status.append(" ", make("button", { type: "button", onclick: () => this.examine() }, t("tryAgain")));
    }
  }

  progress(key, share) {
    this.bar.hidden = false;
    this.bar.value = share;
    this.status.textContent = t(key);
  }

  say(text) {
    this.bar.hidden = true;
    this.status.textContent = text;
  }

  report() {
    const { found, images, names, palette } = this, count = images.labels.length;
    const right = count - found.predictions.reduce((sum, prediction, row) => sum + (prediction !== images.labels[row]), 0);
    this.say(t("exploreSummary", { count: number(count, 0), accuracy: percent(right / count, 2), errors: number(count - right, 0) }));
    for (const { gallery } of Object.values(this.parts)) gallery.hide();
    this.body.hidden = false;
    this.parts.confusion.content.replaceChildren(scrollBox(makeConfusion(found.confusion, names, palette.scores, (label, prediction) => this.listCell(label, prediction))));
    this.map.show({ ...found, labels: images.labels, names, colors: palette.classes, imageOf: (row) => this.imageOf(row), captionOf: (row) => this.captionOf(row) });
    this.axes.textContent = axesText(found);
    this.colorBy(this.colorKind);
    this.list("hardest", "", found.hardest, false);
    const doubtful = this.parts.doubtful;
    doubtful.content.textContent = t("doubtfulCount", { count: number(found.doubtful.length, 0), all: number(count, 0) }) + ` ${t(`doubtful ${this.source.key}`)}`;
    if (found.doubtful.length) this.list("doubtful", "", found.doubtful, false, (row) => this.doubtOf(row));
  }

  imageOf(row) {
    return this.images.images.subarray(784 * row, 784 * (row + 1));
  }

  // Return the class of an image, what it is taken for, and the probability of its class.
  captionOf(row) {
    const { names, found, images } = this, label = images.labels[row], prediction = found.predictions[row];
    const values = { label: names[label], prediction: names[prediction], share: percent(found.probability[row]) };
    return t(label === prediction ? "captionRight" : "captionWrong", values);
  }

  doubtOf(row) {
    const { names, found, images } = this;
    return t("captionDoubt", { label: names[images.labels[row]], suggested: names[found.suggested[row]], share: percent(found.probability[row]) });
  }

  allRows() {
    return Uint32Array.from({ length: this.images.labels.length }, (_, row) => row);
  }

  listCell(label, prediction) {
    const rows = this.allRows().filter((row) => this.images.labels[row] === label && this.found.predictions[row] === prediction);
    this.list("confusion", t("inCell", { label: this.names[label], prediction: this.names[prediction], count: number(rows.length, 0) }), rows);
  }

  list(part, title, rows, focus = true, captionOf = (row) => this.captionOf(row)) {
    const { gallery } = this.parts[part];
    gallery.show(title, rows, (row) => this.imageOf(row), captionOf);
    if (focus) gallery.focus();
  }

  colorBy(kind) {
    this.colorKind = kind;
    this.map.colorBy(kind);
    this.colorButtons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.kind === kind)));
  }
}

// Return a box in which what is too wide scrolls sideways, also by keyboard; its edges fade where there is more.
function scrollBox(content) {
  const box = make("div", { class: "scroll-box", tabindex: "0", role: "group", "aria-label": t("confusionMatrix") }, content);
  const mark = () => {
    const hidden = box.scrollWidth - box.clientWidth;
    box.classList.toggle("more-before", box.scrollLeft > 1);
    box.classList.toggle("more-after", box.scrollLeft < hidden - 1);
    box.tabIndex = hidden > 1 ? 0 : -1;
  };
  box.addEventListener("scroll", mark, { passive: true });
  new ResizeObserver(mark).observe(box);
  return box;
}
