// A digit is in its box on the picture, in the text and on its card: where one of them is, all light up.
function light(event) {
  const digit = event.target.closest("[data-digit]")?.dataset.digit;
  for (const part of document.querySelectorAll("[data-digit]")) {
    part.classList.toggle("lit", part.dataset.digit === digit);
  }
}
document.addEventListener("pointerover", light);
document.addEventListener("focusin", light);
