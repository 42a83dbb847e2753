// Glides: from what is shown to what is to be shown, in a time short enough to wait for.

export const GLIDE = 300; // milliseconds

/** Ease in and out: slow at both ends, of a share of the time in [0, 1]. */
function ease(share) {
  return share < 0.5 ? 4 * share ** 3 : 1 - 4 * (1 - share) ** 3;
}

/** A clock of one glide; before its first start it is at its end. */
export class Glide {
  #start = -Infinity;
  #duration = 0;

  start(now, duration) {
    [this.#start, this.#duration] = [now, duration];
  }

  stop() {
    this.#start = -Infinity;
  }

  /** How much of the way is gone, in [0, 1], eased. */
  share(now) {
    return this.isMoving(now) ? ease(Math.max((now - this.#start) / this.#duration, 0)) : 1;
  }

  isMoving(now) {
    return now - this.#start < this.#duration;
  }
}

/** An array of numbers that glides to the next one it is set to, from wherever it is by then. */
export class GlidingArray extends Glide {
  /** @param {Float32Array | Uint8Array} array */
  constructor(array) {
    super();
    this.from = this.to = array;
  }

  /** Numbers of another count are others: they are there at once. */
  set(to, now, duration) {
    this.from = to.length === this.to.length && duration > 0 ? this.now(now) : to;
    this.to = to;
    if (this.from === to) this.stop();
    else this.start(now, duration);
  }

  /** The numbers as they are at a time. */
  now(now) {
    const share = this.share(now);
    return share === 1 ? this.to : mix(this.from, this.to, share);
  }
}

/** Mix two arrays of equal length: the first at share 0, the second at share 1. */
export function mix(from, to, share) {
  return from.map((value, i) => value + (to[i] - value) * share);
}
