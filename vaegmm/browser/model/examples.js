// A few labelled images that a model has also seen: small components beside its mixture, as
// examples.py computes them.

const SPREAD = 0.4; // covariance, in units of the mean covariance within the mixture's components
const MASS = 0.02; // weight of an example's component, where those of the mixture sum to 1
const REACH = 3; // squared Mahalanobis distance up to which an example has a say, for each latent
const LOG_2PI = Math.log(2 * Math.PI);

/** Labelled points of the latent space that vote for their labels. */
export class Examples {
  /**
   * @param {object} parts
   * @param {Float32Array} parts.latents  z, (E, D)
   * @param {Int32Array} parts.labels  (E,)
   * @param {Float64Array} parts.weights  positive, in examples, (E,): a drawing's views share 1
   * @param {Float64Array} parts.covariance  (D, D)
   * @param {number} [parts.mass]  the weight of one example's component
   */
  constructor({ latents, labels, weights, covariance, mass = MASS }) {
    Object.assign(this, { latents, labels, weights, covariance, mass });
    const d = Math.sqrt(covariance.length);
    [this.dimension, this.length] = [d, labels.length];
    this.root = inverse(cholesky(covariance, d), d);
    let constant = (-d * LOG_2PI) / 2;
    for (let i = 0; i < d; i++) constant += Math.log(this.root[i * d + i]);
    this.heights = Float64Array.from(weights, (weight) => Math.log(mass * weight) + constant);
    this.centres = new Float64Array(latents.length); // whitened
    for (let e = 0; e < this.length; e++) this.#whiten(latents, e, this.centres, e);
    this.point = new Float64Array(d);
    this.joint = new Float64Array(this.length);
  }

  /** No examples yet, as wide as suits a model's mixture. */
  static beside({ weights, covariances, dimension }) {
    const covariance = new Float64Array(dimension ** 2);
    for (let k = 0; k < weights.length; k++)
      for (let i = 0; i < covariance.length; i++)
        covariance[i] += SPREAD * weights[k] * covariances[k * covariance.length + i];
    return new Examples({
      ...{ latents: new Float32Array(0), labels: new Int32Array(0), weights: new Float64Array(0) },
      covariance,
    });
  }

  /** How many examples these are, the views of one drawing being one. */
  get count() {
    return Math.max(1, Math.round(this.weights.reduce((sum, weight) => sum + weight, 0)));
  }

  /** These examples and some more: z (N, D), labels (N,) and weights (N,). */
  withMore(latents, labels, weights) {
    return new Examples({
      latents: Float32Array.of(...this.latents, ...latents),
      labels: Int32Array.of(...this.labels, ...labels),
      weights: Float64Array.of(...this.weights, ...weights),
      covariance: this.covariance,
      mass: this.mass,
    });
  }

  /**
   * Add the share of each label at a point to `votes`.
   *
   * @param {ArrayLike<number>} z  (N, D)
   * @param {number} n  which of them
   * @param {number} logLikelihood  log p(z) under the mixture alone, in nats
   * @param {Float32Array | Float64Array} votes  (C,)
   * @param {number} [share]  what they are multiplied by
   */
  vote(z, n, logLikelihood, votes, share = 1) {
    const { dimension, joint, heights, centres, labels, point } = this;
    this.#whiten(z, n, point, 0);
    const reach = REACH * dimension;
    let top = logLikelihood;
    for (let e = 0, at = 0; e < this.length; e++, at += dimension) {
      let squared = 0;
      for (let i = 0; i < dimension && squared <= reach; i++)
        squared += (point[i] - centres[at + i]) ** 2;
      joint[e] = squared <= reach ? heights[e] - squared / 2 : -Infinity;
      if (joint[e] > top) top = joint[e];
    }
    let total = Math.exp(logLikelihood - top);
    for (let e = 0; e < this.length; e++) total += joint[e] = Math.exp(joint[e] - top);
    for (let e = 0; e < this.length; e++) votes[labels[e]] += (share * joint[e]) / total;
  }

  /** Write inv(L) z into row m of `out`, with covariance = L L^T. */
  #whiten(z, n, out, m) {
    const { dimension: d, root } = this;
    for (let row = 0; row < d; row++) {
      let sum = 0;
      for (let i = 0; i <= row; i++) sum += root[row * d + i] * z[n * d + i];
      out[m * d + row] = sum;
    }
  }
}

/** Lower triangular L with matrix = L L^T, (D, D). */
function cholesky(matrix, d) {
  const lower = new Float64Array(d * d);
  for (let row = 0; row < d; row++)
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * d + column];
      for (let i = 0; i < column; i++) sum -= lower[row * d + i] * lower[column * d + i];
      lower[row * d + column] = row === column ? Math.sqrt(sum) : sum / lower[column * d + column];
    }
  return lower;
}

/** The inverse of a lower triangular matrix, (D, D). */
function inverse(lower, d) {
  const inverted = new Float64Array(d * d);
  for (let column = 0; column < d; column++)
    for (let row = column; row < d; row++) {
      let sum = row === column ? 1 : 0;
      for (let i = column; i < row; i++) sum -= lower[row * d + i] * inverted[i * d + column];
      inverted[row * d + column] = sum / lower[row * d + row];
    }
  return inverted;
}
