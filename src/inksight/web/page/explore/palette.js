// The colors of `inksight.plot` for classes and scores, of a file that is loaded with the views that need them.

import { decodeBytes, readJson } from "../files.js";

let loading = null;

// Return {scores: 256 colors from low to high, classes: a color for each of ten classes}, each as "#rrggbb".
export function loadPalette() {
  loading ??= readJson("palette.json").then(({ scores, classes }) => {
    const rgb = decodeBytes(scores), hex = (value) => value.toString(16).padStart(2, "0");
    return { classes, scores: Array.from({ length: 256 }, (_, i) => `#${Array.from(rgb.subarray(3 * i, 3 * i + 3), hex).join("")}`) };
  });
  loading.catch(() => { loading = null; });
  return loading;
}

// Return black or white, whichever is easier to read on a color.
export function inkOn(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff"; // the same contrast with both
}
