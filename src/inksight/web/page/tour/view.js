// The guided tour: a panel whose stops show the parts of the network one after the other, on the drawing of the page.

import { byId, make } from "../dom.js";
import { EXAMPLES } from "../examples.js";
import { loadStyle } from "../files.js";
import { addTexts, t } from "../texts.js";
import { dispensableFilters } from "./redundancy.js";
import { stopsOf } from "./stops.js";

const EXAMPLE = EXAMPLES[1]; // a seven

export async function open(element, app) {
  await Promise.all([addTexts("texts/tour"), loadStyle("tour/style.css")]);
  return new Tour(element, app);
}

class Tour {
  constructor(element, app) {
    Object.assign(this, { element, app, at: 1, isOpen: false, kept: null, switched: [] });
    this.button = byId("open-tour");
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isOpen && !event.defaultPrevented && !document.querySelector("dialog[open]")) this.end();
    });
  }

  // Start at a stop, by default where the visitor has left.
  async enter(at = this.at) {
    this.isOpen = true;
    this.stops = stopsOf(this.app); // the network may have changed
    document.documentElement.classList.add("touring");
    this.make();
    await this.go(at);
  }

  make() {
    const button = (key, onclick) => make("button", { type: "button", id: key, onclick }, t(key));
    this.count = make("p", { class: "small" });
    this.title = make("h2", { id: "tour-title" });
    this.text = make("p", { id: "tour-text" });
    this.back = button("tourBack", () => this.go(this.at - 1));
    this.next = button("tourNext", () => (this.at < this.stops.length ? this.go(this.at + 1) : this.end()));
    this.train = button("tourTrain", () => this.end("training"));
    this.panel = make("section", { id: "tour", role: "dialog", tabindex: "-1", "aria-labelledby": "tour-title", "aria-describedby": "tour-text" },
      make("div", { class: "head" }, this.count, button("tourLeave", () => this.end())),
      this.title, this.text, make("div", { class: "group" }, this.back, this.next, this.train));
    this.element.replaceChildren(this.panel);
  }

  // Go to a stop: it acts on the page, and its part of the page is shown and outlined.
  async go(at) {
    this.at = Math.min(Math.max(at, 1), this.stops.length);
    const stop = this.stops[this.at - 1], { app } = this;
    this.switchOn();
    this.drawExample();
    await stop.enter(app);
    if (!this.isOpen || stop !== this.stops[this.at - 1]) return; // the visitor was faster
    if (stop.name === "redundancy") this.switchOff();
    this.describe();
    this.outline(document.querySelector(stop.target));
    this.panel.focus({ preventScroll: true });
    app.saveLink();
  }

  outline(target) {
    this.target?.classList.remove("toured");
    this.target = target;
    target?.classList.add("toured");
    target?.scrollIntoView({ block: "start" });
  }

  describe() {
    const { name, key = name, values } = this.stops[this.at - 1], last = this.at === this.stops.length;
    this.count.textContent = t("tourCount", { at: this.at, count: this.stops.length });
    this.title.textContent = t(`tourTitle ${key}`);
    if (this.app.result.stages) this.text.textContent = t(`tour ${key}`, values(this.app));
    this.back.disabled = this.at === 1;
    this.next.textContent = t(last ? "tourDone" : "tourNext");
    this.train.hidden = !last;
  }

  // Draw an example where the drawing is not read as a digit, and keep what it covers.
  drawExample() {
    const { app } = this, { lines, picture, past } = app.pad;
    if (!app.result.answer.reason) return;
    this.kept ??= { lines, picture, past };
    app.pad.replace(EXAMPLE);
    app.refresh();
  }

  switchOff() {
    this.switched = dispensableFilters(this.app, 1);
    this.app.edit(({ off }) => this.switched.forEach((key) => off.add(key)));
  }

  switchOn() {
    if (this.switched.length) this.app.edit(({ off }) => this.switched.forEach((key) => off.delete(key)));
    this.switched = [];
  }

  // Give back what the tour has covered and switched off. What the visitor has drawn meanwhile stays.
  leave() {
    if (!this.isOpen) return;
    const { pad } = this.app;
    this.isOpen = false;
    this.switchOn();
    if (this.kept && pad.lines === EXAMPLE && !pad.picture) {
      Object.assign(pad, this.kept);
      pad.refresh(true);
    }
    this.kept = null;
    this.panel.remove();
    this.target?.classList.remove("toured");
    document.documentElement.classList.remove("touring");
    this.button.hidden = false;
    this.show();
  }

  // Leave, and go on where the tour has ended, or in a view.
  async end(view = null) {
    const { target, app } = this;
    if (this.at === this.stops.length) this.at = 1;
    this.leave();
    if (view) await app.openView(view);
    const next = view ? byId(view) : target;
    next?.setAttribute("tabindex", "-1");
    next?.focus({ preventScroll: true });
    if (view) next.scrollIntoView();
    app.saveLink();
  }

  // Write the texts in the present language. The elements of the page are new, too.
  show() {
    if (this.isOpen) this.enter();
    else this.button.textContent = this.at > 1 ? t("tourResume", { at: this.at, count: this.stops.length }) : t("openTour");
  }

  update() {
    if (this.isOpen) this.describe();
  }

  // What a link holds: the stop, and the visitor's own drawing and edits.
  get state() {
    if (!this.isOpen) return {};
    const { pad, edits } = this.app, switched = new Set(this.switched);
    const own = { off: new Set([...edits.off].filter((key) => !switched.has(key))), weights: edits.weights };
    return { tour: this.at, edits: own, lines: this.kept && pad.lines === EXAMPLE ? this.kept.lines : pad.lines };
  }
}
