// Examples as a table (CSV) in the layout that `inksight load` and `inksight train` read: a header, then a row for each
// image, with the name of its class and 784 numbers from 0 to 255.

import { Refused } from "./collection.js";

const PIXELS = 784;
const HEADER = ["label", ...Array.from({ length: PIXELS }, (_, i) => `pixel${i}`)].join(",");
const DIGIT = /^[0-9]$/, VALUE = /^[0-9]{1,3}$/;

// Return the text of a table as parts of a Blob. Refuses names that Python would take for other ones.
export function writeTable({ images, labels, names }) {
  const isNumber = (name) => !Number.isNaN(Number(name)) || /^[+-]?(?:inf(?:inity)?|nan)$/i.test(name);
  const numbers = names.filter(isNumber);
  if (numbers.length && !names.every((name) => DIGIT.test(name)))
    throw new Refused("namesUnfitForTable", { names: numbers.join(", ") });
  return [`${HEADER}\n`, ...Array.from(labels, (label, row) =>
    `${names[label]},${images.subarray(row * PIXELS, (row + 1) * PIXELS).join(",")}\n`)];
}

// Return the examples of a table as a list of {name, image}.
export function readTable(text) {
  const [header, ...lines] = text.replace(/^\uFEFF/, "").trimEnd().split(/\r?\n/);
  if (header !== HEADER) throw new Refused("unknownTable");
  return lines.map((line, i) => {
    const [name, ...fields] = line.split(",");
    if (fields.length !== PIXELS || !fields.every((field) => VALUE.test(field) && Number(field) <= 255))
      throw new Refused("damagedTable", { row: i + 1 });
    return { name, image: Uint8Array.from(fields) };
  });
}
