// The state of the page in the hash of its address, so that a link shows the same thing.

import { decode, encode } from "./strokes.js";

const NUMBERS = /^\d+(?:\.\d+)*$/;

// Return the hash of {model, pen, lines, edits, selected, language, tour}.
export function writeHash({ model, pen, lines, edits, selected, language, tour }) {
  const parts = { model, pen };
  if (lines.length) parts.ink = encode(lines);
  if (selected) parts.at = [selected.bank, selected.filter, selected.channel, selected.place].join(".");
  if (edits.off.size) parts.off = [...edits.off].join(",");
  if (edits.weights.size) parts.weights = [...edits.weights].map(([key, value]) => `${key}:${value}`).join(",");
  if (language) parts.lang = language;
  if (tour) parts.tour = tour;
  return "#" + Object.entries(parts).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

// Return what a hash says, without what is damaged. Whether it exists in the model is for the caller to check.
export function readHash(hash) {
  const parts = new URLSearchParams(hash.slice(1));
  const list = (name) => (parts.get(name) ?? "").split(",").filter(Boolean);
  const numbers = (text, count) => (NUMBERS.test(text) && text.split(".").length === count ? text.split(".").map(Number) : null);
  const at = numbers(parts.get("at") ?? "", 4);
  const pen = Number(parts.get("pen"));
  return {
    model: parts.get("model"),
    pen: pen >= 30 && pen <= 220 ? pen : null,
    lines: decode(parts.get("ink") ?? ""),
    selected: at && { bank: at[0], filter: at[1], channel: at[2], place: at[3] },
    off: list("off").filter((key) => numbers(key, 2)),
    weights: list("weights").map((one) => one.split(":")).filter(([key, value]) => numbers(key, 4) && value && Math.abs(value) <= 1000)
      .map(([key, value]) => [key, Number(value)]),
    language: parts.get("lang"),
    tour: /^[1-9]$/.test(parts.get("tour")) ? Number(parts.get("tour")) : null,
  };
}
