// Images as buttons: each puts its image on the canvas.

import { paint } from "../colors.js";
import { byId, make } from "../dom.js";
import { number, t } from "../texts.js";

const AT_ONCE = 24; // images that are shown, until more are asked for

export class Gallery {
  // `makeExtra(row)` makes one more element for each image.
  constructor(app, makeExtra = () => "") {
    Object.assign(this, { app, makeExtra });
    this.title = make("h4", { tabindex: "-1" });
    this.list = make("ul", { class: "gallery" });
    this.more = make("button", { type: "button", onclick: () => this.showMore() });
    this.element = make("div", { hidden: true }, this.title, this.list, this.more);
  }

  // Show images: `imageOf(row)` and `captionOf(row)` of each row.
  show(title, rows, imageOf, captionOf) {
    Object.assign(this, { rows, imageOf, captionOf });
    this.title.textContent = title;
    this.title.hidden = !title;
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
    this.list.append(...Array.from(next, (row) => make("li", {}, thumbnail(this.app, this.imageOf(row), this.captionOf(row)), this.makeExtra(row))));
    if (first) this.list.children[first]?.firstChild.focus();
    const left = this.rows.length - this.list.childElementCount;
    this.more.hidden = left === 0;
    this.more.textContent = t("showMore", { count: number(left, 0) });
  }
}

// Make a button with an image (784 bytes) and a caption, which puts the image on the canvas.
function thumbnail(app, image, caption) {
  const canvas = make("canvas", { class: "from-white", "data-map": "images", "aria-hidden": "true" });
  paint(canvas, Float32Array.from(image, (value) => value / 255), 28, 28, 0, 1);
  return make("button", { type: "button", class: "thumbnail", title: t("putOnCanvas"), onclick: () => putOnCanvas(app, image) }, canvas, make("span", {}, caption));
}

// Let the network of the page read exactly this image, which is not prepared again.
function putOnCanvas({ pad }, image) {
  const canvas = make("canvas", { width: 28, height: 28 }), ink = new ImageData(28, 28);
  image.forEach((value, place) => { ink.data[4 * place + 3] = value; });
  canvas.getContext("2d").putImageData(ink, 0, 0);
  pad.replace([], { image: canvas, exact: image.slice() });
  byId("draw").scrollIntoView();
  pad.surface.focus({ preventScroll: true });
}
