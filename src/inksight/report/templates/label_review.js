// Decisions on labels. They are kept in the browser's storage for this data, also those on images that another page of
// the same data shows, and are read again before each change, because a second window may have changed them.
const review = JSON.parse(document.getElementById("review").textContent);
const cards = [...document.querySelectorAll(".doubts li")];
const saveButton = document.getElementById("save");
let decisions = {}; // ImageId: {given, label}; the label is null if the image is left out
let stored = true; // whether the browser keeps the decisions
let unsaved = false; // whether closing this page would lose one

function load() {
  if (!stored) return; // the decisions of this page are the newest
  try {
    decisions = JSON.parse(localStorage.getItem(review.key)) ?? decisions;
  } catch {}
}

function decide(card, label) {
  load();
  const { id, given } = card.dataset;
  if (label === undefined) delete decisions[id];
  else decisions[id] = { given, label };
  try {
    localStorage.setItem(review.key, JSON.stringify(decisions));
  } catch {
    stored = false;
  }
  unsaved = !stored;
  show();
}

function show() {
  for (const card of cards) {
    const { id, given } = card.dataset;
    const label = decisions[id]?.label;
    if (label === undefined) delete card.dataset.decision;
    else card.dataset.decision = label === null ? "left out" : label === given ? "kept" : "changed";
    const buttons = [...card.querySelectorAll("button")];
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.label === label));
    const select = card.querySelector("select");
    select.value = label === null ? "leave out" : buttons.some((b) => b.dataset.label === label) ? "" : toValue(label);
    select.classList.toggle("chosen", select.value !== "");
  }
  const n = Object.keys(decisions).length;
  const here = cards.filter((card) => card.dataset.decision).length;
  const elsewhere = n > here ? `, and ${n - here} on other pages of this data` : "";
  document.getElementById("count").textContent =
    `${here} of ${cards.length} decided${elsewhere}${unsaved ? ". Not kept by this browser: save before you close the page" : ""}`;
  saveButton.disabled = n === 0;
}

// Classes are known by their position, so that no name of a class can be mistaken for another choice.
const toValue = (label) => (label === undefined ? "" : String(review.names.indexOf(label)));
const toLabel = (value) => (value === "" ? undefined : value === "leave out" ? null : review.names[value]);

function toCsv() {
  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = Object.entries(decisions).map(([id, { given, label }]) => [id, cell(label ?? ""), cell(given)].join(","));
  return [review.columns.join(","), ...rows].join("\n") + "\n";
}

function save() {
  load();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([toCsv()], { type: "text/csv" }));
  link.download = "corrections.csv";
  link.click();
  unsaved = false;
  show();
}

function onKey(event) {
  const card = event.target; // not a button or list on the card, which have keys of their own
  if (!cards.includes(card) || event.ctrlKey || event.metaKey || event.altKey) return;
  const label = { Enter: card.dataset.given, Delete: null }[event.key];
  let step = { ArrowRight: 1, ArrowLeft: -1, Backspace: 0 }[event.key];
  if (event.key === "Backspace") decide(card, undefined);
  if (step === undefined) {
    const choice = label === undefined ? event.key : label;
    if (choice !== null && !review.names.includes(choice)) return;
    decide(card, choice);
    step = 1;
  }
  event.preventDefault();
  cards[cards.indexOf(card) + step]?.focus();
}

for (const card of cards) {
  const select = card.querySelector("select");
  select.append(new Option("other…", ""), ...review.names.map((name, i) => new Option(name, i)), new Option("leave out", "leave out"));
  select.addEventListener("change", () => decide(card, toLabel(select.value)));
  for (const button of card.querySelectorAll("button")) {
    const isPressed = () => button.getAttribute("aria-pressed") === "true";
    button.addEventListener("click", () => decide(card, isPressed() ? undefined : button.dataset.label));
  }
  card.addEventListener("keydown", onKey);
}
saveButton.addEventListener("click", save);
addEventListener("storage", () => { load(); show(); });
addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
load();
show();
