// What is wider than its box scrolls sideways: the edge behind which there is more fades, and the keyboard can scroll it.
function showMore(box) {
  const hidden = box.scrollWidth - box.clientWidth;
  box.classList.toggle("more-before", box.scrollLeft > 1);
  box.classList.toggle("more-after", box.scrollLeft < hidden - 1);
  if (hidden > 1) box.tabIndex = 0;
}
const sizes = new ResizeObserver((entries) => entries.forEach((entry) => showMore(entry.target)));
for (const box of document.querySelectorAll("body :not(svg, svg *)")) {
  if (getComputedStyle(box).overflowX === "auto") {
    sizes.observe(box);
    box.addEventListener("scroll", () => showMore(box), { passive: true });
  }
}
