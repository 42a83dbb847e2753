// Where EM begins in the page: means chosen in one of the ways of mixture/start.py, and what an
// M-step makes of the points that are nearest to them. The random numbers are not Python's.

import { mStep } from "./em.js";

/** Kinds of start, as people call them. */
export const STARTS = {
  kmeans: "k-means",
  "k-means++": "k-means++",
  random_from_data: "random points",
  random: "random shares",
};

const LLOYD_ROUNDS = 50;
const LLOYD_TOL = 1e-4; // of a variance, by which all centres together still move

/**
 * Choose where EM begins.
 *
 * @param {Float32Array} z  (N, D)
 * @param {number} d
 * @param {object} settings  nComponents, start (of STARTS), covarianceType, regCovar, seed
 * @returns {Parameters}
 */
export function begin(z, d, settings) {
  const { nComponents: k, start, seed } = settings;
  const draw = randomNumbers(seed);
  const n = z.length / d;
  if (start === "random") {
    const shares = Float64Array.from({ length: n * k }, draw);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let c = 0; c < k; c++) sum += shares[i * k + c];
      for (let c = 0; c < k; c++) shares[i * k + c] /= sum;
    }
    return mStep(z, shares, k, settings);
  }
  let means = rowsOf(
    z,
    d,
    start === "random_from_data" ? sampled(n, k, draw) : kmeansPlusPlus(z, d, k, draw),
  );
  if (start === "kmeans") means = lloyd(z, d, means);
  return beginNear(z, means, settings);
}

/**
 * Begin at given means: weights and covariances are those of the points nearest to each; the means
 * stay where they were put.
 *
 * @param {Float32Array} z  (N, D)
 * @param {ArrayLike<number>} means  (K, D)
 * @param {{covarianceType: string, regCovar: number}} settings
 * @returns {Parameters}
 */
export function beginAt(z, means, settings) {
  const parameters = beginNear(z, means, settings);
  return { ...parameters, means: Float64Array.from(means) };
}

// One M-step on the points nearest to each mean.
function beginNear(z, means, settings) {
  const k = settings.nComponents;
  const d = means.length / k;
  const labels = nearestOf(z, d, means);
  const shares = new Float64Array(labels.length * k);
  labels.forEach((label, i) => (shares[i * k + label] = 1));
  return mStep(z, shares, k, settings, means);
}

/** Move every centre to the mean of the points nearest to it, until they stand, (K, D). */
export function lloyd(z, d, centres) {
  const k = centres.length / d;
  const n = z.length / d;
  const enough = LLOYD_TOL * variance(z, d);
  let now = Float64Array.from(centres);
  for (let round = 0; round < LLOYD_ROUNDS; round++) {
    const labels = nearestOf(z, d, now);
    const next = new Float64Array(k * d);
    const counts = new Float64Array(k);
    for (let i = 0; i < n; i++) {
      counts[labels[i]]++;
      for (let j = 0; j < d; j++) next[labels[i] * d + j] += z[i * d + j];
    }
    let moved = 0;
    for (let c = 0; c < k; c++)
      for (let j = 0; j < d; j++) {
        next[c * d + j] = counts[c] ? next[c * d + j] / counts[c] : now[c * d + j];
        moved += (next[c * d + j] - now[c * d + j]) ** 2;
      }
    now = next;
    if (moved <= enough) break;
  }
  return now;
}

/** The nearest of some means of every point, (N,). */
export function nearestOf(z, d, means) {
  const k = means.length / d;
  const n = z.length / d;
  const labels = new Uint16Array(n);
  for (let i = 0; i < n; i++) {
    let least = Infinity;
    for (let c = 0; c < k; c++) {
      const square = squareOf(z, i, means, c, d, least);
      if (square < least) [least, labels[i]] = [square, c];
    }
  }
  return labels;
}

/** Numbers in [0, 1), the same for the same seed: the generator mulberry32. */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Points far from one another: each the best of some that are drawn by their squared distance.
function kmeansPlusPlus(z, d, k, draw) {
  const n = z.length / d;
  const nTrials = 2 + Math.floor(Math.log(k));
  const chosen = [Math.floor(draw() * n)];
  let nearest = Float64Array.from({ length: n }, (_, i) => squareOf(z, i, z, chosen[0], d));
  while (chosen.length < k) {
    const total = nearest.reduce((a, b) => a + b);
    let best = null;
    for (let trial = 0; trial < nTrials; trial++) {
      const candidate = total > 0 ? drawn(nearest, draw() * total) : Math.floor(draw() * n);
      const distances = nearest.map((square, i) =>
        Math.min(square, squareOf(z, i, z, candidate, d, square)),
      );
      const sum = distances.reduce((a, b) => a + b);
      if (!best || sum < best.sum) best = { sum, distances, candidate };
    }
    chosen.push(best.candidate);
    nearest = best.distances;
  }
  return chosen;
}

function drawn(shares, at) {
  let sum = 0;
  for (let i = 0; i < shares.length; i++) if ((sum += shares[i]) > at) return i;
  return shares.length - 1;
}

// k different numbers below n.
function sampled(n, k, draw) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < k; i++) {
    const other = i + Math.floor(draw() * (n - i));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order.subarray(0, k);
}

function rowsOf(z, d, rows) {
  const means = new Float64Array(rows.length * d);
  rows.forEach((row, c) => means.set(z.subarray(row * d, (row + 1) * d), c * d));
  return means;
}

function squareOf(z, i, other, c, d, most = Infinity) {
  let square = 0;
  for (let j = 0; j < d && square < most; j++) square += (z[i * d + j] - other[c * d + j]) ** 2;
  return square;
}

function variance(z, d) {
  const n = z.length / d;
  let sum = 0;
  for (let j = 0; j < d; j++) {
    let [mean, square] = [0, 0];
    for (let i = 0; i < n; i++) mean += z[i * d + j] / n;
    for (let i = 0; i < n; i++) square += (z[i * d + j] - mean) ** 2 / n;
    sum += square / d;
  }
  return sum;
}
