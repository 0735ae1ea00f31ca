// Training: the settings, the course of the training that runs, the networks that come of it, and what is in them.

import { make } from "../dom.js";
import { loadStyle, readJson } from "../files.js";
import { countMnist } from "../mnist.js";
import { addTexts, t } from "../texts.js";
import { Archive } from "./archive.js";
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
  const view = new Training(container, app, settings, counts);
  await view.restore();
  return view;
}

class Training {
  constructor(container, app, settings, counts) {
    Object.assign(this, { container, app, settings, runs: [], made: 0, archive: new Archive(), isStored: true });
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
    this.storage = make("p", { class: "notice", role: "alert", id: "runs-storage", hidden: true });
    this.container.replaceChildren(this.message, this.storage,
      make("div", { class: "training-grid" }, this.form.makeElement(), this.controls.makeElement()),
      this.comparison.makeElement(),
      make("div", { class: "card" }, make("h3", {}, t("openModelTitle")), make("p", { class: "small" }, t("openModelAbout")),
        make("label", { class: "button" }, file, make("span", {}, t("openModel")))));
    if (this.said) this.say(...this.said);
    this.showStorage(this.isStored);
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

  // Bring back the runs that the browser has stored.
  async restore() {
    try {
      this.runs = (await this.archive.read()).slice(-KEPT);
    } catch {
      return this.showStorage(false);
    }
    const last = this.runs.at(-1);
    if (!last) return;
    this.made = last.number;
    this.session.run = last;
    this.comparison.choose(last);
    this.controls.update("status");
  }

  showStorage(isStored) {
    this.isStored = isStored;
    this.storage.hidden = isStored;
    this.storage.textContent = isStored ? "" : t("runsNotStored");
  }

  // Train a new run by the settings of the form.
  train() {
    this.say("");
    this.made += 1;
    const run = new Run(this.made, this.form.chosen);
    this.runs.push(run);
    if (this.runs.length > KEPT) this.remove(this.runs.slice(0, -KEPT));
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

  // Delete all runs.
  reset() {
    this.session.release();
    this.remove(this.runs);
    this.made = 0;
    this.say("");
  }

  // Delete runs, here and in the browser's storage.
  async remove(removed) {
    this.runs = this.runs.filter((run) => !removed.includes(run));
    if (removed.includes(this.session.run)) this.session.run = null;
    this.comparison.forget(removed);
    this.follow("status");
    this.showStorage(await this.archive.remove(removed));
  }

  // The run that is being trained has changed.
  follow(kind, value) {
    const { run } = this.session;
    if ((kind === "epoch" || kind === "status") && run?.history.length) this.archive.keep(run).then((isStored) => this.showStorage(isStored));
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
