// A class of the collection: its name, its examples, and what can be done with them.

import { make } from "../dom.js";
import { Gallery } from "../explore/gallery.js";
import { number, t } from "../texts.js";

export class ClassCard {
  constructor(view, one) {
    const { collection } = view;
    this.one = one;
    this.name = make("input", { type: "text", dir: "auto", "aria-label": t("nameOfClass"), autocomplete: "off", onchange: () => view.attempt(() => collection.rename(one, this.name.value)) });
    this.count = make("span", { class: "count" });
    this.remove = make("button", { type: "button", onclick: () =>
      view.remove(() => collection.removeClasses([one]), "classDeleted", { name: one.name, count: number(one.examples.length, 0) }) }, t("deleteClass"));
    this.none = make("p", { class: "soft" }, t("noExamples"));
    this.gallery = new Gallery(view.app, (row) => this.makeDelete(view, row));
    this.gallery.title.remove(); // the name says what is listed
    this.element = make("li", {}, make("div", { class: "group" }, this.name, this.count,
      make("button", { type: "button", onclick: () => view.addDrawing(one) }, t("addDrawing")), this.remove), this.none, this.gallery.element);
  }

  makeDelete(view, row) {
    const { one } = this, { collection } = view;
    return make("button", { type: "button", class: "delete", "aria-label": t("deleteExample", { number: row + 1, name: one.name }), onclick: () => {
      view.remove(() => collection.removeExamples(one, [one.examples[row]]), "exampleDeleted", { name: one.name });
      const others = this.element.querySelectorAll(".delete"); // where the focus was is gone
      others[Math.min(row, others.length - 1)]?.focus({ preventScroll: true });
    } }, "×");
  }

  // Show the class as it is now.
  refresh() {
    const { name, examples } = this.one;
    this.name.value = name;
    this.count.textContent = t("exampleCount", { count: number(examples.length, 0) });
    this.remove.setAttribute("aria-label", t("deleteClassNamed", { name }));
    this.none.hidden = examples.length > 0;
    const shown = examples.map(({ id }) => id).join();
    if (shown === this.shown) return;
    this.shown = shown;
    this.gallery.show("", Array.from(examples.keys()), (row) => examples[row].image, (row) => String(row + 1));
    this.gallery.element.hidden = examples.length === 0;
  }
}
