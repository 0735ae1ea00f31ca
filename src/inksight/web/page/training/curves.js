// The course of one or two trainings: cross-entropy and accuracy, of training and validation images, by epoch.

import { make } from "../dom.js";
import { number, percent, t } from "../texts.js";

const WIDTH = 340, HEIGHT = 180, LEFT = 44, BOTTOM = 24, TOP = 8, RIGHT = 8; // units of the drawing
const CLASSES = ["first", "second"]; // of the lines of the runs

export class Curves {
  constructor() {
    this.charts = ["loss", "accuracy"].map((name) => {
      const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
      return { name, drawing, element: make("figure", { class: "chart" }, make("figcaption", {}, t(`chart ${name}`)), drawing) };
    });
    this.legend = make("p", { class: "small legend" });
    this.element = make("div", { class: "curves" }, ...this.charts.map(({ element }) => element), this.legend);
  }

  // Show one run, or two to compare.
  update(runs) {
    for (const { name, drawing } of this.charts) {
      const lines = runs.flatMap((run, i) => linesOf(run, name).map((line) => ({ ...line, run, className: CLASSES[i] })));
      drawChart(drawing, lines, name);
      const last = runs.map((run) => run.history.at(-1)).filter(Boolean);
      drawing.setAttribute("aria-label", `${t(`chart ${name}`)}. ${last.map((row, i) => t(`chart ${name} now`, {
        number: runs[i].number, epoch: row.epoch, training: shown(name, row[name]), validation: shown(name, row[`val_${name}`]) })).join(" ")}`);
    }
    const entry = (className, text) => make("span", {}, make("i", { class: className, "aria-hidden": "true" }), text);
    this.legend.replaceChildren(...runs.flatMap((run, i) => [
      entry(`${CLASSES[i]} dashed`, `${t("runNumber", { number: run.number })}, ${t("trainingImages")}`), entry(CLASSES[i], t("validationImages"))]));
  }
}

// Return the lines of a run: {points, isDashed}, the points as [epochs, value].
function linesOf({ points, history }, name) {
  const training = points.map((point) => [point.at, point[name]]);
  const validation = history.map((row) => [row.epoch, row[`val_${name}`]]);
  if (name === "accuracy" && history.length < 2) // before there is a line, the validation images that a report classifies
    validation.unshift(...points.filter(({ preview, at }) => preview !== null && at < (history[0]?.epoch ?? Infinity)).map(({ at, preview }) => [at, preview]));
  return [{ points: smoothed(training), isDashed: true }, { points: validation, isDashed: false }];
}

// Average neighbouring points: the loss of a few batches goes up and down.
function smoothed(points) {
  const reach = Math.floor(points.length / 60);
  return points.map(([at], i) => {
    const near = points.slice(Math.max(i - reach, 0), i + reach + 1);
    return [at, near.reduce((sum, [, value]) => sum + value, 0) / near.length];
  });
}

function drawChart(drawing, lines, name) {
  const all = lines.flatMap(({ points }) => points).filter(([, value]) => Number.isFinite(value));
  const end = Math.max(1, ...all.map(([at]) => at)), values = all.map(([, value]) => value);
  const isShare = name === "accuracy";
  const low = isShare ? Math.min(0.9, ...values) : 0, high = isShare ? 1 : Math.max(0.1, ...values);
  const x = (at) => LEFT + (at / end) * (WIDTH - LEFT - RIGHT), y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const parts = [0, 0.5, 1].flatMap((share) => {
    const value = low + share * (high - low), at = y(value);
    return [svg("line", { class: "grid-line", x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at }), label(LEFT - 6, at + 4, "end", isShare ? percent(value, 0) : number(value, 2))];
  });
  parts.push(label(LEFT, HEIGHT - 5, "start", "0"), label(WIDTH - RIGHT, HEIGHT - 5, "end", t("epochs", { count: number(end, Number.isInteger(end) ? 0 : 1) })));
  for (const { points, isDashed, className } of lines) {
    const path = points.filter(([, value]) => Number.isFinite(value)).map(([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
    parts.push(svg("path", { class: `${className} ${isDashed ? "dashed" : ""}`, d: path.length ? `M${path.join("L")}` : "" }));
    if (!isDashed) parts.push(...points.map(([at, value]) => svg("circle", { class: className, cx: x(at), cy: y(value), r: 2.5 })));
  }
  drawing.replaceChildren(...parts);
}

const shown = (name, value) => (name === "accuracy" ? percent(value, 2) : number(value, 3));

function label(x, y, anchor, text) {
  const element = svg("text", { x, y, "text-anchor": anchor });
  element.textContent = text;
  return element;
}

function svg(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
