// The visitor's collection, opened once for all views.

import { Store } from "../store.js";
import { Collection } from "./collection.js";

const KEYS = { classes: "id", examples: "id" }; // of {id, name}, and of {id, of: id of the class, image}

let opening = null;

// Return {collection, store, isRead, saved}: `isRead` says whether the browser lets the page store, and `saved`, a function
// that the caller may set, is called after each change with whether it is stored.
export function openCollection() {
  opening ??= read();
  return opening;
}

async function read() {
  const store = new Store("inksight", KEYS), opened = { store, isRead: true, saved: () => {} };
  const save = (changes) => store.save(changes).then((isSaved) => opened.saved(isSaved));
  let stored;
  try {
    stored = await store.read();
  } catch {
    opened.isRead = false;
  }
  opened.collection = new Collection(save, stored);
  return opened;
}
