// Several runs as one curve, and the range in which a curve can be read.

const TAIL = 0.1; // of the values at each end may be cut off
const REACH = 0.25; // of the range without them that is shown of them all the same
const FEW = 4; // values of which none is cut off

/**
 * Average several rows of values, which may be of unequal length and have gaps.
 *
 * @param {number[][]} rows  not finite: a gap
 * @returns {{mean: number[], sd: number[]}}  at each place of the longest row, of the n rows that
 *   have a value there; sd with n − 1 in its denominator. NaN where n is too small.
 */
export function meanAndSd(rows) {
  const length = Math.max(0, ...rows.map((row) => row.length));
  const [mean, sd] = [[], []];
  for (let i = 0; i < length; i++) {
    const values = rows.map((row) => row[i]).filter(Number.isFinite);
    const average = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
    mean.push(average);
    sd.push(values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : NaN);
  }
  return { mean, sd };
}

/** Return the value below which a share of ascending values lies, interpolated between two. */
export function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at));
}

/**
 * Choose the range of an axis.
 *
 * A loss falls so far in its first epochs that all that follows would be one flat line. So, of each
 * curve, what lies far outside of its middle 80 % is cut off, unless everything is to be seen.
 *
 * @param {number[][]} curves  values that are seen
 * @param {boolean} isLog  whether distances are those of logarithms, of what is above zero
 * @param {boolean} isAll  whether nothing is cut off
 * @returns {{range: [number, number], isCut: boolean} | null}  null where nothing is seen
 */
export function rangeOf(curves, isLog, isAll) {
  const [to, back] = isLog ? [Math.log, Math.exp] : [(value) => value, (value) => value];
  let [low, high, least, most] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const curve of curves) {
    const values = Float64Array.from(curve.map(to).filter(Number.isFinite)).sort();
    if (!values.length) continue;
    const [first, last] = [values[0], values.at(-1)];
    [least, most] = [Math.min(least, first), Math.max(most, last)];
    const [below, above] = [quantile(values, TAIL), quantile(values, 1 - TAIL)];
    const reach = values.length < FEW ? Infinity : REACH * (above - below);
    low = Math.min(low, Math.max(first, below - reach));
    high = Math.max(high, Math.min(last, above + reach));
  }
  if (!(most >= least)) return null;
  const isCut = !isAll && (low > least || high < most);
  if (isAll) [low, high] = [least, most];
  const room = 0.06 * (high - low || Math.abs(high) * 1e-3 || 1);
  return { range: [back(low - room), back(high + room)], isCut };
}
