// The style of a digit, carried over to the others, as style.py says.

const FURTHEST = 3.9; // standard deviations from the mean that a style is carried over from
const SWEEPS = 30; // of Jacobi's method: a matrix of eight rows needs seven
const SMALLEST = 1e-30; // square of what is left beside the diagonal, over the diagonal's

/** The Gaussians of a model's labels, and the ways from one to another. */
export class Styles {
  #model;
  #gaussians; // of each label: mean (D,), covariance (D, D)
  #ways = new Map(); // label -> what carries a place in its Gaussian over to each of the others

  /** @param {Model} model  its components have names */
  constructor(model) {
    this.#model = model;
    /** Labels that components are named after, rising. */
    this.labels = [...new Set(model.componentNames)].filter((label) => label >= 0);
    this.labels.sort((a, b) => a - b);
    this.#gaussians = this.labels.map((label) => gaussianOf(model, label));
  }

  /**
   * Say what the other digits would look like in the style of one.
   *
   * @param {ArrayLike<number>} z  its latents, (D,)
   * @param {number} label  one of `labels`
   * @returns {Float32Array}  the latents of each of `labels`, (L, D)
   * @throws {Error} if no component is named after the label
   */
  latents(z, label) {
    const d = this.#model.dimension;
    const { inverse, matrices } = this.#waysFrom(label);
    const { mean } = this.#gaussians[this.labels.indexOf(label)];
    const offset = Float64Array.from(mean, (value, i) => z[i] - value);
    const distance = Math.sqrt(times(inverse, offset, d).reduce((sum, v) => sum + v * v, 0));
    const nearer = Math.min(1, FURTHEST / Math.max(distance, 1e-12));
    const latents = new Float32Array(this.labels.length * d);
    matrices.forEach((matrix, l) => {
      const moved = times(matrix, offset, d);
      const { mean: other } = this.#gaussians[l];
      for (let i = 0; i < d; i++) latents[l * d + i] = other[i] + nearer * moved[i];
    });
    return latents;
  }

  // Optimal transport between two Gaussians: S^(-1/2) (S^(1/2) S' S^(1/2))^(1/2) S^(-1/2).
  #waysFrom(label) {
    if (!this.#ways.has(label)) {
      const own = this.labels.indexOf(label);
      if (own < 0)
        throw new Error(
          `label must be one that a component is named after; got label=${label}.`,
        );
      const d = this.#model.dimension;
      const [root, inverse] = [0.5, -0.5].map((power) =>
        raised(this.#gaussians[own].covariance, power, d),
      );
      const between = (inner, outer) => product(product(outer, inner, d), outer, d);
      const matrices = this.#gaussians.map(({ covariance }) =>
        between(raised(between(covariance, root), 0.5, d), inverse),
      );
      this.#ways.set(label, { inverse, matrices });
    }
    return this.#ways.get(label);
  }
}

/** The components named after a label, taken for one Gaussian. */
function gaussianOf(model, label) {
  const { dimension: d, means, covariances, componentNames } = model;
  const chosen = [...componentNames.keys()].filter((k) => componentNames[k] === label);
  const weights = chosen.map((k) => Math.max(model.weights[k], 1e-300));
  const total = weights.reduce((a, b) => a + b);
  const [mean, covariance] = [new Float64Array(d), new Float64Array(d * d)];
  chosen.forEach((k, n) => {
    for (let i = 0; i < d; i++) mean[i] += (weights[n] / total) * means[k * d + i];
  });
  chosen.forEach((k, n) => {
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++) {
        const away = (means[k * d + i] - mean[i]) * (means[k * d + j] - mean[j]);
        covariance[i * d + j] += (weights[n] / total) * (covariances[(k * d + i) * d + j] + away);
      }
  });
  return { mean, covariance };
}

/** A symmetric positive definite matrix (D, D) to a power. */
function raised(matrix, power, d) {
  const { values, vectors } = eigen(matrix, d);
  const result = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++)
      for (let k = 0; k < d; k++)
        result[i * d + j] += vectors[i * d + k] * values[k] ** power * vectors[j * d + k];
  return result;
}

/**
 * Eigenvalues and eigenvectors (in columns) of a symmetric matrix: one element beside the diagonal
 * after the other is turned to zero.
 *
 * Source: Golub and Van Loan, Matrix Computations, 8.5 (Jacobi's method).
 */
function eigen(matrix, d) {
  const a = Float64Array.from(matrix);
  const vectors = new Float64Array(d * d);
  for (let i = 0; i < d; i++) vectors[i * d + i] = 1;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let [beside, diagonal] = [0, 0];
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++)
        if (i === j) diagonal += a[i * d + j] ** 2;
        else beside += a[i * d + j] ** 2;
    if (beside <= SMALLEST * diagonal) break;
    for (let p = 0; p < d; p++)
      for (let q = p + 1; q < d; q++) if (a[p * d + q] !== 0) turn(a, vectors, p, q, d);
  }
  return { values: Float64Array.from({ length: d }, (_, i) => a[i * d + i]), vectors };
}

function turn(a, vectors, p, q, d) {
  const tau = (a[q * d + q] - a[p * d + p]) / (2 * a[p * d + q]);
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
  const c = 1 / Math.sqrt(1 + t * t);
  const s = t * c;
  const rotate = (array, x, y) => {
    const [u, v] = [array[x], array[y]];
    [array[x], array[y]] = [c * u - s * v, s * u + c * v];
  };
  for (let k = 0; k < d; k++) rotate(a, k * d + p, k * d + q);
  for (let k = 0; k < d; k++) rotate(a, p * d + k, q * d + k);
  for (let k = 0; k < d; k++) rotate(vectors, k * d + p, k * d + q);
}

function product(a, b, d) {
  const result = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let k = 0; k < d; k++)
      for (let j = 0; j < d; j++) result[i * d + j] += a[i * d + k] * b[k * d + j];
  return result;
}

function times(matrix, vector, d) {
  return Float64Array.from({ length: d }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += matrix[i * d + j] * vector[j];
    return sum;
  });
}
