// What a network makes of labeled images: its predictions, confusions, hardest images, and the labels that it doubts.

// Return the judgments on n labels by the logits (n rows, a column for each class):
// `predictions` (n) and `confusion` (classes x classes: label, prediction), as `inksight.evaluate`;
// `suggested` (n): the most probable class other than the label;
// `probability` (n): of the label; `hardest` (n): rows with the lowest first;
// `doubt` (n): log ratio of the probabilities of the suggested class and the label; `doubtful`: rows above 0, highest first.
export function judge(logits, labels, classes) {
  const n = labels.length;
  const predictions = new Uint16Array(n), suggested = new Uint16Array(n);
  const logProbability = new Float64Array(n), doubt = new Float64Array(n), confusion = new Uint32Array(classes ** 2);
  for (let row = 0; row < n; row++) {
    const values = logits.subarray(row * classes, (row + 1) * classes), label = labels[row];
    let other = label === 0 ? 1 : 0, highest = 0;
    for (let i = 1; i < classes; i++) {
      if (values[i] > values[highest]) highest = i;
      if (i !== label && values[i] > values[other]) other = i;
    }
    let sum = 0;
    for (const value of values) sum += Math.exp(value - values[highest]);
    predictions[row] = highest;
    suggested[row] = other;
    logProbability[row] = values[label] - values[highest] - Math.log(sum); // log: many are rounded to 0 or 1
    doubt[row] = values[other] - values[label];
    confusion[label * classes + highest]++;
  }
  const rows = Uint32Array.from({ length: n }, (_, row) => row);
  return {
    predictions, suggested, doubt, confusion,
    probability: logProbability.map(Math.exp),
    hardest: rows.slice().sort((a, b) => logProbability[a] - logProbability[b] || a - b),
    doubtful: rows.filter((row) => doubt[row] > 0).sort((a, b) => doubt[b] - doubt[a] || a - b),
  };
}

// Return how the predictions for images changed: the number that were right and are right now, and how many became
// wrong, or right.
export function compare(before, now, labels) {
  const counts = { before: 0, now: 0, lost: 0, won: 0 };
  labels.forEach((label, row) => {
    const was = before[row] === label, is = now[row] === label;
    counts.before += was;
    counts.now += is;
    counts.lost += was && !is;
    counts.won += !was && is;
  });
  return counts;
}
