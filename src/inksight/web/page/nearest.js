// The training digits with the nearest barcodes, of a file that is loaded when they are asked for.

import { paint, picture } from "./colors.js";
import { make } from "./dom.js";
import { readFile } from "./files.js";
import { number, t } from "./texts.js";

const SHOWN = 5;
const PIXELS = 784;
let loading = null; // the digits, once for all languages

export class Nearest {
  constructor(container, app) {
    this.app = app;
    this.button = make("button", { type: "button", id: "show-nearest", onclick: () => this.load() }, t("showNearest"));
    this.digits = Array.from({ length: SHOWN }, () => {
      const canvas = picture("images", t("nearestDigit")), caption = make("figcaption");
      return { canvas, caption, element: make("figure", {}, canvas, caption) };
    });
    this.list = make("div", { id: "nearest", hidden: true }, ...this.digits.map(({ element }) => element));
    container.append(make("h3", {}, t("nearest")), make("p", { class: "soft" }, t("nearestAbout")), this.button, this.list);
    if (loading) this.load();
  }

  async load() {
    loading ??= readDigits();
    try {
      this.known = await loading;
    } catch (error) {
      loading = null;
      return this.app.say(t("notLoaded", { reason: error.message }));
    }
    this.button.hidden = true;
    this.update(this.app.result);
  }

  update({ layers, stages }) {
    if (!this.known) return;
    this.list.hidden = !stages;
    if (!stages) return;
    const { labels, images } = this.known;
    if (this.layers !== layers) {
      this.layers = layers;
      this.barcodes = this.app.predictor.run(images, labels.length, ["barcode"]).barcode;
      this.deviations = deviationsOf(this.barcodes, labels.length);
    }
    const nearest = findNearest(this.barcodes, stages.barcode, this.deviations).slice(0, SHOWN);
    nearest.forEach(({ row, distance }, i) => {
      const { canvas, caption } = this.digits[i], image = images.subarray(row * PIXELS, (row + 1) * PIXELS);
      paint(canvas, Float32Array.from(image, (value) => value / 255), 28, 28, 0, 1);
      caption.textContent = t("labelAndDistance", { label: this.app.model.classNames[labels[row]], distance: number(distance) });
    });
  }
}

// Return {labels, images} of the file: a label of each digit, then the pixels of all.
async function readDigits() {
  const stream = new Blob([await readFile("digits.bin")]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer()), count = bytes.length / (PIXELS + 1);
  return { labels: bytes.subarray(0, count), images: bytes.subarray(count) };
}

// Return the standard deviation of each entry over `count` barcodes.
function deviationsOf(barcodes, count) {
  const n = barcodes.length / count, sums = new Float64Array(n), squares = new Float64Array(n);
  barcodes.forEach((value, i) => { sums[i % n] += value; });
  barcodes.forEach((value, i) => { squares[i % n] += (value - sums[i % n] / count) ** 2; });
  return squares.map((sum) => Math.sqrt(sum / count) || 1); // an entry that never changes tells nothing
}

// Return the {row, distance} of each of many barcodes (one after the other) from one, the nearest first. The distance is
// that of `inksight.neighbours`: Euclidean, with each entry divided by its standard deviation.
function findNearest(barcodes, barcode, deviations) {
  const n = barcode.length;
  return Array.from({ length: barcodes.length / n }, (_, row) => {
    const squares = barcode.reduce((sum, value, i) => sum + ((value - barcodes[row * n + i]) / deviations[i]) ** 2, 0);
    return { row, distance: Math.sqrt(squares) };
  }).sort((a, b) => a.distance - b.distance || a.row - b.row);
}
