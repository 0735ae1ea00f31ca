// The labeled images on which a network can be examined: those of MNIST, and those that the visitor has collected.

import { openCollection } from "../collection/opened.js";
import { loadMnist } from "../mnist.js";

const DIGITS = Array.from("0123456789");
const MOST = 10000; // images: what a browser judges in a few seconds

// Return the sources whose classes a network has, each {key, load}: `load(onProgress)` resolves with {images, labels} with
// the labels of the network. `key` names the text that says what they are.
export async function sourcesFor({ classNames }) {
  const { collection } = await openCollection();
  const known = (names) => names.length > 0 && names.every((name) => classNames.includes(name));
  const labeled = ({ images, labels }, names) => {
    const own = names.map((name) => classNames.indexOf(name));
    return { images, labels: Uint16Array.from(labels, (label) => own[label]) };
  };
  const sources = ["test", "train"].map((part) => ({
    key: part, names: DIGITS, load: async (onProgress) => labeled(await loadMnist(part, MOST, onProgress), DIGITS),
  }));
  const own = collection.dataSet();
  sources.push({ key: "own", names: own.names, load: async () => labeled(own, own.names) });
  return sources.filter(({ names }) => known(names));
}
