// Downloads of the collection.

import { writeZip } from "./zip.js";

// Save the parts of a Blob as a file.
export function saveFile(parts, type, name) {
  const url = URL.createObjectURL(new Blob(parts, { type })), link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000); // some browsers read it later
}

// Return the parts of an archive: a folder of pictures for each class, dark on white.
export async function writePictures(classes, onProgress) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 28, height: 28 }), context = canvas.getContext("2d"), files = [];
  const total = classes.reduce((sum, { examples }) => sum + examples.length, 0);
  for (const { name, examples } of classes)
    for (const [i, { image }] of examples.entries()) {
      const pixels = new ImageData(28, 28);
      image.forEach((ink, place) => pixels.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * place));
      context.putImageData(pixels, 0, 0);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      files.push({ path: `examples/${name}/${String(i + 1).padStart(5, "0")}.png`, bytes: new Uint8Array(await blob.arrayBuffer()) });
      onProgress(files.length / total);
    }
  return writeZip(files);
}
