// What the mixture says of every stored z, computed between frames.

import { UNNAMED } from "./model.js";

const SLICE = 200; // stored z at a time
const BUSY = 7; // milliseconds, after which other things have their turn

/** log p(z), rank, label and uncertainty of all stored z, as `Model.scoreLatents` says them. */
export class Scores {
  #stop = false;

  /** @param {Model} model */
  constructor(model) {
    const n = model.latents.length;
    this.model = model;
    this.done = 0;
    this.logLikelihood = new Float32Array(n);
    this.rank = new Float32Array(n);
    this.uncertainty = new Float32Array(n);
    // Until it is known what each is read as, a stored z has the name of its component.
    this.label = Int32Array.from(model.latents.components, (k) => model.componentNames[k]);
  }

  get isReady() {
    return this.done === this.label.length;
  }

  /** Compute; resolves to whether it came to its end. */
  async compute() {
    const { model, label } = this;
    while (!this.isReady && !this.#stop) {
      const start = performance.now();
      while (!this.isReady && performance.now() - start < BUSY) {
        const end = Math.min(this.done + SLICE, label.length);
        const part = model.scoreLatents(this.done, end);
        this.logLikelihood.set(part.logLikelihood, this.done);
        this.rank.set(part.rank, this.done);
        this.uncertainty.set(part.uncertainty, this.done);
        label.set(part.label, this.done);
        this.done = end;
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
    return !this.#stop;
  }

  stop() {
    this.#stop = true;
  }
}

/**
 * Say what the model makes of a place in the latent space.
 *
 * @param {Model} model
 * @param {ArrayLike<number>} z  (D,)
 * @returns {object}  responsibilities (K,), component, probabilities (C,) or null, label,
 *   logLikelihood in nats, rank
 */
export function readingOf(model, z) {
  const responsibilities = model.responsibilities(z);
  const probabilities = model.names && model.labelProbabilities(responsibilities, model.votes(z));
  const [logLikelihood] = model.logLikelihood(z);
  return {
    responsibilities,
    component: greatest(responsibilities),
    probabilities,
    label: probabilities ? greatest(probabilities) : UNNAMED,
    logLikelihood,
    rank: model.ranks.ofLogLikelihood(logLikelihood),
  };
}

/** The places of the greatest values, the greatest first. */
export function leading(values, n) {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[b] - values[a]);
  return order.slice(0, n);
}

/** The place of the greatest value. */
export function greatest(values) {
  return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}
