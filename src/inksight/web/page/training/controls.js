// The buttons of a training, and how far it is.

import { make } from "../dom.js";
import { number, percent, t } from "../texts.js";
import { Curves } from "./curves.js";

export class Controls {
  constructor(view) {
    this.view = view;
    this.share = 0; // of the images that have been loaded
  }

  makeElement() {
    const { view } = this, { session } = view;
    const actions = {
      train: () => view.train(), pause: () => (session.run.status === "paused" ? session.resume() : session.pause()),
      stop: () => session.stop(), further: () => view.trainFurther(), reset: () => view.reset(),
    };
    this.buttons = Object.fromEntries(Object.keys(actions).map((name) => [name, make("button", { type: "button", id: `do-${name}`, onclick: actions[name] }, t(`do ${name}`))]));
    this.bar = make("progress", { max: "1", value: "0", "aria-label": t("progressLabel") });
    this.line = make("p", { class: "state" });
    this.speed = make("p", { class: "small" });
    this.note = make("p", { class: "small", id: "no-images", hidden: true }, t("imagesNotStored"));
    this.announced = make("p", { class: "unseen", role: "status" }); // once an epoch: a screen reader could not follow more
    this.curves = new Curves();
    return make("div", { class: "card" }, make("div", { class: "group" }, ...Object.values(this.buttons)), this.note, this.bar, this.line, this.speed, this.announced, this.curves.element);
  }

  update(kind = "", value = 0) {
    const { view } = this, { session, form } = view, { run, isBusy } = session;
    if (kind === "loading") this.share = value;
    const isPaused = run?.status === "paused", [shown] = view.comparison.shown;
    const isTrained = Boolean(shown?.history.length), hasImages = shown?.hasImages ?? true;
    this.buttons.train.disabled = isBusy || !form.chosen;
    this.buttons.pause.disabled = !isBusy || run.status === "loading";
    this.buttons.pause.textContent = t(isPaused ? "do resume" : "do pause");
    this.buttons.stop.disabled = !isBusy;
    this.buttons.further.disabled = isBusy || !isTrained || !form.chosen || !hasImages;
    this.note.hidden = hasImages;
    this.buttons.reset.disabled = isBusy || !view.runs.length;
    this.bar.hidden = !isBusy;
    this.bar.value = run?.status === "loading" ? this.share : shareOf(run);
    this.line.textContent = this.sayState(run);
    this.speed.textContent = run?.passed || run?.spent ? this.saySpeed(run) : "";
    if (kind === "epoch" || kind === "status") this.announced.textContent = this.line.textContent;
    this.curves.update(view.comparison.runs);
  }

  sayState(run) {
    if (!run) return t("notTrained");
    const last = run.history.at(-1), accuracy = last ? t("validatedAt", { epoch: last.epoch, accuracy: percent(last.val_accuracy, 2), loss: number(last.val_loss, 4) }) : "";
    const epochs = (run.firstEpoch ?? 0) + run.recipe.epochs;
    const text = t(`is ${run.status}`, { number: run.number, share: percent(this.share, 0), epoch: Math.min(run.history.length + 1, epochs), epochs });
    const hidden = document.hidden && run.status === "running" ? t("isHidden") : "";
    return [text, accuracy, hidden].filter(Boolean).join(" ");
  }

  saySpeed(run) {
    const images = run.seen + (run.passed?.images ?? 0), seconds = run.spent + (run.passed?.seconds ?? 0), workers = this.view.session.crew?.threads.length ?? 1;
    return t("speed", { images: number(images / seconds, 0), seconds: number(seconds, 1), workers, seed: run.seed });
  }
}

function shareOf(run) {
  return run?.plan && run.last ? run.last.step / run.plan.steps : 0;
}
