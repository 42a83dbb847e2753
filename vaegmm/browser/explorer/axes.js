// The axes along which the latent space is looked at, and the way back from a place on the map.

import { share } from "../pieces/words.js";

const GOLDEN = 0.6180339887498949; // multiples of it are spread evenly over [0, 1)
const STRIP = 0.25; // height of the map of a single latent, as a share of its width

/**
 * What axes there are to choose from.
 *
 * @param {Model} model
 * @returns {Object<string, {title: string, rows: Float64Array, names: string[]}>}  rows:
 *   orthonormal, (A, D)
 */
export function axisSets(model) {
  const { pca, discriminantAxes, dimension } = model;
  const total = pca.explainedVariance.reduce((sum, value) => sum + value, 0) || 1;
  return {
    pca: {
      title: "principal",
      rows: pca.components,
      names: Array.from(pca.explainedVariance, (v, i) => `PC ${i + 1} (${share(v / total, 0)})`),
    },
    mixture: {
      title: "the mixture’s own",
      rows: discriminantAxes,
      names: Array.from({ length: discriminantAxes.length / dimension }, (_, i) => `axis ${i + 1}`),
    },
  };
}

/** Axes that a model is projected to: two of a plane, or three of a space. */
export class Projection {
  /**
   * @param {Model} model
   * @param {string} set  of `axisSets`
   * @param {number[]} along  which of the set; a single one where there are no more
   */
  constructor(model, set, along) {
    const { rows, names } = axisSets(model)[set];
    const d = model.dimension;
    this.model = model;
    this.names = along.map((axis) => names[axis]);
    this.rows = Float64Array.from(along.flatMap((a) => [...rows.subarray(a * d, (a + 1) * d)]));
    this.nAxes = along.length;
    /** Coordinates a place on the map has. */
    this.dimension = Math.max(along.length, 2);
  }

  /** Whether a place on the map says all of z. */
  get isWhole() {
    return this.nAxes === this.model.dimension;
  }

  /**
   * @param {ArrayLike<number>} z  (N, D)
   * @returns {Float32Array}  places on the map, (N, dimension)
   */
  project(z) {
    const points = this.model.project(this.rows, z);
    if (this.nAxes > 1) return points;
    return Float32Array.from({ length: 2 * points.length }, (_, i) => (i % 2 ? 0 : points[i / 2]));
  }

  /**
   * Place all stored z. A single latent leaves the height free: points are spread over it, or else
   * they would all lie on each other.
   */
  places() {
    const places = this.project(this.model.latents.z);
    if (this.nAxes > 1) return places;
    const { explainedVariance } = this.model.pca;
    const height = 4 * Math.sqrt(explainedVariance[0]) * STRIP || 1;
    for (let i = 1, n = 1; i < places.length; i += 2, n++)
      places[i] = (((n * GOLDEN) % 1) - 0.5) * height;
    return places;
  }

  /**
   * Return the z at a place on the map: in all directions that the map does not show, it is where
   * `through` is.
   *
   * @param {number[]} place  (dimension,)
   * @param {ArrayLike<number>} through  (D,)
   * @returns {Float32Array}  (D,)
   */
  unproject(place, through = this.model.pca.mean) {
    const { model, rows, nAxes } = this;
    const onMap = model.project(rows, through);
    const steps = Float32Array.from({ length: nAxes }, (_, a) => place[a] - onMap[a]);
    return model.unproject(steps, rows, through);
  }

  /**
   * The covariance of a component on the map: `{x, y, z?, xx, xy, yy, …}` for `setEllipses`.
   *
   * @param {number} component
   * @param {{means: ArrayLike<number>, covariances: ArrayLike<number>}} mixture  (K, D), (K, D, D);
   *   the model's own if left out
   */
  ellipse(component, { means, covariances } = this.model) {
    const { model, rows, nAxes } = this;
    const d = model.dimension;
    const [x, y, z] = this.project(means.subarray(component * d, (component + 1) * d));
    const sigma = covariances.subarray(component * d * d, (component + 1) * d * d);
    const across = (a, b) => {
      if (a >= nAxes || b >= nAxes) return 0;
      let sum = 0;
      for (let i = 0; i < d; i++)
        for (let j = 0; j < d; j++) sum += rows[a * d + i] * sigma[i * d + j] * rows[b * d + j];
      return sum;
    };
    const flat = { x, y, xx: across(0, 0), xy: across(0, 1), yy: across(1, 1) };
    if (this.dimension === 2) return flat;
    return { ...flat, z, xz: across(0, 2), yz: across(1, 2), zz: across(2, 2) };
  }
}
