// From numbers to places on an axis and back, and the round numbers that are written beside it.

/** Return 1, 2 or 5 times a power of ten: the least that is not smaller than a size. */
export function niceStep(size) {
  const unit = 10 ** Math.floor(Math.log10(size));
  return [1, 2, 5, 10].find((times) => times * unit >= size) * unit;
}

/**
 * Map numbers to places.
 *
 * @param {[number, number]} range  of the numbers; above zero where the axis is logarithmic
 * @param {[number, number]} places  where its ends lie, such as pixels
 * @param {boolean} isLog
 * @returns {{at: (value: number) => number, from: (place: number) => number}}
 */
export function makeScale([low, high], [first, last], isLog = false) {
  const [to, back] = isLog ? [Math.log, Math.exp] : [(value) => value, (value) => value];
  const [start, size] = [to(low), to(high) - to(low) || 1];
  return {
    at: (value) => first + ((to(value) - start) / size) * (last - first),
    from: (place) => back(start + ((place - first) / (last - first)) * size),
  };
}

/**
 * Choose round numbers within a range.
 *
 * @param {[number, number]} range
 * @param {number} most  about how many there is room for
 * @param {number} least  the smallest distance of two, such as 1 for whole numbers
 * @returns {number[]}  ascending
 */
export function ticksOf([low, high], most, least = 0) {
  if (!(high > low)) return [low];
  const step = niceStep(Math.max((high - low) / Math.max(most, 1), least));
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}

/** Choose round numbers on a logarithmic axis: powers of ten, and 2 and 5 times where they fit. */
export function logTicksOf([low, high], most, least = 0) {
  const decades = Math.log10(high / low);
  if (decades < 1) return ticksOf([low, high], most, least).filter((tick) => tick > 0);
  const times = 3 * decades <= most ? [1, 2, 5] : [1];
  const every = Math.max(Math.ceil(decades / Math.max(most, 1)), 1);
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += every)
    ticks.push(...times.map((factor) => Number(`${factor}e${power}`)));
  const first = Math.max(low * (1 - 1e-9), least);
  return ticks.filter((tick) => tick >= first && tick <= high * (1 + 1e-9));
}

/** Return how many digits after the point tell ticks at such a distance apart. */
export function digitsOf(step) {
  return step > 0 ? Math.max(-Math.floor(Math.log10(step) + 1e-9), 0) : 0;
}
