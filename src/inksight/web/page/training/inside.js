// The inside of a network in training: its filters, the barcode of the drawing, and its confusion matrix.

import { paint, picture, rangeOf, reachOf, Scale } from "../colors.js";
import { make } from "../dom.js";
import { Predictor } from "../engine.js";
import { Layers, unflattened } from "../model.js";
import { ranking } from "../reading.js";
import { number, percent, t } from "../texts.js";

export class Inside {
  constructor(app) {
    this.app = app;
    this.title = make("h4");
    this.filters = make("div", { class: "filters" });
    this.strip = picture("activations", t("barcodeOfDrawing"), "strip");
    this.barcodeScale = new Scale("activations", t("ownScale"));
    this.answer = make("p", { class: "answer-line" });
    this.matrix = picture("activations", "", "confusion");
    this.worst = make("p", { class: "small" });
    this.matrixScale = new Scale("activations", t("confusedImages"));
    this.element = make("div", { class: "inside" }, this.title,
      make("p", { class: "name" }, t("filtersOfBanks")), this.filters,
      make("p", { class: "name" }, t("barcodeOfDrawing")), this.strip, this.barcodeScale.element, this.answer,
      make("p", { class: "name" }, t("confusion")), this.matrix, this.matrixScale.element, this.worst);
  }

  // Show weights (in the order of the model file) of a run, and its confusions (or null).
  update(run, weights, confusion, title) {
    const { network, normalization, classNames } = run, layers = new Layers({ network, params: unflattened(network, weights) });
    this.title.textContent = title;
    this.network = { network, normalization, classNames, layers };
    this.paintFilters(layers);
    this.paintBarcode();
    this.paintConfusion(confusion, run.classNames);
  }

  paintFilters({ banks }) {
    if (this.filters.childElementCount !== banks.length)
      this.filters.replaceChildren(...banks.map((_, i) => make("figure", {}, picture("weights", t("filtersLabel", { bank: i + 1 })), make("figcaption"))));
    banks.forEach((bank, i) => {
      const { values, width, height } = arranged(bank), reach = reachOf(bank.kernel);
      const [canvas, caption] = this.filters.children[i].children;
      paint(canvas, values, width, height, -reach, reach);
      caption.textContent = t("bankReach", { number: i + 1, reach: number(reach, 2) });
    });
  }

  paintBarcode() {
    const { prepared, stages } = this.app.result, { network, normalization, classNames, layers } = this.network;
    const predictor = new Predictor(this.app.engine, { network, normalization }, layers.flat);
    const { barcode, probabilities } = predictor.run(prepared.image, 1, ["barcode", "probabilities"]);
    predictor.free();
    const [low, high] = rangeOf(barcode), best = ranking(probabilities)[0];
    paint(this.strip, barcode, barcode.length, 1, low, high, (i) => t("entryValue", { entry: i, value: number(barcode[i], 3) }));
    this.barcodeScale.set(low, high);
    this.answer.textContent = stages ? t("readsAs", { name: classNames[best], share: percent(probabilities[best]) }) : t("drawFirst");
  }

  // Paint how many images of each class (row) are taken for another one (column). The diagonal, which is right, is left out.
  paintConfusion(confusion, names) {
    const classes = names.length;
    this.matrix.hidden = !confusion;
    if (!confusion) {
      this.worst.textContent = t("noConfusion");
      return;
    }
    const wrong = Float32Array.from(confusion, (count, i) => (i % (classes + 1) ? count : NaN));
    const most = Math.max(1, ...wrong.filter((count) => count === count));
    const sayPlace = (i) => t("confusedAs", { label: names[Math.floor(i / classes)], other: names[i % classes], count: confusion[i] });
    paint(this.matrix, wrong, classes, classes, 0, most, sayPlace);
    this.matrixScale.set(0, most, 0);
    const worst = ranking(wrong.map((count) => count || 0)).slice(0, 3).filter((i) => confusion[i]);
    const images = confusion.reduce((sum, count) => sum + count, 0), errors = wrong.reduce((sum, count) => sum + (count || 0), 0);
    this.worst.textContent = `${t("errors", { errors, images: images.toLocaleString(document.documentElement.lang) })} ${worst.map(sayPlace).join("; ")}`;
    this.matrix.setAttribute("aria-label", `${t("confusion")}. ${this.worst.textContent}`);
  }
}

// Arrange the weights of a bank: kernels side by side, a row for each input channel, and a column for each filter.
function arranged({ k, channels, filters, kernel }) {
  const columns = channels === 1 ? Math.min(filters, 10) : filters, rows = channels === 1 ? Math.ceil(filters / columns) : channels;
  const width = columns * (k + 1) - 1, height = rows * (k + 1) - 1, values = new Float32Array(width * height).fill(NaN);
  for (let filter = 0; filter < filters; filter++)
    for (let channel = 0; channel < channels; channel++) {
      const column = filter % columns, row = channels === 1 ? Math.floor(filter / columns) : channel;
      for (let place = 0; place < k * k; place++)
        values[(row * (k + 1) + Math.floor(place / k)) * width + column * (k + 1) + (place % k)] = kernel[(place * channels + channel) * filters + filter];
    }
  return { values, width, height };
}
