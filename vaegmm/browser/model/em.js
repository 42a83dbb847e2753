// Expectation and maximization in the page, as mixture/em.py and ascent.py compute them: for some
// thousand points, exactly, one half step at a time.
//
// Parameters are `{weights (K,), means (K, D), covariances (K, D, D)}`, matrices for every type.

import { Mixture } from "./mixture.js";

export const COVARIANCE_TYPES = ["full", "tied", "diag", "spherical"];

const EMPTY = 1e-3; // points; a component that expects fewer has lost all
const LOG_2PI = Math.log(2 * Math.PI);

/** What no covariance can be made of. */
export class UnsoundError extends Error {}

/**
 * Make a mixture ready to be evaluated.
 *
 * @param {Parameters} parameters
 * @returns {Mixture}
 * @throws {UnsoundError} if a covariance is not positive definite
 */
export function mixtureOf({ weights, means, covariances }) {
  return new Mixture(weights, means, precisionsCholesky(covariances, weights.length));
}

/**
 * The E-step: r_nk = w_k N(z_n | mu_k, Sigma_k) / sum_j w_j N(z_n | mu_j, Sigma_j).
 *
 * @param {Mixture} mixture
 * @param {ArrayLike<number>} z  (N, D)
 * @param {Uint16Array} [hints]  (N,): a likely component of each point, which makes it faster
 * @returns {{responsibilities: Float64Array, components: Uint16Array, logLikelihoods:
 *   Float64Array, logLikelihood: number}}  (N, K); the likeliest of each, (N,); log p(z), in nats,
 *   (N,), and its mean
 */
export function eStep(mixture, z, hints = null) {
  const { nComponents: k, dimension } = mixture;
  const n = z.length / dimension;
  const responsibilities = new Float64Array(n * k);
  const components = new Uint16Array(n);
  const logLikelihoods = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const likely = hints && hints[i] < k ? hints[i] : 0;
    const at = mixture.at(z, i, likely);
    responsibilities.set(at.responsibilities, i * k);
    components[i] = indexOfGreatest(at.responsibilities);
    logLikelihoods[i] = at.logLikelihood;
    sum += at.logLikelihood;
  }
  return { responsibilities, components, logLikelihoods, logLikelihood: sum / n };
}

/**
 * The M-step: N_k = sum_n r_nk, w_k = N_k / N, mu_k = 1/N_k sum_n r_nk z_n,
 * Sigma_k = 1/N_k sum_n r_nk (z_n - mu_k)(z_n - mu_k)^T.
 *
 * @param {ArrayLike<number>} z  (N, D)
 * @param {Float64Array} responsibilities  (N, K)
 * @param {number} k
 * @param {{covarianceType: string, regCovar: number}} settings
 * @param {ArrayLike<number>} [origin]  (K, D): the means of components without points
 * @returns {Parameters}
 */
export function mStep(z, responsibilities, k, { covarianceType, regCovar }, origin = null) {
  const n = responsibilities.length / k;
  const d = z.length / n;
  const weights = new Float64Array(k);
  const means = new Float64Array(k * d);
  for (let i = 0; i < n; i++)
    for (let c = 0; c < k; c++) {
      const r = responsibilities[i * k + c];
      if (r === 0) continue;
      weights[c] += r;
      for (let j = 0; j < d; j++) means[c * d + j] += r * z[i * d + j];
    }
  for (let c = 0; c < k; c++)
    for (let j = 0; j < d; j++) {
      if (weights[c] > 0) means[c * d + j] /= weights[c];
      else means[c * d + j] = origin ? origin[c * d + j] : 0;
    }
  const covariances = new Float64Array(k * d * d);
  const centred = new Float64Array(d);
  for (let i = 0; i < n; i++)
    for (let c = 0; c < k; c++) {
      const r = responsibilities[i * k + c];
      if (r === 0) continue;
      for (let j = 0; j < d; j++) centred[j] = z[i * d + j] - means[c * d + j];
      for (let a = 0, at = c * d * d; a < d; a++)
        for (let b = 0; b < d; b++) covariances[at++] += r * centred[a] * centred[b];
    }
  for (let c = 0; c < k; c++) {
    if (weights[c] > 0)
      for (let at = c * d * d; at < (c + 1) * d * d; at++) covariances[at] /= weights[c];
    weights[c] /= n;
  }
  pool(covariances, weights, d, covarianceType);
  for (let c = 0; c < k; c++)
    for (let a = 0; a < d; a++) covariances[(c * d + a) * d + a] += regCovar;
  return { weights, means, covariances };
}

/**
 * The lower bound that the E-step before has raised to the likelihood, after the M-step: with
 * q = r_nk, E_q[log p(z, k)] + H(q), a point. It follows from both steps' parameters alone, as
 * mixture/recording.py tells.
 *
 * @param {Parameters} before
 * @param {Parameters} after  what the M-step made of them, before any reseeding
 * @param {number} logLikelihood  of `before`, the mean, in nats
 * @param {number} regCovar
 * @returns {number}  in nats a point
 */
export function lowerBound(before, after, logLikelihood, regCovar) {
  const k = before.weights.length;
  const d = before.means.length / k;
  const [old, now] = [before, after].map((p) => precisionsCholesky(p.covariances, k));
  let bound = logLikelihood;
  for (let c = 0; c < k; c++) {
    const weight = after.weights[c];
    if (weight === 0) continue;
    const expected = (parameters, roots) => {
      let value = Math.log(parameters.weights[c]) - (d * LOG_2PI) / 2;
      for (let j = 0; j < d; j++) {
        value += Math.log(roots[(c * d + j) * d + j]);
        let shifted = 0; // of the mean, in deviations along column j of P
        let spread = 0; // tr(P^T S P), column by column
        for (let a = 0; a <= j; a++) {
          const root = roots[(c * d + a) * d + j];
          shifted += root * (after.means[c * d + a] - parameters.means[c * d + a]);
          let product = -regCovar * root;
          for (let b = 0; b <= j; b++)
            product += after.covariances[(c * d + a) * d + b] * roots[(c * d + b) * d + j];
          spread += root * product;
        }
        value -= (spread + shifted * shifted) / 2;
      }
      return value;
    };
    bound += weight * (expected(after, now) - expected(before, old));
  }
  return bound;
}

/**
 * Let components that have lost their points begin again at those that are explained worst.
 *
 * @param {Parameters} parameters  as the M-step left them; they are changed
 * @param {ArrayLike<number>} z  (N, D)
 * @param {Float64Array} logLikelihoods  of the points before the M-step, (N,)
 * @returns {number[]}  the components that began again
 */
export function reseed(parameters, z, logLikelihoods) {
  const { weights, means, covariances } = parameters;
  const [n, k] = [logLikelihoods.length, weights.length];
  const d = means.length / k;
  const empty = [...weights.keys()].filter((c) => weights[c] * n < EMPTY);
  if (!empty.length) return empty;
  const worst = distinctWorst(z, d, logLikelihoods, empty.length);
  const begun = empty.slice(0, worst.length);
  for (const c of begun) weights[c] = 0;
  const rest = weights.reduce((a, b) => a + b);
  const average = new Float64Array(d * d);
  for (let c = 0; c < k; c++)
    for (let at = 0; at < d * d; at++)
      average[at] += (weights[c] / rest) * covariances[c * d * d + at];
  for (let c = 0; c < k; c++) weights[c] /= rest;
  begun.forEach((c, i) => {
    means.set(z.slice(worst[i] * d, (worst[i] + 1) * d), c * d);
    covariances.set(average, c * d * d);
    weights[c] = 1 / k;
  });
  const total = weights.reduce((a, b) => a + b);
  for (let c = 0; c < k; c++) weights[c] /= total;
  return begun;
}

/** How many numbers a mixture may choose: for BIC. */
export function nParameters(k, d, covarianceType) {
  const full = (d * (d + 1)) / 2;
  return k - 1 + k * d + { full: k * full, tied: full, diag: k * d, spherical: k }[covarianceType];
}

/**
 * P, upper triangular, with inv(Sigma) = P P^T, for each of K matrices.
 *
 * @throws {UnsoundError} if one is not positive definite
 */
export function precisionsCholesky(covariances, k) {
  const d = Math.sqrt(covariances.length / k);
  const roots = new Float64Array(k * d * d);
  const lower = new Float64Array(d * d);
  for (let c = 0; c < k; c++) {
    for (let row = 0; row < d; row++)
      for (let column = 0; column <= row; column++) {
        let value = covariances[(c * d + row) * d + column];
        for (let i = 0; i < column; i++) value -= lower[row * d + i] * lower[column * d + i];
        if (row === column) {
          if (!(value > 0))
            throw new UnsoundError(
              `Cluster ${c} has closed in on too few points. Raise reg_covar, or choose fewer.`,
            );
          lower[row * d + row] = Math.sqrt(value);
        } else lower[row * d + column] = value / lower[column * d + column];
      }
    // P is the transpose of the inverse of the lower triangle, column by column.
    for (let column = 0; column < d; column++)
      for (let row = column; row < d; row++) {
        let value = row === column ? 1 : 0;
        for (let i = column; i < row; i++)
          value -= lower[row * d + i] * roots[(c * d + column) * d + i];
        roots[(c * d + column) * d + row] = value / lower[row * d + row];
      }
  }
  return roots;
}

// What each type leaves of the components' own covariances, as matrices.
function pool(covariances, weights, d, type) {
  const k = weights.length;
  if (type === "tied") {
    const total = weights.reduce((a, b) => a + b);
    const average = new Float64Array(d * d);
    for (let c = 0; c < k; c++)
      for (let at = 0; at < d * d; at++)
        average[at] += (weights[c] / total) * covariances[c * d * d + at];
    for (let c = 0; c < k; c++) covariances.set(average, c * d * d);
  } else if (type !== "full")
    for (let c = 0; c < k; c++) {
      let mean = 0;
      for (let a = 0; a < d; a++) mean += covariances[(c * d + a) * d + a] / d;
      for (let a = 0; a < d; a++)
        for (let b = 0; b < d; b++) {
          const at = (c * d + a) * d + b;
          if (a !== b) covariances[at] = 0;
          else if (type === "spherical") covariances[at] = mean;
        }
    }
}

function distinctWorst(z, d, logLikelihoods, n) {
  const order = Uint32Array.from(logLikelihoods.keys());
  order.sort((a, b) => logLikelihoods[a] - logLikelihoods[b] || a - b);
  const chosen = [];
  for (const i of order) {
    if (chosen.length === n) break;
    const isOther = (other) => {
      for (let j = 0; j < d; j++) if (z[i * d + j] !== z[other * d + j]) return true;
      return false;
    };
    if (chosen.every(isOther)) chosen.push(i);
  }
  return chosen;
}

function indexOfGreatest(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
