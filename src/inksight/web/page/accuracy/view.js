// The test accuracy of the network, before and after the visitor's edits.

import { make } from "../dom.js";
import { compare } from "../explore/judgments.js";
import { inPortions, join, worker } from "../explore/portions.js";
import { sourcesFor } from "../explore/sources.js";
import { Edits, Layers } from "../model.js";
import { addTexts, number, percent, t } from "../texts.js";

// Open the view in an element: from now on, each edit is followed by an evaluation.
export async function open(element, app) {
  await addTexts("texts/accuracy");
  const view = new Accuracy(element, app);
  view.update(app);
  return view;
}

class Accuracy {
  constructor(element, app) {
    Object.assign(this, { app, shown: null });
    this.text = make("span", { id: "accuracy", role: "status" });
    element.replaceChildren(this.text);
  }

  // Write the text in the present language.
  show() {
    if (this.shown) this.text.textContent = t(...this.shown());
  }

  // Say something; a screen reader waits for the result.
  say(key, values = () => ({}), isResult = true) {
    this.shown = () => [key, values()]; // numbers are written as the language does
    this.text.setAttribute("aria-busy", String(!isResult));
    this.show();
  }

  // Evaluate the network if it has changed. A newer network ends the evaluation of an older one.
  update({ layers }) {
    if (layers === this.layers) return;
    this.layers = layers;
    this.evaluate(layers).catch((error) => {
      if (this.layers !== layers) return;
      this.layers = null; // the next change tries again
      this.say("accuracyFailed", () => ({ reason: error.message }));
    });
  }

  async evaluate(layers) {
    const { model } = this.app, isWanted = () => this.layers === layers;
    this.say("accuracyComputing", () => ({ share: percent(0, 0) }), false);
    if (this.model !== model || this.source?.key === "own") await this.prepare(model); // own examples may have changed
    if (!isWanted()) return;
    if (!this.source) return this.say("accuracyNoImages");
    const isEdited = !this.app.edits.empty, passes = (this.before ? 0 : 1) + (isEdited ? 1 : 0), thread = await worker(this.app.settings.abi);
    const predict = async (weights, pass) => {
      const progress = (share) => this.say("accuracyComputing", () => ({ share: percent((pass + share) / passes, 0) }), false);
      const results = await inPortions(thread, "evaluate", model, weights, this.images, {}, isWanted, progress);
      return results && join(results.map(({ predicted }) => predicted));
    };
    this.before ??= await predict(new Layers(model, new Edits()).flat, 0);
    this.now = this.before && isEdited ? await predict(layers.flat, passes - 1) : this.before;
    if (this.now) this.report();
  }

  // Load the images for a model: those of MNIST's test set, if it has their classes, or the visitor's own.
  async prepare(model) {
    const sources = await sourcesFor(model), source = sources.find(({ key }) => key !== "train");
    const images = source && await source.load((share) => this.say("accuracyLoading", () => ({ share: percent(share, 0) }), false));
    Object.assign(this, { model, source, images, before: null });
  }

  report() {
    const { before, now, lost, won } = compare(this.before, this.now, this.images.labels), count = this.images.labels.length;
    this.say(this.source.key === "test" ? "accuracyTest" : "accuracyOwn", () => ({
      count: number(count, 0), before: percent(before / count, 2), now: percent(now / count, 2), lost: number(lost, 0), won: number(won, 0),
    }));
  }
}
