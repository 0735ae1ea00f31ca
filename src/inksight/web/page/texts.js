// The texts of the page in the visitor's language. Another language is another file in texts/ and an entry here.

import { readJson } from "./files.js";

export const LANGUAGES = { en: "English", de: "Deutsch" }; // each in its own words
let language = "en", texts = {}, folders = ["texts"];

// Load a language, one of those there are, and write the texts of the page's own elements.
export async function setLanguage(code) {
  texts = Object.assign({}, ...(await Promise.all(folders.map((folder) => readJson(`${folder}/${code}.json`)))));
  language = code;
  document.documentElement.lang = language;
  document.title = t("title");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
}

// Load the texts of a view, too, from now on in every language.
export async function addTexts(folder) {
  Object.assign(texts, await readJson(`${folder}/${language}.json`));
  folders.push(folder);
}

// Return whether a language is loaded.
export function hasTexts() {
  return "title" in texts;
}

// Return the visitor's preferred language among those there are.
export function preferredLanguage() {
  return navigator.languages.map((name) => name.slice(0, 2)).find((code) => Object.hasOwn(LANGUAGES, code)) ?? "en";
}

// Return a text, with the {names} in it replaced by values.
export function t(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => isolated(values[name]));
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

// Return a text so that, if it is written from right to left, it does not reorder what is around it.
export function isolated(text) {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

const formats = new Map(); // a new one for each number would take longer than the network

function formatOf(style, decimals) {
  const key = `${language} ${style} ${decimals}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language, { style, minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  return formats.get(key);
}

// Format a number with so many decimals, with the signs of the language.
export function number(value, decimals = 2) {
  const text = formatOf("decimal", decimals).format(value);
  return text.replace("-", "−").replace(/^−(?=[0.,]*$)/, ""); // no minus zero
}

export function percent(share, decimals = 1) {
  return formatOf("percent", decimals).format(share);
}

// Return what a text becomes where a sum goes on with a number: + 0.5, or − 0.5.
export function term(value, decimals = 3) {
  return `${value < 0 ? "−" : "+"} ${number(Math.abs(value), decimals)}`;
}
