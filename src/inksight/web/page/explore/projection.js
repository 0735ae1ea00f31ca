// Barcodes in two dimensions, as `inksight.embedding` projects them; tests compare the two.

const SHRINKAGE = 0.01; // of the correlations within a class towards 0
const NO_UNIT = 1e-6; // of the size of an entry: a smaller deviation within a class is a rounding error
const SWEEPS = 60; // of Jacobi's method at most; a few are enough

// Return {points (n rows of 2), share (2), method} of barcodes (n rows of f): the discriminants, the directions with the
// largest spread between classes relative to the spread within them; or the principal components, where there are
// less than three classes, or no two different images of one class. `share`: of the spread that each axis shows.
export function project(barcodes, labels, f) {
  const values = Float64Array.from(barcodes), n = labels.length, center = meanOf(values, f);
  const present = [...new Set(labels)].sort((a, b) => a - b), places = new Map(present.map((label, i) => [label, i]));
  const classes = Array.from(labels, (label) => places.get(label));
  const whitened = present.length > 2 ? whiten(values, classes, present.length, f) : null;
  const { axes, share } = whitened ? discriminants(whitened, center, f) : components(values, center, n, f);
  const points = new Float64Array(2 * n);
  for (let row = 0; row < n; row++)
    for (let i = 0; i < f; i++) {
      const difference = values[row * f + i] - center[i];
      points[2 * row] += difference * axes[0][i];
      points[2 * row + 1] += difference * axes[1][i];
    }
  return { points, share, method: whitened ? "discriminant" : "pca" };
}

function meanOf(values, f) {
  const mean = new Float64Array(f);
  values.forEach((value, i) => { mean[i % f] += value; });
  return mean.map((sum) => sum / (values.length / f));
}

// Return the class means, their sizes, and the matrix (f x f, lower triangular, to be transposed) that makes the
// covariance within classes the identity; null if there is no spread within classes.
function whiten(values, classes, count, f) {
  const n = classes.length, sizes = new Float64Array(count), means = new Float64Array(count * f);
  classes.forEach((one, row) => {
    sizes[one]++;
    for (let i = 0; i < f; i++) means[one * f + i] += values[row * f + i];
  });
  means.forEach((sum, i) => { means[i] = sum / sizes[Math.floor(i / f)]; });
  const residuals = values.map((value, i) => value - means[classes[Math.floor(i / f)] * f + (i % f)]), freedom = n - count;
  const root = (numbers, divisor) => {
    const squares = new Float64Array(f);
    numbers.forEach((value, i) => { squares[i % f] += value * value; });
    return squares.map((sum) => Math.sqrt(sum / divisor));
  };
  const within = root(residuals, Math.max(freedom, 1)), size = root(values, n);
  if (freedom < 1 || !within.some(Boolean)) return null;
  const deviation = within.map((value, i) => Math.max(value, NO_UNIT * size[i]) || 1);
  const correlation = products(residuals.map((value, i) => value / deviation[i % f]), n, f).map((sum) => ((1 - SHRINKAGE) * sum) / freedom);
  for (let i = 0; i < f; i++) correlation[i * f + i] = 1;
  return { means, sizes, inverse: invertFactor(correlation, f).map((value, i) => value / deviation[i % f]) };
}

// Return the sums over n rows of the products of all pairs of their f entries, (f x f).
function products(rows, n, f) {
  const sums = new Float64Array(f * f);
  for (let start = 0; start < n * f; start += f)
    for (let i = 0; i < f; i++) {
      const value = rows[start + i];
      for (let j = 0; j <= i; j++) sums[i * f + j] += value * rows[start + j];
    }
  for (let i = 0; i < f; i++) for (let j = 0; j < i; j++) sums[j * f + i] = sums[i * f + j];
  return sums;
}

// Return the inverse of the Cholesky factor of a positive definite matrix; both are lower triangular.
function invertFactor(matrix, f) {
  const lower = new Float64Array(f * f), inverse = new Float64Array(f * f);
  for (let i = 0; i < f; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * f + j];
      for (let k = 0; k < j; k++) sum -= lower[i * f + k] * lower[j * f + k];
      lower[i * f + j] = i === j ? Math.sqrt(sum) : sum / lower[j * f + j];
    }
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= lower[i * f + k] * inverse[k * f + j];
      inverse[i * f + j] = sum / lower[i * f + i];
    }
  }
  return inverse;
}

function discriminants({ means, sizes, inverse }, center, f) {
  const count = sizes.length, spread = new Float64Array(count * f);
  for (let one = 0; one < count; one++)
    for (let i = 0; i < f; i++)
      for (let j = 0; j <= i; j++) spread[one * f + i] += Math.sqrt(sizes[one]) * (means[one * f + j] - center[j]) * inverse[i * f + j];
  const { vectors, share } = principal(products(spread, count, f), f);
  const axes = vectors.map((vector) => Float64Array.from({ length: f }, (_, i) =>
    vector.reduce((sum, value, j) => sum + value * inverse[j * f + i], 0)));
  return { axes: axes.map(turned), share };
}

function components(values, center, n, f) {
  const { vectors, share } = principal(products(values.map((value, i) => value - center[i % f]), n, f), f);
  return { axes: vectors.map(turned), share };
}

// Return an axis with its largest entry positive: the sign is arbitrary.
function turned(axis) {
  const largest = axis.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return largest < 0 ? axis.map((value) => -value) : axis;
}

// Return the two eigenvectors of a symmetric matrix with the largest eigenvalues, and their shares of the sum of all:
// Jacobi's method. Zeros where the matrix has only one.
function principal(matrix, f) {
  const a = matrix.slice(), vectors = new Float64Array(f * f);
  for (let i = 0; i < f; i++) vectors[i * f + i] = 1;
  const total = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let rest = 0;
    for (let i = 0; i < f; i++) for (let j = 0; j < i; j++) rest += a[i * f + j] ** 2;
    if (rest <= 1e-28 * total) break;
    for (let p = 0; p < f; p++) for (let q = p + 1; q < f; q++) rotate(a, vectors, f, p, q);
  }
  const lengths = Float64Array.from({ length: f }, (_, i) => Math.max(a[i * f + i], 0)), sum = lengths.reduce((x, y) => x + y, 0);
  const order = Array.from(lengths.keys()).sort((x, y) => lengths[y] - lengths[x]);
  const pick = (rank, of, none) => (rank < f ? of(order[rank]) : none);
  return {
    vectors: [0, 1].map((rank) => pick(rank, (i) => vectors.slice(i * f, (i + 1) * f), new Float64Array(f))),
    share: [0, 1].map((rank) => pick(rank, (i) => (sum ? lengths[i] / sum : 0), 0)),
  };
}

// Make the entry (p, q) of a symmetric matrix zero by a rotation, which the rows of `vectors` collect.
function rotate(a, vectors, f, p, q) {
  const off = a[p * f + q];
  if (off === 0) return;
  const theta = (a[q * f + q] - a[p * f + p]) / (2 * off);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1), sine = tangent * cosine;
  const turn = (array, first, second, step) => {
    for (let i = 0; i < f; i++, first += step, second += step) {
      const x = array[first], y = array[second];
      array[first] = cosine * x - sine * y;
      array[second] = sine * x + cosine * y;
    }
  };
  turn(a, p, q, f); // columns
  turn(a, p * f, q * f, 1); // rows
  turn(vectors, p * f, q * f, 1);
}
