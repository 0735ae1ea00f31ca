// A click on a cell of the confusion matrix shows its images, which are parts of one sprite.
const cells = JSON.parse(document.getElementById("cells").textContent);
const sprite = `url(data:image/png;base64,${cells.sprite})`;
const TILE = 56; // pixels on the page: two per image pixel

function showCell(button) {
  const [truth, read] = button.dataset.cell.split(",").map(Number);
  const images = cells.images[button.dataset.cell];
  for (const other of document.querySelectorAll("#confusion-table button")) {
    other.setAttribute("aria-pressed", String(other === button));
  }
  const count = Number(button.dataset.count);
  const what = truth === read
    ? `${count.toLocaleString()} × ${cells.names[truth]}, read right`
    : `${count.toLocaleString()} × ${cells.names[truth]}, read as ${cells.names[read]}`;
  const some = images.length < count ? `; the ${images.length} with the lowest probability of the true digit` : "";
  document.getElementById("cell").hidden = false;
  document.getElementById("cell-title").textContent = what + some;
  document.getElementById("cell-images").replaceChildren(...images.map(([place, row, confidence]) => {
    const tile = document.createElement("span");
    tile.className = "tile";
    tile.style.backgroundImage = sprite;
    tile.style.backgroundSize = `${cells.columns * TILE}px ${cells.rows * TILE}px`;
    tile.style.backgroundPosition = `-${(place % cells.columns) * TILE}px -${Math.floor(place / cells.columns) * TILE}px`;
    const item = document.createElement("li");
    const share = (100 * confidence).toFixed(confidence > 0.995 && confidence < 1 ? 1 : 0);
    item.append(tile, `#${row}`, document.createElement("br"), `${share} %`);
    item.title = `image ${row}: ${share} % for ${cells.names[truth]}`;
    return item;
  }));
}
for (const button of document.querySelectorAll("#confusion-table button")) {
  button.addEventListener("click", () => showCell(button));
}
// At first, the most frequent mistake.
const isMistake = ({ dataset: { cell } }) => cell.split(",")[0] !== cell.split(",")[1];
const mistakes = [...document.querySelectorAll("#confusion-table button")].filter(isMistake);
if (mistakes.length) showCell(mistakes.reduce((most, other) => (Number(other.dataset.count) > Number(most.dataset.count) ? other : most)));
