// The answer: the digit or why there is none, the probabilities, and the steps from the picture to what the network sees.

import { paint, picture } from "./colors.js";
import { byId, make } from "./dom.js";
import { Bars } from "./overview.js";
import { ranking } from "./reading.js";
import { number, percent, t } from "./texts.js";

export class Answer {
  constructor(model) {
    this.model = model;
    this.bars = new Bars(model.classNames);
    byId("bars").replaceChildren(this.bars.element);
    this.steps = ["gray", "ink", "input"].map((name) => {
      const canvas = picture("images", t(name));
      return { name, canvas, element: make("figure", {}, canvas, make("figcaption", {}, t(name))) };
    });
    byId("steps").replaceChildren(...this.steps.map(({ element }) => element));
  }

  show({ prepared, stages, answer, margin }) {
    const { problem, gray, ink, image, height, width } = prepared, { reason } = answer;
    const digit = reason ? (problem ? "" : "?") : this.model.classNames[answer.digit];
    for (const id of ["digit", "nav-digit"]) byId(id).textContent = digit;
    byId("digit").classList.toggle("rejected", reason !== "");
    const share = percent(answer.confidence);
    byId("nav-share").textContent = problem ? t("noAnswer") : reason ? t(`${reason} short`) : share;
    byId("reason").textContent = reason ? this.reasonText(reason, stages, margin) : t("sure", { share });
    this.bars.update(stages?.probabilities, answer);
    const shown = { gray: [gray.map((value) => 1 - value), width, height], ink: [ink, width, height], input: [Float32Array.from(image, (value) => value / 255), 28, 28] };
    for (const { name, canvas } of this.steps) paint(canvas, ...shown[name], 0, 1);
    byId("ink-kind").textContent = problem ? "" : t(prepared.dark ? "darkInk" : "lightInk");
  }

  reasonText(reason, stages, margin) {
    if (!stages) return t(reason);
    const { classNames: names, detector } = this.model, [first, second] = ranking(stages.probabilities);
    const values = { name: names[first], other: names[second], share: percent(stages.probabilities[first]), otherShare: percent(stages.probabilities[second]) };
    const scores = detector && { score: number(margin + detector.threshold), limit: number(detector.threshold) };
    return t(reason, { ...values, ...scores });
  }

  // Tell the answer to those who do not see it.
  announce() {
    byId("status").textContent = `${byId("digit").textContent} ${byId("reason").textContent}`;
  }
}
