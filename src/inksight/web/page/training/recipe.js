// What a recipe says about each step, as `inksight.config.Recipe` and `inksight.training.batches.Batches` do.

// Return the learning rate after a share of the steps.
export function learningRateAt({ schedule, learning_rate: rate, warmup }, share) {
  if (schedule === "constant") return rate;
  if (share < warmup) return (rate * share) / warmup;
  return (rate * (1 - share)) / Math.max(1 - warmup, 1e-9);
}

// Return the plan of a training: images in a batch, steps in a pass and in an epoch, and all steps.
export function planOf({ batch_size: most, passes, epochs }, images) {
  const size = Math.min(most, images), perPass = Math.ceil(images / size);
  return { size, perPass, perEpoch: perPass * passes, steps: perPass * passes * epochs };
}

// Return which share of the augmentation is left in a pass, both counted from 0.
export function augmentationLeft({ taper, passes, epochs }, epoch, pass) {
  return 1 - taper * ((epoch + pass / passes) / epochs);
}
