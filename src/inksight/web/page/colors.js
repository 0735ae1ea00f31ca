// The color grammar of `inksight.plot`: gray for images, red and blue for weights and differences, violet to yellow for
// activations. Images and weights start from white, and are inverted on a dark page.

import { decodeBytes } from "./files.js";
import { explain, make } from "./dom.js";
import { number, t } from "./texts.js";

const maps = { images: Uint32Array.from({ length: 256 }, (_, i) => opaque(255 - i, 255 - i, 255 - i)) };
const FROM_WHITE = ["images", "weights"];

function opaque(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0; // little-endian, as every browser's machine is
}

// Set the color maps: name -> base64 of red, green and blue of each of 256 colors.
export function setColors(colors) {
  for (const [name, text] of Object.entries(colors)) {
    const rgb = decodeBytes(text);
    maps[name] = Uint32Array.from({ length: 256 }, (_, i) => opaque(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]));
  }
}

// Make a canvas for values in a color map.
export function picture(map, label, className = "") {
  const fromWhite = FROM_WHITE.includes(map) ? "from-white" : "";
  return make("canvas", { class: `values ${fromWhite} ${className}`, role: "img", "aria-label": label, "data-map": map, width: 1, height: 1 });
}

// Paint an array (height rows of width) on a canvas, a pixel for each value; NaN is transparent. The colors go from
// `low` to `high`. `textAt(index)` is shown for the value under the pointer.
export function paint(canvas, values, width, height, low, high, textAt = (i) => number(values[i], 3)) {
  const colors = maps[canvas.dataset.map], pixels = new Uint32Array(width * height);
  const [start, reach] = high > low ? [low, high - low] : [low - 0.5, 1];
  for (let i = 0; i < pixels.length; i++) {
    const value = values[i];
    if (value === value) pixels[i] = colors[Math.min(Math.max(Math.floor((256 * (value - start)) / reach), 0), 255)];
  }
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height), 0, 0);
  explain(canvas, (column, row) => {
    const i = row * width + column;
    return Number.isNaN(values[i]) ? "" : textAt(i);
  });
}

// Empty a canvas.
export function clear(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  explain(canvas, () => "");
}

// A color scale with its ends, and what it is the scale of. `set(low, high)` changes them.
export class Scale {
  constructor(map, what) {
    this.bar = make("canvas", { class: FROM_WHITE.includes(map) ? "from-white" : "", "data-map": map, "aria-hidden": "true", width: 256, height: 1 });
    paint(this.bar, Float32Array.from({ length: 256 }, (_, i) => i), 256, 1, 0, 255);
    this.ends = [make("span"), make("span")];
    this.element = make("p", { class: "scale" }, make("span", {}, what), make("span", { class: "bar" }, this.ends[0], this.bar, this.ends[1]));
  }

  set(low, high, decimals = 2) {
    this.ends[0].textContent = number(low, decimals);
    this.ends[1].textContent = number(high, decimals);
  }
}

// Return the lowest and the highest of values.
export function rangeOf(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

// Return the largest absolute value, the end of a scale that is centered on zero.
export function reachOf(values) {
  return values.reduce((reach, value) => Math.max(reach, Math.abs(value)), 0);
}

// Arrange tiles (each a Float32Array of side x side) in rows, with a transparent pixel between them. Returns the values
// with their size, and `tileAt(index)`: the tile and the place in it of a pixel.
export function mosaic(tiles, side) {
  const columns = Math.ceil(Math.sqrt(tiles.length)), step = side + 1;
  const width = columns * step - 1, height = Math.ceil(tiles.length / columns) * step - 1;
  const values = new Float32Array(width * height).fill(NaN);
  tiles.forEach((tile, n) => {
    const start = Math.floor(n / columns) * step * width + (n % columns) * step;
    for (let row = 0; row < side; row++) values.set(tile.subarray(row * side, (row + 1) * side), start + row * width);
  });
  const tileAt = (i) => {
    const row = Math.floor(i / width), column = i % width;
    return { tile: Math.floor(row / step) * columns + Math.floor(column / step), row: row % step, column: column % step };
  };
  return { values, width, height, tileAt };
}

// Return the text for a value at a row and a column, both counted from 1.
export function valueAt(row, column, value) {
  return t("valueAt", { row: row + 1, column: column + 1, value: number(value, 3) });
}
