// Starts that are put where they end well or badly: means on the middles of groups of points.

import { beginAt, lloyd, nearestOf, randomNumbers } from "../model/starts.js";
import { decimal } from "../pieces/words.js";
import { LocalFit } from "./fits.js";

const MOST_GROUPS = 10;
const APART = 0.1; // of a latent's unit: two means on one group, or else both would stay the same
const LEAST_LOSS = 1e-3; // nats
const FAR = 4; // times as far from the middle as the group is

/** Titles of the presets, by name. */
export function presetTitles(sample) {
  const noun = sample.labels ? "digit" : "group";
  const { doubled } = plan(sample);
  return {
    each: `one on each ${noun}`,
    two: `two on ${sample.labels ? `the ${titleOf(sample, doubled)}` : "one group"}`,
    far: "one far away",
  };
}

/**
 * Put means for a preset.
 *
 * @param {Sample} sample
 * @param {"each" | "two" | "far"} name
 * @returns {Float64Array}  (K, D)
 */
export function presetMeans(sample, name) {
  const { middles, missing, doubled, centre } = plan(sample);
  const d = sample.dimension;
  const means = Float64Array.from(middles);
  if (name === "two")
    for (let j = 0; j < d; j++) means[missing * d + j] = middles[doubled * d + j] + APART;
  if (name === "far") {
    const far = middles
      .subarray(missing * d, (missing + 1) * d)
      .map((value, j) => centre[j] + FAR * (value - centre[j]));
    // Far in all directions that the map does not show, and in its corner where it can be seen.
    means.set(sample.projection.unproject(corner(sample.places), far), missing * d);
  }
  return means;
}

/**
 * Say how a fit from a bad start has ended, against one from a mean on each group.
 *
 * @param {Sample} sample
 * @param {LocalFit} fit  that is over
 * @param {Int32Array} names  of its components
 */
export function endOf(sample, fit, names) {
  if (fit.fault) return "";
  const below = bestOf(sample, fit).likelihoods.at(-1) - fit.likelihoods.at(-1);
  if (!(below > LEAST_LOSS)) return "It ends as well as from one on each.";
  const { groups } = plan(sample);
  const called = (label) => names.filter((name) => name === label).length;
  const said = (found) => found.map((label) => sample.model.labelNames[label]).join(", ");
  const [none, twice] = [0, 2].map((n) =>
    groups.filter((label) => (n ? called(label) >= n : !called(label))),
  );
  const how =
    sample.labels && none.length && twice.length
      ? `no cluster is left for ${said(none)}, two share ${said(twice)}; `
      : "";
  return `It ends badly: ${how}${decimal(below, 3)} nats below the fit from one on each.`;
}

const BEST = new WeakMap(); // sample -> fits from a mean on each group, by their settings

function bestOf(sample, { covarianceType, regCovar }) {
  if (!BEST.has(sample)) BEST.set(sample, new Map());
  const kept = BEST.get(sample);
  const key = `${covarianceType} ${regCovar}`;
  if (!kept.has(key)) {
    const means = presetMeans(sample, "each");
    const settings = { nComponents: means.length / sample.dimension, covarianceType, regCovar };
    const fit = new LocalFit(sample.z, beginAt(sample.z, means, settings), settings);
    while (!fit.isDone) fit.step();
    kept.set(key, fit);
  }
  return kept.get(key);
}

const PLANS = new WeakMap();

function corner(places) {
  let [left, bottom] = [Infinity, Infinity];
  for (let at = 0; at < places.length; at += 2) {
    left = Math.min(left, places[at]);
    bottom = Math.min(bottom, places[at + 1]);
  }
  return [left, bottom];
}

// Of the two groups nearest to each other one goes without a mean; the one farthest from both gets
// two.
function plan(sample) {
  if (PLANS.has(sample)) return PLANS.get(sample);
  const { z, dimension: d, length: n } = sample;
  const labels = sample.labels ?? clustered(sample);
  const groups = [...new Set(labels)].filter((label) => label >= 0).sort((a, b) => a - b);
  groups.splice(MOST_GROUPS);
  const k = groups.length;
  const middles = new Float64Array(k * d);
  const centre = new Float64Array(d);
  const counts = new Float64Array(k);
  for (let i = 0; i < n; i++) {
    const group = groups.indexOf(labels[i]);
    for (let j = 0; j < d; j++) centre[j] += z[i * d + j] / n;
    if (group < 0) continue;
    counts[group]++;
    for (let j = 0; j < d; j++) middles[group * d + j] += z[i * d + j];
  }
  for (let c = 0; c < k; c++) for (let j = 0; j < d; j++) middles[c * d + j] /= counts[c];
  const apart = (a, b) => {
    let square = 0;
    for (let j = 0; j < d; j++) square += (middles[a * d + j] - middles[b * d + j]) ** 2;
    return square;
  };
  let [near, missing, least] = [0, k - 1, Infinity];
  for (let a = 0; a < k; a++)
    for (let b = a + 1; b < k; b++)
      if (apart(a, b) < least) [near, missing, least] = [a, b, apart(a, b)];
  const lonely = (c) =>
    c === near || c === missing ? -1 : Math.min(apart(c, near), apart(c, missing));
  let doubled = 0;
  for (let c = 0; c < k; c++) if (lonely(c) > lonely(doubled)) doubled = c;
  const found = { middles, missing, doubled, centre, groups };
  PLANS.set(sample, found);
  return found;
}

// Without names: the clusters that k-means finds.
function clustered({ z, dimension: d, length: n }) {
  const draw = randomNumbers(0);
  const k = Math.min(MOST_GROUPS, n);
  const centres = new Float64Array(k * d);
  for (let c = 0; c < k; c++) {
    const row = Math.floor(draw() * n);
    centres.set(z.subarray(row * d, (row + 1) * d), c * d);
  }
  return nearestOf(z, d, lloyd(z, d, centres));
}

function titleOf(sample, group) {
  return sample.model.labelNames[plan(sample).groups[group]];
}
