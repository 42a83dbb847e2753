// One slider for several films. Its positions are the moments of all their frames, in epochs; at a
// position each film shows the last frame that it has by then.

const A_START = 1e-6; // epochs: starts are tried one after the other before an epoch's first step
const A_START_TAKES = 0.35; // of the time that an epoch's frame has while a film plays

/**
 * When a frame was, in epochs done.
 *
 * @param {{kind: string, epoch: number, step: number, starts?: number[]}} header  of a frame
 * @param {number} steps  of an epoch
 */
export function momentOf({ kind, epoch, step, starts }, steps) {
  if (kind === "epoch") return epoch;
  if (kind === "start") return epoch - 1 + starts.length * A_START;
  return epoch - 1 + step / steps;
}

/**
 * When frames are due while a film plays, in frames of an epoch: starts are many, and alike.
 *
 * @param {{kind: string}[]} headers
 * @returns {number[]}  rising from 0
 */
export function timesOf(headers) {
  let time = 0;
  return headers.map(({ kind }, i) => (time += i === 0 ? 0 : kind === "start" ? A_START_TAKES : 1));
}

/** The moments of films, and what each film shows at them. */
export class Timeline {
  #moments;
  #films;

  /** @param {number[][]} films  the moments of each one's frames, rising */
  constructor(films) {
    this.#films = films.map((moments) => [...moments]); // a film that is read grows meanwhile
    this.#moments = [...new Set(films.flat())].sort((a, b) => a - b);
  }

  get length() {
    return this.#moments.length;
  }

  get last() {
    return Math.max(this.length - 1, 0);
  }

  /** The moment of a position, in epochs; between positions, between moments. */
  moment(position) {
    if (!this.length) return 0;
    const from = Math.floor(position);
    const [before, after] = [this.#moments[from], this.#moments[Math.min(from + 1, this.last)]];
    return before + (after - before) * (position - from);
  }

  /** The position of the last moment that is not after another one; 0 if none is. */
  positionOf(moment) {
    return Math.max(countUntil(this.#moments, moment) - 1, 0);
  }

  /** The position nearest to a moment. */
  nearest(moment) {
    const before = this.positionOf(moment);
    const after = Math.min(before + 1, this.last);
    const isAfter = this.#moments[after] - moment < moment - this.#moments[before];
    return isAfter ? after : before;
  }

  /**
   * What a film shows at a position, which may lie between two.
   *
   * @param {number} film
   * @param {number} position
   * @returns {{from: number, to: number, share: number} | null}  two of its frames, and how much of
   *   the way from one to the other is gone; null before its first frame
   */
  at(film, position) {
    const moments = this.#films[film];
    if (!moments.length) return null;
    const start = this.#along(moments, Math.floor(position));
    const end = this.#along(moments, Math.min(Math.floor(position) + 1, this.last));
    const along = start + (end - start) * (position - Math.floor(position));
    const from = Math.floor(along);
    return { from, to: Math.ceil(along), share: along - from };
  }

  /** The frame that a film shows at a position: the last one that it has by then. */
  shown(film, position) {
    const moments = this.#films[film];
    if (!moments.length) return -1;
    return Math.floor(this.#along(moments, Math.floor(position)));
  }

  // Where a moment lies among a film's frames: 2.5 is half of the way from frame 2 to frame 3.
  #along(moments, position) {
    const moment = this.#moments[position];
    const next = countUntil(moments, moment);
    if (next === 0) return 0;
    if (next === moments.length) return next - 1;
    const [before, after] = [moments[next - 1], moments[next]];
    return next - 1 + (moment - before) / (after - before);
  }
}

/** How many of some rising numbers are not above one. */
export function countUntil(numbers, number) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= number) low = middle + 1;
    else high = middle;
  }
  return low;
}
