// Training: the form, the course of a training, and what comes of it.

import { addTexts } from "../texts.js";

export async function open(container, app) {
  await addTexts("texts/training");
  return { show: () => {}, update: () => {} };
}
