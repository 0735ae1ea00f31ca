// A digit has a box on the picture, a character in the text and a card: pointing at one highlights all three.
function highlight(event) {
  const digit = event.target.closest("[data-digit]")?.dataset.digit;
  for (const part of document.querySelectorAll("[data-digit]")) {
    part.classList.toggle("lit", part.dataset.digit === digit);
  }
}
document.addEventListener("pointerover", highlight);
document.addEventListener("focusin", highlight);

// The tag of a box stands at the first of its sides where it covers no other box or tag. If there is none, it shows only
// while its digit is highlighted.
const SIDES = ["above", "below", "right", "left"];
function placeTags(stage) {
  const page = stage.getBoundingClientRect();
  const taken = [...stage.querySelectorAll("a")].map((box) => box.getBoundingClientRect());
  const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  for (const tag of stage.querySelectorAll("a span")) {
    const side = SIDES.find((name) => {
      tag.className = name;
      const place = tag.getBoundingClientRect();
      const isInside = place.left >= page.left && place.right <= page.right && place.top >= page.top && place.bottom <= page.bottom;
      return isInside && !taken.some((other) => overlap(place, other));
    });
    tag.className = side ?? "covering";
    if (side) taken.push(tag.getBoundingClientRect());
  }
}
const stages = new ResizeObserver((entries) => entries.forEach((entry) => placeTags(entry.target)));
for (const stage of document.querySelectorAll(".stage")) stages.observe(stage);
