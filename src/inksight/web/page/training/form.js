// The settings of a training: a network bank by bank, a recipe, images and a seed. What is not allowed is said beside
// the field.

import { make } from "../dom.js";
import { sidesOf } from "../engine.js";
import { paramShapes } from "../model.js";
import { isolated, number, t } from "../texts.js";

const WHOLE = ["filters", "dense", "images", "epochs", "batch_size", "seed"];
const RECIPE = ["learning_rate", "batch_size", "epochs", "label_smoothing"];
const AUGMENTATION = ["rotation", "shift", "scale", "shear", "elastic", "aspect"];
const OWN = "own"; // what is chosen instead of a preset once something has been changed

export class Form {
  // `counts`: how many images there are; `settings`: those of web/training.py; `changed()` is called after every change.
  constructor(settings, counts, changed) {
    const { limits } = settings, most = Math.min(limits.images[1], counts.train);
    Object.assign(this, { settings, limits: { ...limits, images: [limits.images[0], most] }, changed, data: null });
    this.values = { network: "post", recipe: "seconds", images: String(most), seed: "0" };
    this.usePreset("network", "post");
    this.usePreset("recipe", "seconds");
  }

  // Make the elements in the language of the page; what has been entered stays.
  makeElement() {
    this.fields = {};
    this.element = make("form", { class: "card training-form", novalidate: true, onsubmit: (event) => event.preventDefault() },
      make("fieldset", {}, make("legend", {}, t("chosenNetwork")), this.makePreset("network", this.settings.networks),
        (this.bankList = make("div", { class: "banks" })),
        make("div", { class: "row" },
          (this.addButton = make("button", { type: "button", id: "add-bank", onclick: () => this.addBank() }, t("addBank"))), this.makeField("dense", "dense")),
        (this.size = make("p", { class: "small", role: "status", id: "network-size" }))),
      make("fieldset", {}, make("legend", {}, t("chosenRecipe")), this.makePreset("recipe", this.settings.recipes),
        make("div", { class: "fields" }, ...RECIPE.map((name) => this.makeField(name, name, "recipe"))),
        make("details", {}, make("summary", {}, t("augmentation")),
          make("div", { class: "fields" }, ...AUGMENTATION.map((name) => this.makeField(name, name, "recipe"))))),
      make("fieldset", {}, make("legend", {}, t("chosenData")),
        (this.ownData = make("p", { class: "small", id: "own-data", role: "status", hidden: !this.data })),
        make("div", { class: "fields" }, this.makeField("images", "images"), this.makeField("seed", "seed"))));
    this.makeBanks();
    this.showData();
    this.check();
    return this.element;
  }

  // Train on other images from now on, all of them: {training, validation, names}, or null for those of MNIST.
  useData(data) {
    this.data = data;
    this.showData();
    this.check();
  }

  showData() {
    const { data } = this;
    this.fields.images.input.parentElement.hidden = Boolean(data); // all are taken
    this.ownData.hidden = !data;
    if (!data) return this.ownData.replaceChildren();
    const count = data.training.labels.length, held = data.validation.labels.length;
    this.ownData.replaceChildren(t("ownImages", { count: number(count, 0), held: number(held, 0), names: data.names.map(isolated).join(", ") }), " ",
      make("button", { type: "button", id: "use-mnist", onclick: () => { this.useData(null); this.changed(); } }, t("useMnist")));
  }

  makePreset(kind, presets) {
    const names = [...Object.keys(presets), OWN];
    this[kind] = make("select", { id: `preset-${kind}`, onchange: (event) => this.choose(kind, event.target.value) },
      ...names.map((name) => make("option", { value: name, selected: name === this.values[kind] }, name === OWN ? t("ownSettings") : name)));
    return make("label", { class: "field" }, make("span", {}, t("preset")), this[kind]);
  }

  // Make a number with its label. `preset`: the kind of preset that is no longer chosen once the number is changed.
  makeField(name, key, preset = name === "dense" ? "network" : null) {
    const error = make("span", { class: "wrong", id: `wrong-${key}` });
    const input = make("input", { id: `field-${key}`, value: this.values[key], inputmode: WHOLE.includes(name) ? "numeric" : "decimal", autocomplete: "off",
      "aria-describedby": `wrong-${key}`, oninput: () => { this.values[key] = input.value; this.changeTo(preset); } });
    this.fields[key] = { name, input, error };
    return make("label", { class: "field" }, make("span", {}, t(`field ${name}`)), input, error);
  }

  get classNames() {
    return this.data?.names ?? this.settings.class_names;
  }

  makeBanks() {
    for (const key of Object.keys(this.fields)) if (key.startsWith("filters-")) delete this.fields[key];
    this.bankList.replaceChildren(...this.banks.map((bank, i) => {
      this.values[`filters-${i}`] = String(bank.filters);
      const change = (change) => { Object.assign(bank, change); this.changeTo("network"); };
      const kernel = make("select", { onchange: (event) => change({ kernel: Number(event.target.value) }) },
        ...this.limits.kernel.map((size) => make("option", { value: size, selected: size === bank.kernel }, `${size}×${size}`)));
      const check = (name, isOn, onchange) => make("label", { class: "check" }, make("input", { type: "checkbox", checked: isOn, onchange }), t(name));
      return make("div", { class: "bank", role: "group", "aria-label": t("bank", { number: i + 1 }) }, make("b", {}, t("bank", { number: i + 1 })),
        this.makeField("filters", `filters-${i}`, "network"), make("label", { class: "field" }, make("span", {}, t("field kernel")), kernel),
        check("field pool", bank.pool === 2, (event) => change({ pool: event.target.checked ? 2 : 1 })),
        check("field separable", bank.separable, (event) => change({ separable: event.target.checked })),
        make("button", { type: "button", class: "remove", disabled: this.banks.length === 1, "aria-label": t("removeBank", { number: i + 1 }),
          onclick: () => { this.readBanks(); this.banks.splice(i, 1); this.makeBanks(); this.changeTo("network"); } }, "×"));
    }));
  }

  readBanks() {
    this.banks.forEach((bank, i) => { bank.filters = Number(this.values[`filters-${i}`]); });
  }

  addBank() {
    this.readBanks();
    this.banks.push({ filters: 10, kernel: 3, pool: 1, separable: false });
    this.makeBanks();
    this.changeTo("network");
  }

  changeTo(kind) {
    if (kind) this.values[kind] = this[kind].value = OWN;
    this.check();
    this.changed();
  }

  choose(kind, name) {
    this.usePreset(kind, name);
    for (const [key, { input }] of Object.entries(this.fields)) input.value = this.values[key];
    if (kind === "network") this.makeBanks();
    this.check();
    this.changed();
  }

  // Take the values of a preset, or keep those that there are.
  usePreset(kind, name) {
    this.values[kind] = name;
    if (name === OWN) return;
    if (kind === "network") {
      this.base = this.settings.networks[name];
      this.banks = this.base.banks.map((bank) => ({ ...bank }));
      this.values.dense = String(this.base.dense);
    } else {
      this.recipeBase = this.settings.recipes[name];
      for (const key of RECIPE) this.values[key] = String(this.recipeBase[key]);
      for (const key of AUGMENTATION) this.values[key] = String(this.recipeBase.augmentation[key]);
    }
  }

  // Mark what is not allowed. Sets `chosen`: {network, recipe, seed, images}, or null if something is wrong.
  check() {
    const numbers = {};
    let isRight = true;
    for (const [key, { name, input, error }] of Object.entries(this.fields)) {
      if (key === "images" && this.data) {
        error.textContent = "";
        input.setAttribute("aria-invalid", "false");
        continue;
      }
      const [low, high] = this.limits[name], value = input.value.trim() === "" ? NaN : Number(input.value.replace(",", "."));
      const isValid = value >= low && value <= high && (!WHOLE.includes(name) || Number.isInteger(value));
      error.textContent = isValid ? "" : t(WHOLE.includes(name) ? "notWhole" : "notBetween", { low: shown(low), high: shown(high) });
      input.setAttribute("aria-invalid", String(!isValid));
      numbers[key] = value;
      isRight &&= isValid;
    }
    const banks = this.banks.map((bank, i) => ({ ...bank, filters: numbers[`filters-${i}`] }));
    const network = { ...this.base, banks, dense: numbers.dense, classes: this.classNames.length }, sides = sidesOf(banks), [, million] = this.limits.million;
    const work = multiplyAdds(network) / 1e6, isSmall = Math.min(...sides) < 1;
    this.addButton.disabled = banks.length >= this.limits.banks[1];
    this.size.classList.toggle("wrong", isSmall || work > million);
    this.size.textContent = isSmall ? t("tooDeep") : work > million ? t("tooMuch", { work: number(work, 1), million: String(million) })
      : Number.isFinite(work) ? t("networkSize", { weights: shown(weightsOf(network)), work: number(work, 1) }) : "";
    isRight &&= !isSmall && work <= million;
    const pick = (names) => Object.fromEntries(names.map((name) => [name, numbers[name]]));
    this.chosen = !isRight ? null : {
      network, seed: numbers.seed, images: this.data ? this.data.training.labels.length : numbers.images, classNames: this.classNames, data: this.data,
      recipe: { ...this.recipeBase, ...pick(RECIPE), augmentation: { ...this.recipeBase.augmentation, ...pick(AUGMENTATION) } },
    };
  }
}

const shown = (value) => value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 6 });

function weightsOf(network) {
  return Object.values(paramShapes(network)).reduce((sum, shape) => sum + shape.reduce((product, length) => product * length, 1), 0);
}

// Return the multiplications of the convolutions for one image.
function multiplyAdds({ banks }) {
  let side = 28, channels = 1, sum = 0;
  for (const { filters, kernel, pool } of banks) {
    side = side - kernel + 1;
    sum += side ** 2 * kernel ** 2 * channels * filters;
    side = Math.floor(side / pool);
    channels = filters;
  }
  return sum;
}
