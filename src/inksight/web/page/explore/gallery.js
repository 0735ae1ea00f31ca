// Images as buttons: each puts its image on the canvas.

import { paint, picture } from "../colors.js";
import { make } from "../dom.js";
import { number, t } from "../texts.js";

const AT_ONCE = 40; // images that are shown, until more are asked for

export class Gallery {
  // `use` is called with the image (784 bytes) that is chosen. `makeExtra(row)` makes one more element for each image.
  constructor(use, makeExtra = () => "") {
    Object.assign(this, { use, makeExtra });
    this.title = make("h4", { tabindex: "-1" });
    this.list = make("ul", { class: "gallery" });
    this.more = make("button", { type: "button", onclick: () => this.showMore() });
    this.element = make("div", { hidden: true }, this.title, this.list, this.more);
  }

  // Show images: `imageOf(row)` and `captionOf(row)` of each row.
  show(title, rows, imageOf, captionOf) {
    Object.assign(this, { rows, imageOf, captionOf });
    this.title.textContent = title;
    this.list.replaceChildren();
    this.element.hidden = false;
    this.showMore();
  }

  // Move the focus here, so that a screen reader says what is listed.
  focus() {
    this.title.focus({ preventScroll: true });
    this.title.scrollIntoView({ block: "nearest" });
  }

  hide() {
    this.element.hidden = true;
  }

  showMore() {
    const first = this.list.childElementCount, next = this.rows.slice(first, first + AT_ONCE);
    this.list.append(...Array.from(next, (row) => make("li", {}, thumbnail(this.imageOf(row), this.captionOf(row), this.use), this.makeExtra(row))));
    if (first) this.list.children[first]?.firstChild.focus();
    const left = this.rows.length - this.list.childElementCount;
    this.more.hidden = left === 0;
    this.more.textContent = t("showMore", { count: number(left, 0) });
  }
}

// Make a button with an image and a caption, which puts the image on the canvas.
export function thumbnail(image, caption, use) {
  const canvas = picture("images", "");
  canvas.removeAttribute("role"); // the caption says what it is
  canvas.removeAttribute("aria-label");
  canvas.classList.remove("values");
  paint(canvas, Float32Array.from(image, (value) => value / 255), 28, 28, 0, 1);
  return make("button", { type: "button", class: "thumbnail", title: t("putOnCanvas"), onclick: () => use(image) }, canvas, make("span", {}, caption));
}
