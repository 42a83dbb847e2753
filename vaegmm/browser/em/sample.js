// The stored z that are shown and fitted here, and what is known of them.

import { Projection } from "../explorer/axes.js";

const MOST_SHOWN = 5000; // of the stored z: an iteration of ten clusters takes them a few ms
const NEAR = 20; // shown points that say where a place lies in what the map does not show

/** Evenly spread rows of a model's stored z. */
export class Sample {
  /**
   * @param {Model} model
   * @param {Uint8Array | null} truth  true labels of all stored z
   */
  constructor(model, truth) {
    const { latents, dimension: d } = model;
    const n = Math.min(latents.length, MOST_SHOWN);
    this.model = model;
    this.dimension = d;
    this.length = n;
    this.total = latents.total;
    this.rows = Uint32Array.from({ length: n }, (_, i) => Math.floor((i * latents.length) / n));
    this.z = new Float32Array(n * d);
    this.rows.forEach((row, i) => this.z.set(latents.z.subarray(row * d, (row + 1) * d), i * d));
    this.truth = truth && Uint8Array.from(this.rows, (row) => truth[row]);
    this.labels = this.#calledLabels();
    this.look("mixture");
  }

  /** Choose the axes of the map: of `axisSets`. */
  look(axes) {
    const { model } = this;
    const n = Math.min(
      2,
      model.dimension,
      axes === "mixture" ? model.discriminantAxes.length / model.dimension : 2,
    );
    this.axes = axes;
    this.projection = new Projection(model, axes, n > 1 ? [0, 1] : [0]);
    const places = this.projection.places();
    this.places = new Float32Array(2 * this.length);
    this.rows.forEach((row, i) => this.places.set(places.subarray(2 * row, 2 * row + 2), 2 * i));
  }

  latent(i) {
    return this.z.slice(i * this.dimension, (i + 1) * this.dimension);
  }

  /** The z that a place on the map stands for: elsewhere it lies where the nearest points do. */
  latentAt(place) {
    const distances = Array.from({ length: this.length }, (_, i) => [
      Math.hypot(this.places[2 * i] - place[0], this.places[2 * i + 1] - place[1]),
      i,
    ]);
    const nearest = distances.sort((a, b) => a[0] - b[0]).slice(0, NEAR);
    const middle = new Float64Array(this.dimension);
    for (const [, i] of nearest)
      for (let j = 0; j < this.dimension; j++)
        middle[j] += this.z[i * this.dimension + j] / nearest.length;
    return this.projection.unproject(place, middle);
  }

  /** Name components after the label that most of their points are called, (K,). */
  namesOf(components, k) {
    const names = new Int32Array(k).fill(-1);
    const { labels } = this;
    if (!labels) return names;
    const nLabels = this.model.labelNames.length;
    const counts = new Uint32Array(k * nLabels);
    components.forEach((c, i) => labels[i] >= 0 && counts[c * nLabels + labels[i]]++);
    for (let c = 0; c < k; c++) {
      let most = 0;
      for (let label = 0; label < nLabels; label++)
        if (counts[c * nLabels + label] > most)
          [most, names[c]] = [counts[c * nLabels + label], label];
    }
    return names;
  }

  // What the model calls each point, where its components have names.
  #calledLabels() {
    const { model } = this;
    if (!model.names) return null;
    const row = new Float64Array(model.labelNames.length);
    return Int32Array.from({ length: this.length }, (_, i) => {
      const stored = this.rows[i];
      const at = model.mixture.at(model.latents.z, stored, model.latents.components[stored]);
      model.names.fill(at.responsibilities, 0, row);
      return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
    });
  }
}
