// The Gaussian mixture of the latent space, one z at a time, as mixture/ computes it.

const LOG_2PI = Math.log(2 * Math.PI);
// A component that is less likely than another by this factor, in nats, has no say: 1e-22.
const NO_SAY = 50;
const LEAST_WEIGHT = 2.2250738585072014e-308; // float64's smallest normal: its logarithm is finite

/** p(z) = sum_k weights_k N(z | means_k, covariances_k), with inv(covariances_k) = P P^T. */
export class Mixture {
  /**
   * @param {ArrayLike<number>} weights  (K,)
   * @param {ArrayLike<number>} means  (K, D), row by row
   * @param {ArrayLike<number>} precisionsCholesky  P, upper triangular, (K, D, D)
   */
  constructor(weights, means, precisionsCholesky) {
    const k = weights.length;
    const d = means.length / k;
    [this.nComponents, this.dimension, this.means] = [k, d, means];
    this.constants = new Float64Array(k); // log density at the mean
    // P^T's rows up to the diagonal, in the order in which they are used.
    this.rows = new Float64Array((k * d * (d + 1)) / 2);
    this.joint = new Float64Array(k);
    this.point = new Float64Array(d);
    this.centred = new Float64Array(d);
    for (let c = 0, at = 0; c < k; c++) {
      this.constants[c] = Math.log(Math.max(weights[c], LEAST_WEIGHT)) - (d * LOG_2PI) / 2;
      for (let row = 0; row < d; row++) {
        this.constants[c] += Math.log(precisionsCholesky[(c * d + row) * d + row]);
        for (let i = 0; i <= row; i++) this.rows[at++] = precisionsCholesky[(c * d + i) * d + row];
      }
    }
  }

  /**
   * Compute p(k | z) and log p(z) in nats.
   *
   * @param {ArrayLike<number>} z  latents, (N, D)
   * @param {number} n  which of them
   * @param {number} likely  a component that is near, where one is known: others end early
   * @returns {{responsibilities: Float64Array, logLikelihood: number}}  (K,), valid until the next
   *   call
   */
  at(z, n = 0, likely = 0) {
    const { joint, nComponents, dimension } = this;
    for (let i = 0; i < dimension; i++) this.point[i] = z[n * dimension + i];
    let top = (joint[likely] = this.logJoint(likely, -Infinity));
    for (let c = 0; c < nComponents; c++) {
      if (c !== likely) joint[c] = this.logJoint(c, top - NO_SAY);
      if (joint[c] > top) top = joint[c];
    }
    let sum = 0;
    for (let c = 0; c < nComponents; c++)
      sum += joint[c] = joint[c] < top - NO_SAY ? 0 : Math.exp(joint[c] - top);
    for (let c = 0; c < nComponents; c++) joint[c] /= sum;
    return { responsibilities: joint, logLikelihood: top + Math.log(sum) };
  }

  /** log w_k + log N(point | k) in nats, or -Infinity once it is known to be below `least`. */
  logJoint(component, least) {
    const { rows, means, point, centred, dimension } = this;
    let at = (component * dimension * (dimension + 1)) / 2;
    let density = this.constants[component];
    for (let row = 0; row < dimension; row++) {
      centred[row] = point[row] - means[component * dimension + row];
      let y = 0;
      for (let i = 0; i <= row; i++) y += rows[at++] * centred[i];
      density -= (y * y) / 2;
      if (density < least) return -Infinity;
    }
    return density;
  }
}
