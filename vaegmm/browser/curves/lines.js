// What is drawn of some trainings: for each, or for each group of seeds, its losses over an axis.

import { smooth } from "./smoothing.js";
import { meanAndSd } from "./statistics.js";

/** What can be seen of a training, in nats an image. */
export const LOSSES = {
  cross_entropy: "Cross-entropy",
  kl: "KL divergence",
  sum: "Cross-entropy + KL",
};
/** On which images it was measured. */
export const KINDS = ["training", "validation"];

/**
 * @typedef {object} Curve
 * @property {number[]} raw  as it was measured; the mean of a group
 * @property {number[]} values  smoothed
 * @property {number[] | null} sd  of a group of several runs
 *
 * @typedef {object} Line
 * @property {string} key
 * @property {string} name
 * @property {string} colour
 * @property {object[]} runs  the series that it stands for
 * @property {number[]} epochs  1, 2, …
 * @property {number[]} x  where each of them is on the axis; NaN where that isn't known
 * @property {Object<string, {training: Curve, validation: Curve}>} curves  by loss
 */

/**
 * Make lines of series.
 *
 * @param {object[]} series  as `createCurves` takes them
 * @param {"epochs" | "steps" | "seconds"} axis
 * @param {number} smoothing  as `smooth` takes it
 * @param {boolean} isGrouped  whether runs of one group are one line
 * @returns {Line[]}
 */
export function linesOf(series, axis, smoothing, isGrouped) {
  const groups = new Map();
  for (const run of series) {
    const key = isGrouped && run.group ? `group ${run.group}` : `run ${run.id}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups].map(([key, runs]) => {
    const rows = runs.map(rowsOf);
    const isGroup = runs.length > 1;
    const length = Math.max(...runs.map(({ losses }) => losses.length));
    return {
      ...{ key, runs, colour: runs[0].colour },
      name: isGroup ? `${runs[0].group}, ${runs.length} seeds` : runs[0].name,
      epochs: Array.from({ length }, (_, i) => i + 1),
      x: placesOf(runs, length, axis),
      curves: Object.fromEntries(
        Object.keys(LOSSES).map((loss) => [
          loss,
          Object.fromEntries(
            KINDS.map((kind) => [kind, curveOf(rows.map((row) => row[loss][kind]), smoothing)]),
          ),
        ]),
      ),
    };
  });
}

/** Return whether some runs can be seen over an axis. */
export function hasAxis(series, axis) {
  if (axis === "steps") return series.every(({ stepsPerEpoch }) => stepsPerEpoch > 0);
  if (axis === "seconds")
    return series.every(({ losses }) => losses.every(({ seconds }) => Number.isFinite(seconds)));
  return true;
}

/**
 * Return where an epoch of a run is on an axis.
 *
 * @param {object} run  one of the series
 * @param {number} epoch  how many are done, not only whole ones
 * @param {"epochs" | "steps" | "seconds"} axis
 * @returns {number}  NaN where it isn't known
 */
export function placeOf(run, epoch, axis) {
  if (axis === "epochs") return epoch;
  if (axis === "steps") return epoch * (run.stepsPerEpoch || NaN);
  const at = Math.min(epoch, run.losses.length); // of an epoch in hand nothing is known
  const secondsAt = (done) => (done ? (run.losses[done - 1].seconds ?? NaN) : 0);
  const [before, after] = [secondsAt(Math.floor(at)), secondsAt(Math.ceil(at))];
  return before + (after - before) * (at - Math.floor(at));
}

/** Return the index of the value nearest to x of values that don't fall; −1 where there is none. */
export function nearest(values, x) {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && x - values[low - 1] <= values[low] - x ? low - 1 : high;
}

/**
 * Leave out points that nobody could see: of each pixel's column the first, the last, the least and
 * the greatest are kept.
 *
 * @param {[number, number][]} points  in pixels, from left to right
 */
export function thinned(points) {
  const kept = [];
  for (let start = 0; start < points.length; ) {
    const column = Math.floor(points[start][0]);
    let end = start;
    let [least, most] = [start, start];
    while (end < points.length && Math.floor(points[end][0]) === column) {
      if (points[end][1] < points[least][1]) least = end;
      if (points[end][1] > points[most][1]) most = end;
      end++;
    }
    const picked = new Set([start, least, most, end - 1].sort((one, other) => one - other));
    kept.push(...[...picked].map((i) => points[i]));
    start = end;
  }
  return kept;
}

// The losses of a run, epoch by epoch; NaN where it has none.
function rowsOf({ losses }) {
  const row = (name) => losses.map((loss) => loss[name] ?? NaN);
  const [crossEntropy, kl] = [row("cross_entropy"), row("kl")];
  const [heldOut, heldOutKl] = [row("validation_cross_entropy"), row("validation_kl")];
  return {
    cross_entropy: { training: crossEntropy, validation: heldOut },
    kl: { training: kl, validation: heldOutKl },
    sum: {
      training: crossEntropy.map((value, i) => value + kl[i]),
      validation: heldOut.map((value, i) => value + heldOutKl[i]),
    },
  };
}

// Where the epochs of some runs are: each is as far from the one before as it was on average in
// those that have both, so that none comes before it when a run has ended.
function placesOf(runs, length, axis) {
  const places = runs.map((run) => run.losses.map((_, i) => placeOf(run, i + 1, axis)));
  if (runs.length === 1) return places[0];
  const steps = places.map((row) => row.map((place, i) => place - (i ? row[i - 1] : 0)));
  let sum = 0;
  return meanAndSd(steps).mean.slice(0, length).map((step) => (sum += step));
}

// Each run is smoothed by itself: the band is that of what is seen.
function curveOf(rows, smoothing) {
  if (rows.length === 1) return { raw: rows[0], values: smooth(rows[0], smoothing), sd: null };
  const { mean, sd } = meanAndSd(rows.map((row) => smooth(row, smoothing)));
  return { raw: smoothing ? meanAndSd(rows).mean : mean, values: mean, sd };
}
