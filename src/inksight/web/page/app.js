// The page: what is drawn, what the network makes of it, and the views that show it.

import { Answer } from "./answer.js";
import { Barcodes } from "./barcode.js";
import { byId } from "./dom.js";
import { Predictor, sidesOf } from "./engine.js";
import { EXAMPLES } from "./examples.js";
import { decodeBytes } from "./files.js";
import { readHash, writeHash } from "./link.js";
import { averageBarcodes, Edits, exists, Layers } from "./model.js";
import { Nearest } from "./nearest.js";
import { Overview } from "./overview.js";
import { makeTools, Pad } from "./pad.js";
import { acceptPictures } from "./pictures.js";
import { answerOf, asPrepared, oodMargin, prepareBest } from "./reading.js";
import { Sight } from "./sight.js";
import { rasterize } from "./strokes.js";
import { LANGUAGES, preferredLanguage, setLanguage, t } from "./texts.js";

const SAVE_AFTER = 300; // milliseconds without a change, after which the link is written: browsers limit how often
// Views that are loaded when a visitor opens them: each module has a function `open` of an element and the page.
const VIEWS = {
  accuracy: () => import("./accuracy/view.js"),
  training: () => import("./training/view.js"),
  explore: () => import("./explore/view.js"),
  collection: () => import("./collection/view.js"),
  tour: () => import("./tour/view.js"),
};
export const loadStep = () => import("./step.js");
const viewOf = (name) => byId(`${name}-view`);

// Give the focus to the heading of a view, or to the view if it has none.
function focusOn(view) {
  const target = view.closest("section")?.querySelector("h2") ?? view;
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

export class App {
  constructor(engine, settings, model) {
    Object.assign(this, { engine, settings, model, edits: new Edits(), sight: new Sight(), views: {}, selected: null, against: null, language: null });
    this.means = settings.means && averageBarcodes(decodeBytes(settings.means), model.network);
    this.pad = new Pad(byId("pad"), (isFinished) => this.schedule(isFinished));
    this.rebuild();
    acceptPictures({ input: byId("file"), cameraButton: byId("camera"), dialog: byId("camera-dialog") }, settings,
      (picture) => { this.say(""); this.pad.replace([], picture); }, (key) => this.say(t(key)));
    byId("restore-all").addEventListener("click", () => this.edit((edits) => { edits.off.clear(); edits.weights.clear(); }));
    byId("language").addEventListener("change", (event) => this.speak(event.target.value));
    for (const name of Object.keys(VIEWS)) byId(`open-${name}`).addEventListener("click", () => this.openView(name));
    addEventListener("hashchange", () => { if (location.hash !== this.written) this.open(location.hash); });
  }

  // Use a language that the visitor has chosen.
  async speak(language) {
    await setLanguage(language);
    this.language = language;
    this.makeViews();
    this.refresh();
    this.saveLink();
  }

  makeViews() {
    makeTools(byId("tools"), this.pad, EXAMPLES);
    this.answer = new Answer(this.model);
    this.step?.element.remove();
    this.step = null;
    this.overview = new Overview(byId("way"), this);
    this.barcodes = new Barcodes(byId("barcodes"), this);
    this.nearest = this.means && new Nearest(byId("barcodes"), this);
    this.overview.updateWeights(this);
    this.overview.updateSelection(this.selected);
    this.sight.clear();
    this.sight.watch(...this.overview.rows, byId("barcodes"), ...Object.keys(VIEWS).map(viewOf));
    this.showStep();
    for (const view of Object.values(this.views)) view.show();
  }

  // Load a view and open it below its heading.
  async openView(name, ...values) {
    const button = byId(`open-${name}`), hadFocus = document.activeElement === button;
    button.disabled = true; // a second click would open a second view
    try {
      this.views[name] ??= await (await VIEWS[name]()).open(viewOf(name), this);
      button.hidden = true;
      if (hadFocus && [button, document.body].includes(document.activeElement)) focusOn(viewOf(name));
      await this.views[name].enter?.(...values);
    } catch (error) {
      this.say(t("notLoaded", { reason: error.message }));
    }
    button.disabled = false;
  }

  // Show the chosen filter step by step, or none.
  async showStep() {
    if (!this.selected && !this.step) return;
    try {
      if (!this.step) { // waiting would show the filter that was chosen before for a moment
        const { Step } = await loadStep();
        this.step ??= new Step(this);
      }
      this.step.show(this.selected);
      this.sight.watch(this.step.element);
      if (this.result) this.step.update(this.result);
    } catch (error) {
      this.say(t("notLoaded", { reason: error.message }));
    }
  }

  // Show the state that a link holds.
  async open(hash) {
    const { network } = this.model, state = readHash(hash);
    this.written = hash;
    this.views.tour?.leave();
    const language = state.language && Object.hasOwn(LANGUAGES, state.language) ? state.language : null;
    if (language !== this.language) await setLanguage(language ?? preferredLanguage());
    this.language = language;
    byId("language").value = document.documentElement.lang;
    const isSame = state.model === this.settings.model.digest;
    this.edits = isSame ? new Edits(state.off.filter((key) => exists(network, key)), state.weights.filter(([key]) => exists(network, key))) : new Edits();
    this.selected = isSame && state.selected && this.isPlace(state.selected) ? state.selected : null;
    this.pad.pen = state.pen ?? this.pad.pen;
    this.pad.lines = state.lines;
    this.pad.picture = null;
    this.rebuild();
    this.makeViews();
    this.pad.draw();
    this.refresh();
    this.say(state.model && !isSame ? t("otherModel") : "");
    if (state.tour) setTimeout(() => this.openView("tour", state.tour)); // which takes the focus: when the page is shown
  }

  isPlace({ bank, filter, channel, place }) {
    return exists(this.model.network, [bank, filter, channel].join(".")) && place < sidesOf(this.model.network.banks)[bank - 1] ** 2;
  }

  // Read the drawing once before the next frame, however often it changes, and show what is in sight; when the pen is lifted,
  // then all. Painting the whole page takes several times as long as the answer.
  schedule(isFinished) {
    this.isFinished ||= isFinished;
    this.frame ??= requestAnimationFrame(() => {
      const isFinished = this.isFinished;
      this.frame = null;
      this.isFinished = false;
      this.attempt(() => {
        this.read();
        this.showViews((element) => this.sight.has(element));
      });
      if (isFinished) setTimeout(() => this.attempt(() => {
        this.showViews();
        this.answer.announce();
        this.saveLink();
      }));
    });
  }

  attempt(work) {
    try {
      work();
    } catch (error) {
      this.say(t("failed", { reason: error.message }));
    }
  }

  assess(image) {
    const stages = this.predictor.run(image);
    return { stages, probabilities: stages.probabilities, margin: oodMargin(this.model, stages, this.settings) };
  }

  refresh() {
    this.read();
    this.showViews();
  }

  // Read the drawing, and show the answer.
  read() {
    const { pad, settings, layers, edits, against } = this;
    const prepared = pad.picture?.exact ? asPrepared(pad.picture.exact)
      : prepareBest(this.engine, (image) => this.assess(image), settings, pad.picture ?? rasterize(pad.lines, pad.pen));
    const assessment = this.assess(prepared.image), answer = answerOf(prepared.problem, assessment, settings);
    const stages = prepared.problem ? null : assessment.stages;
    this.result = { prepared, stages, answer, margin: assessment.margin, layers, edits, against };
    this.answer.show(this.result);
    byId("edited").hidden = edits.empty;
    byId("edited-text").textContent = t("edited", { off: edits.off.size, weights: edits.weights.size });
  }

  // Show the result in the views, in those of which `isWanted` says so of an element.
  showViews(isWanted = () => true) {
    const { result, overview, step, barcodes, nearest } = this;
    overview.update(result, isWanted);
    if (step && isWanted(step.element)) step.update(result);
    if (isWanted(byId("barcodes"))) for (const view of [barcodes, nearest]) view?.update(result);
    for (const [name, view] of Object.entries(this.views)) if (isWanted(viewOf(name))) view.update(result);
  }

  say(text) {
    byId("message").textContent = text;
    byId("message").hidden = !text;
  }

  // Change the network, and show what comes of it.
  edit(change) {
    change(this.edits);
    this.rebuild();
    this.overview.updateWeights(this);
    this.refresh();
    this.answer.announce();
    this.saveLink();
  }

  rebuild() {
    this.predictor?.free();
    this.layers = new Layers(this.model, this.edits);
    this.predictor = new Predictor(this.engine, this.model, this.layers.flat);
  }

  // Show another network in all views. `name` and `digest` are those of its file; `means`: its average barcodes, or null.
  use(model, { name, digest }, means) {
    Object.assign(this, { model, means, edits: new Edits(), selected: null, against: null });
    this.settings.model = { name, digest };
    byId("model-name").textContent = name;
    this.rebuild();
    this.makeViews();
    this.refresh();
    this.answer.announce();
    this.saveLink();
  }

  toggle(bank, filter) {
    const key = `${bank}.${filter}`;
    this.edit(({ off }) => { if (!off.delete(key)) off.add(key); });
  }

  restore(bank, filter) {
    this.edit((edits) => edits.restore(bank, filter));
  }

  setWeight(key, value) {
    this.edit(({ weights }) => weights.set(key, value));
  }

  // Show a filter step by step; its middle is where most ink is.
  async select(choice) {
    const before = this.selected;
    if (choice) {
      const side = sidesOf(this.model.network.banks)[choice.bank - 1], middle = Math.floor(side / 2);
      const isSameBank = before?.bank === choice.bank;
      this.selected = { channel: isSameBank ? before.channel : 0, place: isSameBank ? before.place : middle * side + middle, window: null, ...choice };
    } else this.selected = null;
    this.overview.updateSelection(this.selected);
    await this.showStep();
    if (choice) {
      this.step.element.focus({ preventScroll: true });
      this.step.element.scrollIntoView({ block: "nearest" });
    } else if (before) this.overview.banks[before.bank - 1].tiles[before.filter].button.focus();
    this.saveLink();
  }

  compareWith(name) {
    this.against = name;
    this.refresh();
  }

  rowOf(bank) {
    return byId(`stage-bank${bank}`);
  }

  saveLink() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      const { pad, edits, selected, language } = this, state = { model: this.settings.model.digest, pen: pad.pen, lines: pad.lines, edits, selected, language };
      if (location.hash !== this.written) return; // a link was just entered, which is about to be opened
      history.replaceState(null, "", writeHash({ ...state, ...this.views.tour?.state }));
      this.written = location.hash;
    }, SAVE_AFTER);
  }
}
