// The stored z: neighbours, and projections to the axes of a picture.

/** What the model stored of its training images: one z each, or an even selection of them. */
export class Latents {
  /**
   * @param {Float32Array} z  (N, D), row by row
   * @param {number} dimension  D
   * @param {ArrayLike<number>} components  the most likely component of each, (N,)
   * @param {Uint32Array | null} rows  which training images these are, rising; null: all, in order
   * @param {number} total  how many the model has stored
   */
  constructor(z, dimension, components, rows, total) {
    Object.assign(this, { z, dimension, components, rows, total, length: components.length });
  }

  /** The row of the training data that stored z `index` is of. */
  row(index) {
    return this.rows ? this.rows[index] : index;
  }

  /**
   * Find the stored z nearest to a point of the latent space.
   *
   * @param {ArrayLike<number>} point  (D,)
   * @param {number} n  how many
   * @returns {{indices: Uint32Array, distances: Float32Array}}  the nearest first
   */
  nearest(point, n = 8) {
    const { z, dimension, length } = this;
    const most = Math.min(n, length);
    const indices = new Uint32Array(most);
    const squares = new Float64Array(most).fill(Infinity);
    if (most === 0) return { indices, distances: new Float32Array(0) };
    const target = Float64Array.from(point);
    for (let index = 0, at = 0; index < length; index++, at += dimension) {
      let square = 0;
      for (let d = 0; d < dimension; d++) square += (z[at + d] - target[d]) ** 2;
      if (!(square < squares[most - 1])) continue;
      let place = most - 1;
      for (; place > 0 && squares[place - 1] > square; place--) {
        squares[place] = squares[place - 1];
        indices[place] = indices[place - 1];
      }
      [squares[place], indices[place]] = [square, index];
    }
    return { indices, distances: Float32Array.from(squares, Math.sqrt) };
  }
}

/**
 * Project latents to axes.
 *
 * @param {ArrayLike<number>} z  (N, D)
 * @param {ArrayLike<number>} axes  orthonormal, in rows, (A, D)
 * @param {ArrayLike<number>} origin  (D,)
 * @returns {Float32Array}  coordinates, (N, A)
 */
export function project(z, axes, origin) {
  const dimension = origin.length;
  const [n, nAxes] = [z.length / dimension, axes.length / dimension];
  const shifts = new Float64Array(nAxes);
  for (let a = 0; a < nAxes; a++)
    for (let d = 0; d < dimension; d++) shifts[a] += origin[d] * axes[a * dimension + d];
  const points = new Float32Array(n * nAxes);
  for (let i = 0; i < n; i++)
    for (let a = 0; a < nAxes; a++) {
      let sum = -shifts[a];
      for (let d = 0; d < dimension; d++) sum += z[i * dimension + d] * axes[a * dimension + d];
      points[i * nAxes + a] = sum;
    }
  return points;
}

/**
 * Return the latents at points of a projection.
 *
 * @param {ArrayLike<number>} points  (N, A)
 * @param {ArrayLike<number>} axes  orthonormal, in rows, (A, D)
 * @param {ArrayLike<number>} origin  (D,): where a latent lies in the directions that axes lack
 * @returns {Float32Array}  (N, D)
 */
export function unproject(points, axes, origin) {
  const dimension = origin.length;
  const nAxes = axes.length / dimension;
  const n = points.length / nAxes;
  const z = new Float32Array(n * dimension);
  for (let i = 0; i < n; i++)
    for (let d = 0; d < dimension; d++) {
      let sum = origin[d];
      for (let a = 0; a < nAxes; a++) sum += points[i * nAxes + a] * axes[a * dimension + d];
      z[i * dimension + d] = sum;
    }
  return z;
}
