// A digit has a box on the picture, a character in the text and a card: pointing at one highlights all three.
function highlight(event) {
  const digit = event.target.closest("[data-digit]")?.dataset.digit;
  for (const part of document.querySelectorAll("[data-digit]")) {
    part.classList.toggle("lit", part.dataset.digit === digit);
  }
}
document.addEventListener("pointerover", highlight);
document.addEventListener("focusin", highlight);
