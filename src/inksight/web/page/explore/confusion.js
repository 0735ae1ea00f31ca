// The confusion matrix as a table, whose cells open the images in them.

import { make } from "../dom.js";
import { number, percent, t } from "../texts.js";
import { inkOn } from "./palette.js";

const MOST = 30; // classes: those with the most errors, where there are more
const VISIBLE_ERRORS = 0.35; // power of a share: makes errors visible, which are one in a hundred or fewer

// Make the table of {confusion, names}; `choose(label, prediction)` is called for the cell that is pressed.
export function makeConfusion(confusion, names, colors, choose) {
  const all = names.length, at = (label, prediction) => confusion[label * all + prediction];
  const sizes = names.map((_, label) => confusion.subarray(label * all, (label + 1) * all).reduce((sum, count) => sum + count, 0));
  const errors = (label) => sizes[label] - at(label, label);
  const shown = Array.from(names.keys()).sort((a, b) => errors(b) - errors(a)).slice(0, MOST).sort((a, b) => a - b);
  const cell = (label, prediction) => {
    const count = at(label, prediction);
    if (!count) return make("td");
    const share = count / sizes[label], color = colors[Math.round(255 * share ** VISIBLE_ERRORS)];
    const title = t("confusionCell", { label: names[label], prediction: names[prediction], count: number(count, 0), share: percent(share) });
    const button = make("button", { type: "button", title, "aria-label": title, onclick: () => choose(label, prediction) }, number(count, 0));
    button.style.setProperty("--cell", color);
    button.style.setProperty("--text", inkOn(color));
    return make("td", {}, button);
  };
  const heads = shown.map((one) => make("th", { scope: "col" }, brief(names[one])));
  const table = make("table", { class: "confusions" },
    make("caption", {}, t("confusionScale") + (shown.length < all ? ` ${t("confusionPart", { count: shown.length, all })}` : "")),
    make("thead", {}, make("tr", {}, make("td", {}), ...heads)),
    make("tbody", {}, ...shown.map((label) => make("tr", {}, make("th", { scope: "row" }, brief(names[label])), ...shown.map((prediction) => cell(label, prediction))))));
  return table;
}

// Return a name of a class, shortened for a place with little room; the whole name is its title.
function brief(name) {
  const letters = [...name];
  return make("bdi", { title: name }, letters.length > 8 ? `${letters.slice(0, 7).join("")}…` : name);
}
