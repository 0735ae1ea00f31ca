// The network's sums written out: one value of a feature map, and the evidence in a barcode. The engine computes the same
// values; tests compare them.

// Return a window of the input of a bank (channels last) for one channel, row by row.
export function windowOf({ k, channels }, input, side, channel, row, column) {
  return Float32Array.from({ length: k * k }, (_, place) =>
    input[((row + Math.floor(place / k)) * side + column + (place % k)) * channels + channel]);
}

// Return the sum of weights times input over one window, for each channel.
export function channelSums(bank, input, side, filter, row, column) {
  const { k, channels, filters, kernel } = bank;
  return Float64Array.from({ length: channels }, (_, channel) =>
    windowOf(bank, input, side, channel, row, column).reduce(
      (sum, value, place) => sum + value * kernel[(place * channels + channel) * filters + filter], 0));
}

// Return how a value of a feature map comes about: the window of each convolution that is pooled, their sums, which of
// them is the highest, and what bias and leaky ReLU make of it.
export function explainValue(bank, input, side, filter, row, column) {
  const { pool, bias, leak } = bank;
  const windows = Array.from({ length: pool * pool }, (_, i) => {
    const at = { row: row * pool + Math.floor(i / pool), column: column * pool + (i % pool) };
    const sums = channelSums(bank, input, side, filter, at.row, at.column);
    return { ...at, sums, total: sums.reduce((sum, value) => sum + value, 0) };
  });
  const best = windows.reduce((best, { total }, i) => (total > windows[best].total ? i : best), 0);
  const biased = windows[best].total + bias[filter];
  return { windows, best, bias: bias[filter], biased, value: biased > 0 ? biased : leak * biased };
}

// Divide the margin of class a over class b among the entries of a barcode, as `inksight.evidence` does: integrated
// gradients from the barcode `baseline`, whose integral is exact. The values sum to margin - baselineMargin.
export function evidence(rest, leak, baseline, barcode, a, b) {
  const output = rest.at(-1), classes = output.bias.length;
  const slopes = Float64Array.from({ length: output.kernel.length / classes }, (_, i) => output.kernel[i * classes + a] - output.kernel[i * classes + b]);
  const offset = output.bias[a] - output.bias[b];
  const marginOf = (inputs) => inputs.reduce((sum, value, i) => sum + value * slopes[i], offset);
  let gradient = slopes, ends = [baseline, barcode].map((entries) => Float64Array.from(entries));
  const changes = Float64Array.from(barcode, (value, i) => value - baseline[i]);
  if (rest.length > 1) {
    const { kernel, bias } = rest[0], units = bias.length;
    const relu = (z) => (z > 0 ? z : leak * z);
    const inputs = ends.map((entries) => Float64Array.from(bias, (start, unit) =>
      entries.reduce((sum, value, i) => sum + value * kernel[i * units + unit], start)));
    ends = inputs.map((z) => z.map(relu));
    const weighted = slopes.map((slope, unit) => {
      const [from, to] = [inputs[0][unit], inputs[1][unit]];
      return slope * (to === from ? (from > 0 ? 1 : leak) : (relu(to) - relu(from)) / (to - from));
    });
    gradient = changes.map((_, i) => weighted.reduce((sum, value, unit) => sum + value * kernel[i * units + unit], 0));
  }
  const [baselineMargin, margin] = ends.map(marginOf);
  return { values: changes.map((change, i) => change * gradient[i]), baselineMargin, margin };
}
