// The drawing surface: pen, eraser, undo, by mouse, pen, finger and keyboard; or the picture that is read instead.

import { make } from "./dom.js";
import { countPoints, erase, MAX_POINTS, SIZE } from "./strokes.js";
import { t } from "./texts.js";

const STEP = 4; // units: a pen that has moved less adds no point
const KEY_STEP = 25; // units that an arrow key moves the cursor
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  // `changed` is called while something is drawn, with true when it is finished.
  constructor(surface, changed) {
    this.surface = surface;
    this.changed = changed;
    this.canvas = surface.querySelector("canvas");
    this.cursor = surface.querySelector(".cursor");
    this.lines = [];
    // What is read instead of the strokes: {brightness, height, width, image}, or {exact, image} of a 28x28 image that is
    // not prepared again, whose ink is drawn in the color of the pen.
    this.picture = null;
    this.pen = 110; // units: width
    this.erasing = false;
    this.past = [];
    this.at = [SIZE / 2, SIZE / 2]; // the cursor of the keyboard
    this.pointer = null;
    this.isDown = false; // the pen of the keyboard
    this.listen();
    new ResizeObserver(() => this.draw()).observe(surface);
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  listen() {
    const { surface } = this;
    surface.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.pointer !== null) return;
      this.pointer = event.pointerId;
      surface.setPointerCapture(event.pointerId);
      this.putDown(this.placeOf(event));
    });
    surface.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.pointer) return;
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length ? moves : [event]) this.moveTo(this.placeOf(move));
      this.refresh(false);
    });
    for (const end of ["pointerup", "pointercancel"])
      surface.addEventListener(end, (event) => {
        if (event.pointerId !== this.pointer) return;
        this.pointer = null;
        this.refresh(true);
      });
    surface.addEventListener("keydown", (event) => this.press(event));
    surface.addEventListener("blur", () => {
      this.isDown = false;
      this.draw();
    });
  }

  placeOf({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height].map((share) => Math.round(Math.min(Math.max(share, 0), 1) * SIZE));
  }

  // Remember the present drawing for undo.
  remember() {
    this.past = [...this.past.slice(-99), { lines: this.lines, picture: this.picture }];
  }

  putDown(point) {
    this.remember();
    if (this.picture) this.lines = [];
    this.picture = null;
    this.last = point;
    if (this.erasing) this.lines = erase(this.lines, point, this.eraser);
    else if (countPoints(this.lines) < MAX_POINTS) this.lines = [...this.lines, [point]];
    this.refresh(false);
  }

  moveTo(point) {
    const [dx, dy] = point.map((value, axis) => value - this.last[axis]), length = Math.hypot(dx, dy);
    if (length < STEP) return;
    if (this.erasing) {
      const steps = Math.ceil(length / (this.eraser / 2));
      for (let i = 1; i <= steps; i++)
        this.lines = erase(this.lines, this.last.map((value, axis) => value + ([dx, dy][axis] * i) / steps), this.eraser);
    } else if (this.lines.length && countPoints(this.lines) < MAX_POINTS)
      this.lines = [...this.lines.slice(0, -1), [...this.lines.at(-1), point]];
    this.last = point;
  }

  get eraser() {
    return this.pen * 0.7; // units: radius
  }

  press(event) {
    const { key } = event;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "z") this.undo();
    else if (key in ARROWS) {
      this.at = this.at.map((value, axis) => Math.min(Math.max(value + KEY_STEP * ARROWS[key][axis], 0), SIZE));
      if (this.isDown) {
        this.moveTo(this.at);
        this.refresh(true);
      } else this.draw();
    } else if (key === " " || key === "Enter") {
      this.isDown = !this.isDown;
      if (this.isDown) this.putDown(this.at);
      this.refresh(true);
    } else return;
    event.preventDefault();
  }

  undo() {
    const before = this.past.pop();
    if (!before) return;
    Object.assign(this, before);
    this.refresh(true);
  }

  // Replace the drawing by other strokes, or by a picture; undo brings it back.
  replace(lines, picture = null) {
    this.remember();
    this.isDown = false;
    Object.assign(this, { lines, picture });
    this.refresh(true);
  }

  refresh(isFinished) {
    this.draw();
    this.changed(isFinished);
  }

  draw() {
    const { canvas, lines, picture } = this;
    const side = Math.max(Math.round(canvas.clientWidth * devicePixelRatio), 1);
    if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
    const context = canvas.getContext("2d");
    context.setTransform(side / SIZE, 0, 0, side / SIZE, 0, 0);
    context.clearRect(0, 0, SIZE, SIZE);
    if (picture) {
      const ratio = SIZE / Math.max(picture.image.width, picture.image.height);
      const [width, height] = [picture.image.width * ratio, picture.image.height * ratio];
      context.drawImage(picture.image, (SIZE - width) / 2, (SIZE - height) / 2, width, height);
    }
    const { color } = getComputedStyle(canvas);
    if (picture?.exact) {
      Object.assign(context, { globalCompositeOperation: "source-in", fillStyle: color });
      context.fillRect(0, 0, SIZE, SIZE);
      context.globalCompositeOperation = "source-over";
    }
    Object.assign(context, { lineWidth: this.pen, lineCap: "round", lineJoin: "round", strokeStyle: color });
    for (const line of lines) {
      context.beginPath();
      context.moveTo(...line[0]);
      for (const point of line.length > 1 ? line.slice(1) : line) context.lineTo(...point);
      context.stroke();
    }
    this.surface.classList.toggle("empty", !lines.length && !picture);
    this.surface.classList.toggle("down", this.isDown);
    this.cursor.style.left = `${(100 * this.at[0]) / SIZE}%`;
    this.cursor.style.top = `${(100 * this.at[1]) / SIZE}%`;
  }
}

// Make the tools below the surface.
export function makeTools(container, pad, examples) {
  const button = (key, onclick, attributes = {}) => make("button", { type: "button", "data-tool": key, onclick, ...attributes }, t(key));
  const pen = button("pen", () => choose(false));
  const eraser = button("eraser", () => choose(true));
  const choose = (erasing) => {
    pad.erasing = erasing;
    pen.setAttribute("aria-pressed", String(!erasing));
    eraser.setAttribute("aria-pressed", String(erasing));
  };
  choose(pad.erasing);
  const width = make("input", { type: "range", min: "30", max: "220", step: "10", oninput: () => {
    pad.pen = Number(width.value);
    pad.refresh(true);
  } });
  width.value = pad.pen;
  let next = 0;
  container.replaceChildren(
    make("div", { class: "group" }, pen, eraser),
    make("label", { class: "width" }, t("width"), width),
    make("div", { class: "group" },
      button("undo", () => pad.undo()),
      button("clear", () => pad.replace([])),
      button("example", () => pad.replace(examples[next++ % examples.length]))));
}
