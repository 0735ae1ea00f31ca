// The visitor's examples together with images of MNIST.

import { compareNames } from "./collection.js";

// Return two sets of labeled images, each {images, labels, names}, as one, with the classes of both.
export function mix(first, second) {
  const names = [...new Set([...first.names, ...second.names])].sort(compareNames);
  const images = new Uint8Array(first.images.length + second.images.length), labels = new Uint8Array(first.labels.length + second.labels.length);
  images.set(first.images);
  images.set(second.images, first.images.length);
  [...first.labels].forEach((label, row) => { labels[row] = names.indexOf(first.names[label]); });
  const places = second.names.map((name) => names.indexOf(name));
  second.labels.forEach((label, row) => { labels[first.labels.length + row] = places[label]; });
  return { images, labels, names };
}
