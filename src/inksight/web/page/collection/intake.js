// Pictures that are dropped or chosen, also in folders, one folder for each class: found, read, and prepared.

import { readPicture, Unreadable } from "../pictures.js";
import { Refused } from "./collection.js";
import { readTable } from "./table.js";
import { readZip } from "./zip.js";

const HIDDEN = /^(?:\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/i; // files of the system
const TYPES = { png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", webp: "image/webp", gif: "image/gif", bmp: "image/bmp", svg: "image/svg+xml" };
const MAX_BYTES = 2 ** 27; // of a table or an archive

// Return the files that are dropped, with those in folders, each {path, file}. To be called while the event is handled.
export async function filesOf({ items, files }) {
  const entries = Array.from(items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return listed(files);
  const found = [];
  const visit = async (entry, path) => {
    if (entry.isFile) found.push({ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
    else for (const inner of await entriesOf(entry)) await visit(inner, `${path}/${inner.name}`);
  };
  for (const entry of entries) await visit(entry, entry.name);
  return visible(found);
}

// Return the entries of a folder, which the browser gives in portions.
async function entriesOf(folder) {
  const reader = folder.createReader(), all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}

// Return the files of a list, as an input element has it, each {path, file}.
export function listed(files) {
  return visible(Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file })));
}

function visible(files) {
  return files.filter(({ path }) => !path.split("/").some((part) => HIDDEN.test(part))).sort((a, b) => (a.path < b.path ? -1 : 1));
}

// Read files one after the other, as long as `found` resolves with true. It is called with {name, image} of each digit:
// the name is that of its class, the folder or the label, or null for a picture in no folder; or with {path, problem} of
// a file that is left out; and with the `share` that is done.
export async function readAll(files, prepare, settings, found) {
  for (const [i, { path, file }] of files.entries()) {
    const share = i / files.length;
    for (const each of await readOne(path, file, prepare, settings)) {
      if (each.files ? !(await readAll(each.files, prepare, settings, found)) : !(await found({ ...each, share }))) return false;
    }
  }
  return true;
}

// Return what is in a file: examples, the files of an archive, or the reason why it is left out.
async function readOne(path, file, prepare, settings) {
  try {
    const suffix = path.split(".").at(-1).toLowerCase();
    if (["csv", "zip"].includes(suffix) && file.size > MAX_BYTES) throw new Refused("fileTooLarge");
    if (suffix === "csv") return readTable(await file.text());
    if (suffix === "zip" && file instanceof File) return [{ files: await unpack(file) }];
    const prepared = prepare(await readPicture(file, settings));
    if (prepared.problem) throw new Unreadable(prepared.problem);
    return [{ name: path.split("/").at(-2) ?? null, image: prepared.image }];
  } catch (error) {
    if (error instanceof DOMException) return [{ path, problem: new Unreadable("notAPicture") }]; // it is gone, or may not be read
    if (error instanceof Unreadable || error instanceof Refused) return [{ path, problem: error }];
    throw error;
  }
}

// Return the files of an archive. An archive in it is not unpacked: it could hold itself.
async function unpack(file) {
  try {
    const files = await readZip(new Uint8Array(await file.arrayBuffer()));
    return visible(files.map(({ path, bytes }) => ({ path, file: new Blob([bytes], { type: TYPES[path.split(".").at(-1).toLowerCase()] }) })));
  } catch {
    throw new Refused("damagedArchive");
  }
}
