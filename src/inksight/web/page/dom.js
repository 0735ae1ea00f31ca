// Elements: made, labeled, and explained by the values under the pointer.

export const byId = (id) => document.getElementById(id);

// Make an element. Attributes named on... are listeners, true and false set or leave out an attribute; children are
// elements or text, never markup.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const readouts = new WeakMap();

// Say what text to show for the pixel (column, row) of a canvas under the pointer.
export function explain(canvas, textAt) {
  readouts.set(canvas, textAt);
}

// Show the value under the pointer, by mouse, pen or finger, next to it.
export function showValues(tip) {
  const hide = () => { tip.hidden = true; };
  const show = (event) => {
    const canvas = event.target instanceof Element && event.target.closest(".values");
    const textAt = canvas && readouts.get(canvas);
    const text = textAt && textAt(...pixelAt(canvas, event));
    if (!text) return hide();
    tip.textContent = text;
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(Math.min(event.clientX + 14, innerWidth - width - 6), 6)}px`;
    tip.style.top = `${event.clientY > height + 20 ? event.clientY - height - 12 : event.clientY + 18}px`;
  };
  document.addEventListener("pointermove", show, { passive: true });
  document.addEventListener("pointerdown", show, { passive: true });
  document.addEventListener("pointerleave", hide);
  document.addEventListener("keydown", hide);
  document.addEventListener("scroll", hide, { passive: true });
}

// Return the pixel (column, row) of a canvas that an event is at.
export function pixelAt(canvas, { clientX, clientY }) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const within = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
  return [within((clientX - left) / width, canvas.width), within((clientY - top) / height, canvas.height)];
}
