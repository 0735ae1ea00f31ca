// Examples by class, which a visitor collects: any symbols, with names of the visitor's choice.

import { makeId } from "../store.js";
import { isolated } from "../texts.js";

export const MAX_CLASSES = 20;
export const MAX_EXAMPLES = 20000; // 16 MB
export const MAX_NAME = 60; // characters
export const ENOUGH = 5; // examples of each class, to train on
const UNFIT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}/\\,"]/u; // names are those of folders, and stand in tables

// What is not allowed; `key` names the text that says so, with `values`.
export class Refused extends Error {
  constructor(key, values = {}) {
    super(key);
    Object.assign(this, { key, values });
  }
}

export class Collection {
  // `save` is called with the changes to store, as by `Store.save`.
  constructor(save, { classes, examples } = { classes: [], examples: [] }) {
    this.save = save;
    this.classes = classes.map(({ id, name }) => ({ id, name, examples: [] }));
    for (const { id, of, image } of examples) this.withId(of)?.examples.push({ id, image });
  }

  get count() {
    return this.classes.reduce((sum, { examples }) => sum + examples.length, 0);
  }

  withId(id) {
    return this.classes.find((one) => one.id === id);
  }

  named(name) {
    return this.classes.find((one) => one.name === name);
  }

  // Return a name as it is kept; refuse what cannot be the name of one more class, or of `own` class.
  checkName(text, own = null) {
    const name = text.normalize("NFC").trim();
    if (!name) throw new Refused("nameMissing");
    if ([...name].length > MAX_NAME) throw new Refused("nameTooLong", { most: MAX_NAME });
    if (UNFIT.test(name) || name.startsWith(".")) throw new Refused("nameUnfit", { name });
    const same = this.named(name);
    if (same && same !== own) throw new Refused("nameTaken", { name });
    return name;
  }

  addClass(text) {
    const name = this.checkName(text);
    if (this.classes.length >= MAX_CLASSES) throw new Refused("tooManyClasses", { most: MAX_CLASSES });
    const added = { id: makeId(), name, examples: [] };
    this.classes.push(added);
    this.save([{ table: "classes", put: { id: added.id, name } }]);
    return added;
  }

  rename(one, text) {
    one.name = this.checkName(text, one);
    this.save([{ table: "classes", put: { id: one.id, name: one.name } }]);
  }

  // Add images (28x28 bytes each) to a class.
  add(one, images) {
    if (this.count + images.length > MAX_EXAMPLES) throw new Refused("tooManyExamples", { most: MAX_EXAMPLES });
    const added = images.map((image) => ({ id: makeId(), image }));
    one.examples.push(...added);
    this.save(added.map(({ id, image }) => ({ table: "examples", put: { id, of: one.id, image } })));
  }

  // Remove some examples of a class. Returns a function that brings them back.
  removeExamples(one, removed) {
    const before = one.examples;
    one.examples = before.filter((example) => !removed.includes(example));
    this.save(removed.map(({ id }) => ({ table: "examples", remove: id })));
    return () => {
      const kept = new Set([...one.examples, ...removed]), known = new Set(before);
      one.examples = [...before.filter((example) => kept.has(example)), ...one.examples.filter((example) => !known.has(example))];
      this.save(removed.map(({ id, image }) => ({ table: "examples", put: { id, of: one.id, image } })));
    };
  }

  // Remove classes with their examples. Returns a function that brings them back.
  removeClasses(removed) {
    const before = this.classes;
    this.classes = before.filter((one) => !removed.includes(one));
    this.save(removed.flatMap(({ id, examples }) => [{ table: "classes", remove: id },
      ...examples.map((example) => ({ table: "examples", remove: example.id }))]));
    return () => {
      const known = new Set(before);
      this.classes = [...before.filter((one) => removed.includes(one) || this.classes.includes(one)), ...this.classes.filter((one) => !known.has(one))];
      this.save(removed.flatMap(({ id, name, examples }) => [{ table: "classes", put: { id, name } },
        ...examples.map((example) => ({ table: "examples", put: { id: example.id, of: id, image: example.image } }))]));
    };
  }

  // Return what is missing before a network can be trained: null, or {key, values} of the text that says it.
  get missing() {
    if (this.classes.length < 2) return { key: "tooFewClasses", values: { count: this.classes.length } };
    const few = this.classes.filter(({ examples }) => examples.length < ENOUGH);
    const list = few.map(({ name, examples }) => `${isolated(name)} (${examples.length})`).join(", ");
    return few.length ? { key: "tooFewExamples", values: { least: ENOUGH, list } } : null;
  }

  // Return all examples as {images, labels, names}. The classes are in the order of Python: the digits, if all are
  // digits, otherwise the names as Python sorts them.
  dataSet() {
    const classes = this.classes.filter(({ examples }) => examples.length).sort((a, b) => compareNames(a.name, b.name));
    const images = new Uint8Array(784 * this.count), labels = new Uint8Array(this.count);
    let row = 0;
    classes.forEach(({ examples }, label) => {
      for (const { image } of examples) {
        images.set(image, 784 * row);
        labels[row++] = label;
      }
    });
    return { images, labels, names: classes.map(({ name }) => name) };
  }
}

// Compare by code points, not by the units of UTF-16, of which an emoji has two.
export function compareNames(a, b) {
  const [left, right] = [a, b].map((name) => Array.from(name, (letter) => letter.codePointAt(0)));
  for (let i = 0; i < Math.min(left.length, right.length); i++) if (left[i] !== right[i]) return left[i] - right[i];
  return left.length - right.length;
}
