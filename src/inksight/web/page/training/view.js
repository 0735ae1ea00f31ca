// Training: the settings, the course of the training that runs, the networks that come of it, and what is in them.

import { make } from "../dom.js";
import { loadStyle, readJson } from "../files.js";
import { countMnist } from "../mnist.js";
import { addTexts, t } from "../texts.js";
import { Comparison } from "./comparison.js";
import { Controls } from "./controls.js";
import { openModel } from "./exchange.js";
import { Form } from "./form.js";
import { Run } from "./run.js";
import { Session } from "./session.js";

const KEPT = 10; // runs

// Open the view in an element.
export async function open(container, app) {
  const [settings, counts] = await Promise.all([readJson("training.json"), countMnist(), addTexts("texts/training"), loadStyle("training/style.css")]);
  return new Training(container, app, settings, counts);
}

class Training {
  constructor(container, app, settings, counts) {
    Object.assign(this, { container, app, settings, runs: [], made: 0 });
    this.form = new Form(settings, counts, () => this.controls.update());
    this.session = new Session(app.settings.abi, (key, values) => this.say(key, values), (kind, value) => this.follow(kind, value));
    this.controls = new Controls(this);
    this.comparison = new Comparison(this);
    document.addEventListener("visibilitychange", () => this.controls.update());
    this.show();
  }

  // Make the elements in the language of the page.
  show() {
    this.message = make("p", { class: "notice", role: "alert", id: "training-message", hidden: true });
    const file = make("input", { type: "file", id: "model-file", accept: ".safetensors", onchange: () => this.open(file) });
    this.container.replaceChildren(this.message,
      make("div", { class: "training-grid" }, this.form.makeElement(), this.controls.makeElement()),
      this.comparison.makeElement(),
      make("div", { class: "card" }, make("h3", {}, t("openModelTitle")), make("p", { class: "small" }, t("openModelAbout")),
        make("label", { class: "button" }, file, make("span", {}, t("openModel")))));
    if (this.said) this.say(...this.said);
    this.controls.update();
    this.comparison.update();
  }

  // Train on other images from now on: {training, validation, names}, or null for those of MNIST.
  useData(data) {
    this.form.useData(data);
    this.controls.update();
  }

  say(key, values = {}) {
    this.said = key && [key, values];
    this.message.textContent = key ? t(key, values) : "";
    this.message.hidden = !key;
  }

  // Train a new run by the settings of the form.
  train() {
    this.say("");
    this.made += 1;
    const run = new Run(this.made, this.form.chosen);
    this.runs = [...this.runs.slice(1 - KEPT), run];
    this.comparison.choose(run);
    return this.session.train(run);
  }

  // Train the run that is shown further, by as many epochs as the form says.
  trainFurther() {
    this.say("");
    const [run] = this.comparison.shown, { recipe, seed } = this.form.chosen;
    Object.assign(run, { recipe, seed });
    this.comparison.choose(run);
    return this.session.train(run);
  }

  // Forget all runs.
  reset() {
    this.session.release();
    Object.assign(this, { runs: [], made: 0 });
    this.session.run = null;
    this.comparison.choose(null);
    this.say("");
    this.follow("status");
  }

  // The run that is being trained has changed.
  follow(kind, value) {
    this.controls.update(kind, value);
    if (kind !== "loading") this.comparison.update(kind);
  }

  async open(input) {
    const [file] = input.files;
    input.value = ""; // so that the same file can be chosen again
    if (!file) return;
    try {
      await openModel(this.app, this.settings, file);
      this.say("opened", { name: file.name });
    } catch (error) {
      this.say("notAModel", { name: file.name, reason: error.message });
    }
  }

  // The drawing has changed.
  update() {
    this.comparison.updateDrawing();
  }
}
