// A curve without its noise.

/**
 * Average each value with those before it, whose weight falls by a factor a step.
 *
 * The average begins at zero, which is corrected for: the first value stays as it is. What is not
 * finite stays so, and is left out of the average.
 *
 * Source: TensorBoard's smoothing; the correction is Adam's (Kingma and Ba, 2015, section 3).
 *
 * @param {number[]} values
 * @param {number} weight  of what came before, at least 0 and below 1; 0 changes nothing
 * @returns {number[]}
 */
export function smooth(values, weight) {
  if (!(weight >= 0 && weight < 1))
    throw new RangeError(`weight must be at least 0 and below 1; got weight=${weight}.`);
  let [average, kept] = [0, 1]; // the share of the average that is still its beginning at zero
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    average = weight * average + (1 - weight) * value;
    kept *= weight;
    return average / (1 - kept);
  });
}
