// The visitor's own data: examples by class, drawn or from pictures, which a network can be trained on.

import { byId, make } from "../dom.js";
import { loadStyle } from "../files.js";
import { prepareBest } from "../reading.js";
import { addTexts, number, percent, t } from "../texts.js";
import { ClassCard } from "./card.js";
import { Refused } from "./collection.js";
import { saveFile, writePictures } from "./download.js";
import { filesOf, listed, readAll } from "./intake.js";
import { openCollection } from "./opened.js";
import { writeTable } from "./table.js";
import { trainingData } from "./training_data.js";

const LISTED = 20; // files that were left out, with the reason
const AT_ONCE = 100; // images that are added together

// Open the view in an element.
export async function open(element, app) {
  const [opened] = await Promise.all([openCollection(), addTexts("texts/collection"), loadStyle("explore/style.css")]);
  const view = new OwnData(element, app, opened);
  view.show();
  return view;
}

class OwnData {
  constructor(element, app, opened) {
    Object.assign(this, { element, app, opened, collection: opened.collection });
    opened.saved = (isSaved) => this.showStorage(isSaved);
    addEventListener("beforeunload", (event) => { if (opened.store.pending.length) event.preventDefault(); });
    element.addEventListener("dragover", (event) => event.preventDefault());
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation(); // the page would take a picture for its canvas
      filesOf(event.dataTransfer).then((files) => this.takeIn(files), () => this.say("folderUnreadable"));
    });
  }

  // Make the elements in the present language.
  show() {
    this.message = make("p", { id: "own-message", role: "status", tabindex: "-1" });
    this.storage = make("p", { id: "own-storage", class: "notice", role: "alert", hidden: true });
    this.bar = make("progress", { max: "1", "aria-label": t("takingIn") });
    this.working = make("div", { class: "group", hidden: true }, this.bar, make("button", { type: "button", onclick: () => { this.isWanted = false; } }, t("stop")));
    this.left = make("details", { hidden: true });
    this.strip = make("div", { id: "own-strip", role: "group", "aria-label": t("addDrawingTo") });
    byId("own-strip")?.remove();
    byId("tools").after(this.strip);
    this.classes = make("ul", { class: "collected" });
    this.cards = new Map();
    this.summary = make("p", { id: "own-summary" });
    this.loose = make("select", { id: "own-loose" });
    this.trainers = [this.button("own-train", "trainOwn", () => this.train(false)), this.button("own-mix", "trainMixed", () => this.train(true))];
    this.actions = make("div", { class: "group" }, ...this.trainers,
      this.button("own-table", "downloadTable", () => this.downloadTable()), this.button("own-zip", "downloadZip", () => this.downloadZip()),
      this.button("own-clear", "deleteAll", () => this.remove(() => this.collection.removeClasses(this.collection.classes), "deletedAll")));
    this.element.replaceChildren(this.storage, this.makeForm(), this.makeSources(), this.working, this.left, this.classes, this.message, this.summary, this.actions);
    this.showStorage(this.opened.isRead);
    this.refresh();
  }

  button(id, key, onclick) {
    return make("button", { type: "button", id, onclick }, t(key));
  }

  makeForm() {
    const name = make("input", { id: "own-name", type: "text", dir: "auto", autocomplete: "off" });
    const add = (event) => {
      event.preventDefault();
      this.attempt(() => {
        const { name: added } = this.collection.addClass(name.value);
        this.say("classAdded", { name: added });
        name.value = "";
      });
    };
    return make("form", { class: "group", onsubmit: add }, make("label", { class: "inline-field" }, t("className"), name), make("button", {}, t("addClass")));
  }

  makeSources() {
    const choose = (key, attributes) => {
      const input = make("input", { type: "file", ...attributes, onchange: () => {
        const files = listed(input.files);
        input.value = "";
        this.takeIn(files);
      } });
      return make("label", { class: "button" }, input, make("span", {}, t(key)));
    };
    return make("div", { class: "drop" }, make("p", { class: "soft" }, t("dropAbout")), make("div", { class: "group" },
      choose("chooseFolder", { id: "own-folder", webkitdirectory: true }), choose("chooseFiles", { id: "own-files", multiple: true }),
      make("label", { class: "inline-field" }, t("looseTo"), this.loose)));
  }

  // Show all classes, and what is missing.
  refresh() {
    const { classes, count, missing } = this.collection, chosen = this.loose.value;
    this.cards = new Map(classes.map((one) => [one, this.cards.get(one) ?? new ClassCard(this, one)]));
    const elements = Array.from(this.cards.values(), ({ element }) => element);
    if (elements.some((element, i) => this.classes.children[i] !== element) || elements.length !== this.classes.childElementCount) this.classes.replaceChildren(...elements);
    for (const card of this.cards.values()) card.refresh();
    this.strip.replaceChildren(...(classes.length ? [make("span", {}, t("addDrawingTo"))] : []), ...classes.map((one) => {
      const label = t("addDrawingToClass", { name: one.name, count: one.examples.length });
      return make("button", { type: "button", "aria-label": label, onclick: () => this.addDrawing(one) }, make("bdi", {}, one.name), make("small", {}, ` ${one.examples.length}`));
    }));
    this.loose.replaceChildren(...classes.map(({ id, name }) => make("option", { value: id, dir: "auto" }, name)));
    if (this.collection.withId(chosen)) this.loose.value = chosen;
    this.summary.textContent = `${t("ownSummary", { count: number(count, 0), classes: classes.length })} ${missing ? t(missing.key, missing.values) : t("enough")}`;
    for (const button of this.actions.children) button.disabled = !(count || (button.id === "own-clear" && classes.length));
    for (const button of this.trainers) button.disabled = missing !== null;
  }

  // Do what may be refused; say why if it is.
  attempt(work) {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.say(error.key, error.values);
    }
    this.refresh();
  }

  say(key, values = {}) {
    this.message.textContent = t(key, values);
  }

  showStorage(isSaved) {
    this.storage.hidden = isSaved;
    this.storage.textContent = isSaved ? "" : t("notStored");
  }

  // Add what is on the canvas to a class, and clear the canvas for the next drawing.
  addDrawing(one) {
    const { prepared } = this.app.result;
    if (prepared.problem) return this.say(prepared.problem);
    const place = this.collection.classes.indexOf(one);
    this.attempt(() => {
      this.collection.add(one, [prepared.image.slice()]);
      this.say("drawingAdded", { name: one.name, count: one.examples.length });
      this.app.pad.replace([]);
    });
    if (!document.activeElement || document.activeElement === document.body) this.strip.querySelectorAll("button")[place].focus({ preventScroll: true });
  }

  // Remove something, and offer to bring it back.
  remove(work, key, values = {}) {
    const restore = work();
    this.refresh();
    this.say(key, values);
    const undo = make("button", { type: "button", id: "own-undo", onclick: () => {
      restore();
      this.refresh();
      this.say("broughtBack");
      this.message.focus({ preventScroll: true }); // the button is gone
    } }, t("undo"));
    this.message.append(" ", undo);
    if (document.activeElement === document.body) undo.focus({ preventScroll: true });
  }

  // Take in pictures, folders, tables and archives; say what was left out, and why.
  async takeIn(files) {
    if (!this.working.hidden) return this.say("stillTakingIn");
    const prepare = (picture) => prepareBest(this.app.engine, (image) => this.app.assess(image), this.app.settings, picture);
    const found = new Map(), left = [];
    let count = 0, read = 0;
    const add = () => {
      for (const [name, images] of found) {
        try {
          this.collection.add(this.classFor(name), images);
          count += images.length;
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          left.push({ path: name ?? t("filesWithoutFolder", { count: images.length }), problem: error });
        }
      }
      found.clear();
    };
    this.isWanted = true;
    this.working.hidden = false;
    this.left.hidden = true;
    try {
      await readAll(files, prepare, this.app.settings, async ({ path, name, image, problem, share }) => {
        if (problem) left.push({ path, problem });
        else found.set(name, [...(found.get(name) ?? []), image]);
        this.bar.value = share;
        read += 1;
        if (read % AT_ONCE === 0) {
          add();
          await new Promise((resolve) => setTimeout(resolve)); // the page answers in between
        }
        return this.isWanted;
      });
      add();
    } catch (error) {
      this.app.say(t("failed", { reason: error.message }));
    } finally {
      this.working.hidden = true;
    }
    this.refresh();
    this.say("takenIn", { count: number(count, 0) });
    this.showLeftOut(left);
  }

  classFor(name) {
    if (name !== null) return this.collection.named(this.collection.checkName(name, this.collection.named(name.normalize("NFC").trim()))) ?? this.collection.addClass(name);
    const one = this.collection.withId(this.loose.value);
    if (!one) throw new Refused("noClassYet");
    return one;
  }

  showLeftOut(left) {
    this.left.hidden = left.length === 0;
    const lines = left.slice(0, LISTED).map(({ path, problem }) => make("li", {}, make("bdi", {}, path), `: ${t(problem.key, problem.values)}`));
    if (left.length > LISTED) lines.push(make("li", {}, t("andMore", { count: number(left.length - LISTED, 0) })));
    this.left.replaceChildren(make("summary", {}, t("leftOut", { count: number(left.length, 0) })), make("ul", {}, ...lines));
    this.left.open = true;
  }

  // Open the training with the examples as its data.
  async train(withMnist) {
    if (withMnist) this.say("mnistLoading");
    try {
      const data = await trainingData(this.collection, withMnist);
      this.message.textContent = "";
      await this.app.openView("training");
      this.app.views.training?.useData(data);
      byId("training").scrollIntoView();
    } catch (error) {
      this.app.say(t("notLoaded", { reason: error.message }));
    }
  }

  downloadTable() {
    this.attempt(() => saveFile(writeTable(this.collection.dataSet()), "text/csv", "examples.csv"));
  }

  async downloadZip() {
    const parts = await writePictures(this.collection.classes, (share) => this.say("packing", { share: percent(share, 0) }));
    saveFile(parts, "application/zip", "examples.zip");
    this.say("zipAbout");
  }

  update() {}
}
