// The map: barcodes in two dimensions, a point for each image. The nearest point shows its image; a lasso lists images.

import { paint, picture } from "../colors.js";
import { make } from "../dom.js";
import { percent, t } from "../texts.js";

const RADIUS = 2.2, NEAR = 14; // CSS pixels: of a point, and how near the pointer must be to it
const MARGIN = 0.04; // of the side
const RIGHT = "#94a4a2", WRONG = "#bd1f01"; // two of the colors of classes, which are easy to tell apart

export class PointMap {
  // `choose(rows)` is called with the images in a lasso, or with the one that is pressed.
  constructor(choose) {
    this.choose = choose;
    this.canvas = make("canvas", { class: "points", "aria-hidden": "true" });
    this.image = picture("images", "");
    this.caption = make("figcaption");
    this.near = make("figure", { class: "near", "aria-hidden": "true", hidden: true }, this.image, this.caption);
    this.legend = make("ul", { class: "map-classes" });
    this.element = make("div", { class: "point-map" }, make("div", { class: "sheet" }, this.canvas, this.near), this.legend);
    this.path = [];
    this.canvas.addEventListener("pointerdown", (event) => this.start(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerup", () => this.finish());
    for (const end of ["pointercancel", "pointerleave"]) this.canvas.addEventListener(end, () => this.leave());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  // Show points (n rows of 2) of images with labels and predictions; `captionOf(row)` and `imageOf(row)` of each.
  show({ points, labels, predictions, names, colors, imageOf, captionOf }) {
    Object.assign(this, { points, labels, predictions, names, colors, imageOf, captionOf, path: [] });
    const [low, high] = [Math.min, Math.max].map((best) => [0, 1].map((axis) => points.reduce((found, value, i) => (i % 2 === axis ? best(found, value) : found), best === Math.min ? Infinity : -Infinity)));
    const reach = Math.max(high[0] - low[0], high[1] - low[1]) || 1; // one scale for both axes
    this.places = Float32Array.from(points, (value, i) => {
      const axis = i % 2, share = 0.5 + ((value - (low[axis] + high[axis]) / 2) / reach) * (1 - 2 * MARGIN);
      return axis ? 1 - share : share;
    });
    this.near.hidden = true;
    this.draw();
  }

  // Color the points by class, or by whether the network is right.
  colorBy(kind) {
    this.byError = kind === "error";
    this.draw();
  }

  colorOf(row) {
    if (this.byError) return this.labels[row] === this.predictions[row] ? RIGHT : WRONG;
    return this.colors[this.labels[row] % this.colors.length];
  }

  draw() {
    const { canvas, places } = this;
    if (!places || !canvas.clientWidth) return;
    const side = Math.round(canvas.clientWidth * devicePixelRatio), size = Math.max(RADIUS * devicePixelRatio, 1.5);
    if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, side, side);
    const rows = Array.from({ length: places.length / 2 }, (_, row) => row);
    if (this.byError) rows.sort((a, b) => (this.labels[b] === this.predictions[b]) - (this.labels[a] === this.predictions[a])); // errors on top
    for (const row of rows) {
      context.fillStyle = this.colorOf(row);
      context.fillRect(places[2 * row] * side - size, places[2 * row + 1] * side - size, 2 * size, 2 * size);
    }
    this.drawLasso(context, side);
    this.showLegend();
  }

  drawLasso(context, side) {
    if (this.path.length < 2) return;
    context.beginPath();
    this.path.forEach(([x, y]) => context.lineTo(x * side, y * side));
    context.closePath();
    Object.assign(context, { lineWidth: 2 * devicePixelRatio, strokeStyle: getComputedStyle(this.canvas).color });
    context.stroke();
  }

  showLegend() {
    const entries = this.byError ? [[t("right"), RIGHT], [t("wrong"), WRONG]] : this.names.map((name, i) => [name, this.colors[i % this.colors.length]]);
    this.legend.replaceChildren(...entries.map(([name, color]) => {
      const mark = make("i", { "aria-hidden": "true" });
      mark.style.background = color;
      return make("li", {}, mark, make("bdi", {}, name));
    }));
  }

  placeOf({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  start(event) {
    if (event.button !== 0 || !this.places) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.isDown = true;
    this.path = [this.placeOf(event)];
  }

  move(event) {
    if (!this.places) return;
    const place = this.placeOf(event);
    if (this.isDown) {
      this.path.push(place);
      this.draw();
    } else this.showNear(this.nearest(place));
  }

  finish() {
    if (!this.isDown) return;
    this.isDown = false;
    const { path, places } = this, isDrawn = path.length > 2;
    const rows = isDrawn ? Array.from({ length: places.length / 2 }, (_, row) => row).filter((row) => isInside(path, places[2 * row], places[2 * row + 1]))
      : [this.nearest(path[0])].filter((row) => row !== null);
    if (!isDrawn && rows.length) this.showNear(rows[0]);
    if (!rows.length) this.path = [];
    this.draw();
    if (rows.length) this.choose(rows);
  }

  leave() {
    if (this.isDown) this.path = [];
    this.isDown = false;
    this.near.hidden = true;
    this.draw();
  }

  // Return the row of the nearest point, or null if none is near.
  nearest([x, y]) {
    let row = null, least = (NEAR / this.canvas.clientWidth) ** 2;
    for (let i = 0; i < this.places.length; i += 2) {
      const distance = (this.places[i] - x) ** 2 + (this.places[i + 1] - y) ** 2;
      if (distance < least) [row, least] = [i / 2, distance];
    }
    return row;
  }

  showNear(row) {
    this.near.hidden = row === null;
    if (row === null) return;
    paint(this.image, Float32Array.from(this.imageOf(row), (value) => value / 255), 28, 28, 0, 1);
    this.caption.textContent = this.captionOf(row);
    const [x, y] = [this.places[2 * row], this.places[2 * row + 1]];
    this.near.classList.toggle("at-right", x < 0.5); // never below the pointer
    this.near.classList.toggle("at-bottom", y < 0.5);
  }
}

// Return whether a point is inside a closed path: a ray from it crosses the path an odd number of times.
function isInside(path, x, y) {
  let inside = false;
  path.forEach(([x1, y1], i) => {
    const [x0, y0] = path[i ? i - 1 : path.length - 1];
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
  });
  return inside;
}

// Return what the axes show.
export function axesText({ method, share }) {
  const values = { first: percent(share[0], 0), second: percent(share[1], 0) };
  return t(method === "pca" ? "mapByVariance" : "mapByClasses", values);
}
