// The start of the page: its files, and what is said if one is missing.

import { App, loadStep } from "./app.js";
import { setColors } from "./colors.js";
import { byId, make, showValues } from "./dom.js";
import { Engine, Unsupported } from "./engine.js";
import { readFile, readJson } from "./files.js";
import { Damaged, parseModel } from "./model.js";
import { hasTexts, LANGUAGES, preferredLanguage, setLanguage, t } from "./texts.js";

// Read the files and start; say what is missing if that fails.
async function start() {
  showValues(byId("tip"));
  for (const button of document.querySelectorAll("[data-section]"))
    button.addEventListener("click", () => byId(button.dataset.section).scrollIntoView()); // the hash holds the state
  byId("language").append(...Object.entries(LANGUAGES).map(([code, name]) => make("option", { value: code, lang: code }, name)));
  const loading = Promise.all([readJson("settings.json"), readFile("engine.wasm"), readFile("model.safetensors")]);
  loading.catch(() => {}); // awaited below, when there are texts to say it in
  try {
    await setLanguage(preferredLanguage());
    const [settings, wasm, file] = await loading;
    setColors(settings.colors);
    const app = new App(await Engine.start(wasm, settings.abi), settings, parseModel(file));
    byId("model-name").textContent = settings.model.name;
    await app.open(location.hash);
    byId("start").hidden = true;
    byId("app").hidden = false;
    app.pad.draw();
    setTimeout(() => loadStep().catch(() => {})); // so that nothing has to be loaded when a filter is chosen
    return app;
  } catch (error) {
    const key = error instanceof Unsupported ? "noWebAssembly" : error instanceof Damaged ? "damagedModel" : "notLoaded";
    byId("start").textContent = hasTexts() ? t(key, { reason: error.message }) : `${byId("start").textContent} (${error.message})`;
  }
}

start();
