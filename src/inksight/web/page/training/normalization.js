// The mean and the variance of training images, as `inksight.nn.normalization.Normalization.fit`.

// Return {mean, variance, count} of pixels (Uint8Array), scaled to 0..1 and rounded to single precision.
export function normalizationOf(pixels) {
  const counts = new Float64Array(256);
  for (let i = 0; i < pixels.length; i++) counts[pixels[i]] += 1;
  let total = 0n, squares = 0n; // exact
  counts.forEach((count, value) => {
    total += BigInt(count) * BigInt(value);
    squares += BigInt(count) * BigInt(value * value);
  });
  const count = pixels.length, all = BigInt(count);
  const mean = Number(total) / (255 * count), variance = Number(all * squares - total * total) / (255 * count) ** 2;
  return { mean: Math.fround(mean), variance: Math.fround(variance), count: Math.fround(count) };
}
