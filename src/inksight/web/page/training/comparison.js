// One run, or two side by side: their history, and their networks at any epoch.

import { byId, make } from "../dom.js";
import { percent, t } from "../texts.js";
import { download, useRun } from "./exchange.js";
import { Inside } from "./inside.js";

export class Comparison {
  constructor(view) {
    Object.assign(this, { view, shown: [null, null], epoch: null }); // `epoch`: null follows the training
  }

  // The runs that are shown, without empty places.
  get runs() {
    return this.shown.filter(Boolean);
  }

  // Show a run alone, as it trains.
  choose(run) {
    this.shown = [run, run && this.shown[1] !== run ? this.shown[1] : null];
    this.epoch = null;
    this.update();
  }

  // Show other runs than those that are deleted.
  forget(removed) {
    const [first, second] = this.shown.map((run) => (removed.includes(run) ? null : run));
    const last = this.view.runs.at(-1) ?? null;
    this.shown = [first ?? last, first ?? second !== last ? second : null];
    this.epoch = null;
    this.update();
  }

  makeElement() {
    this.selects = ["shownRun", "comparedRun"].map((key, place) => make("select", { id: key, onchange: (event) => this.place(place, event.target.value) }));
    this.slider = make("input", { type: "range", id: "epoch", min: "0", step: "1", oninput: () => this.moveTo(Number(this.slider.value)) });
    this.place = (place, number) => {
      this.shown[place] = this.view.runs.find((run) => String(run.number) === number) ?? null;
      this.update();
      this.view.controls.update();
    };
    this.epochText = make("output", { for: "epoch" });
    this.insides = [new Inside(this.view.app), new Inside(this.view.app)];
    this.useButton = make("button", { type: "button", id: "use-network", onclick: () => this.use() }, t("useNetwork"));
    this.saveButton = make("button", { type: "button", id: "save-network", onclick: () => this.save() }, t("saveNetwork"));
    this.table = make("tbody");
    const heads = ["headRun", "headNetwork", "headImages", "headEpochs", "headAccuracy"].map((key) => make("th", { scope: "col" }, t(key)));
    heads.push(make("td")); // of the buttons
    this.element = make("div", { class: "card", id: "comparison" }, make("h3", {}, t("trainedNetworks")), make("p", { class: "small" }, t("keptRuns")),
      make("div", { class: "table" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), this.table)),
      make("div", { class: "row" },
        ...["shownRun", "comparedRun"].map((key, i) => make("label", { class: "field" }, make("span", {}, t(key)), this.selects[i])),
        make("label", { class: "field wide" }, make("span", {}, t("epochSlider"), " ", this.epochText), this.slider)),
      make("div", { class: "group" }, this.useButton, this.saveButton),
      make("div", { class: "insides" }, ...this.insides.map(({ element }) => element)));
    return this.element;
  }

  moveTo(epoch) {
    this.epoch = epoch >= Number(this.slider.max) ? null : epoch;
    this.updateInside();
  }

  // `kind`: what has changed, see session.js.
  update(kind = "") {
    if (!this.element) return;
    const { runs } = this.view;
    this.element.hidden = !runs.length;
    if (kind !== "progress") this.updateLists();
    this.updateInside();
  }

  updateLists() {
    const { runs } = this.view;
    this.selects.forEach((select, place) => select.replaceChildren(
      ...(place ? [make("option", { value: "" }, t("noRun"))] : []),
      ...runs.map((run) => make("option", { value: run.number, selected: this.shown[place] === run }, t("runNumber", { number: run.number })))));
    this.table.replaceChildren(...[...runs].reverse().map((run) => {
      const last = run.history.at(-1), banks = run.network.banks.map(({ filters, kernel }) => `${filters}×${kernel}`).join(", ");
      const cells = [banks, run.images.toLocaleString(document.documentElement.lang), String(run.history.length), last ? percent(last.val_accuracy, 2) : "–"];
      const remove = make("button", { type: "button", class: "remove", "aria-label": t("deleteRun", { number: run.number }),
        disabled: this.view.session.isBusy && this.view.session.run === run, onclick: () => this.removeRun(run) }, "×");
      return make("tr", {}, make("th", { scope: "row" }, String(run.number)), ...cells.map((cell) => make("td", {}, cell)), make("td", {}, remove));
    }));
  }

  updateInside() {
    const most = Math.max(0, ...this.runs.map((run) => run.snapshots.length)), epoch = this.epoch ?? most;
    Object.assign(this.slider, { max: String(Math.max(most, 1)), value: String(epoch), disabled: !most });
    this.epochText.textContent = this.epoch === null ? t("newest") : t("afterEpoch", { epoch });
    this.slider.setAttribute("aria-valuetext", this.epochText.textContent);
    const found = this.shown.map((run) => run && this.networkOf(run, this.epoch));
    this.insides.forEach((inside, place) => {
      inside.element.hidden = !found[place];
      if (found[place]) inside.update(this.shown[place], found[place].weights, found[place].confusion, found[place].title);
    });
    this.useButton.disabled = !found[0];
    this.saveButton.disabled = !this.shown[0]?.history.length;
  }

  // The drawing has changed.
  updateDrawing() {
    for (const inside of this.insides) if (!inside.element.hidden && inside.network) inside.paintBarcode();
  }

  // Return the {weights, confusion, title, epochs} of a run after an epoch; null: the newest.
  networkOf(run, epoch) {
    const { snapshots, number, live } = run, isBusy = this.view.session.isBusy && this.view.session.run === run;
    if (epoch === 0) return run.start && { weights: run.start, confusion: null, title: t("runStart", { number }), epochs: 0 };
    if (isBusy && epoch === null && live) return { weights: live.weights, confusion: live.preview?.confusion ?? null, title: t("runNow", { number }), epochs: snapshots.length };
    const epochs = Math.min(epoch ?? snapshots.length, snapshots.length), snapshot = snapshots[epochs - 1];
    return snapshot && { ...snapshot, title: t("runAfter", { number, epoch: epochs }), epochs };
  }

  // Delete a run. The focus goes to the button that takes the place of its own.
  removeRun(run) {
    const place = this.view.runs.length - 1 - this.view.runs.indexOf(run);
    this.view.remove([run]);
    (this.table.querySelectorAll(".remove")[Math.min(place, this.view.runs.length - 1)] ?? this.view.controls.buttons.train).focus();
  }

  async use() {
    const { app, settings } = this.view, [run] = this.shown, { weights, epochs } = this.networkOf(run, this.epoch);
    try {
      await useRun(app, settings, run, weights, t("runName", { number: run.number, epoch: epochs }));
      this.view.say("nowUsed", { number: run.number });
      byId("draw").scrollIntoView();
    } catch (error) {
      this.view.say("trainingFailed", { reason: error.message });
    }
  }

  save() {
    const [run] = this.shown, epochs = Math.min(this.epoch ?? Infinity, run.snapshots.length);
    if (epochs) download(run, run.snapshots[epochs - 1].weights, epochs, this.view.settings);
  }
}
