// How much components overlap, as mixture/overlap.py computes it.

/**
 * The Bhattacharyya coefficient of one component with each, in [0, 1].
 *
 * @param {Model} model
 * @param {number} component
 * @returns {Float64Array}  (K,)
 */
export function bhattacharyya({ nComponents, dimension: d, means, covariances }, component) {
  const of = (array, k, size) => array.subarray(k * size, (k + 1) * size);
  const [mean, covariance] = [of(means, component, d), of(covariances, component, d * d)];
  const halfLog = factorise(Float64Array.from(covariance), d);
  const centre = new Float64Array(d);
  return Float64Array.from({ length: nComponents }, (_, k) => {
    const theirs = of(covariances, k, d * d);
    const between = Float64Array.from(theirs, (value, i) => (value + covariance[i]) / 2);
    const spread = factorise(between, d) - (halfLog + factorise(Float64Array.from(theirs), d)) / 2;
    for (let i = 0; i < d; i++) centre[i] = means[k * d + i] - mean[i];
    return Math.exp(-squaredLength(between, centre, d) / 8 - spread);
  });
}

/** Put the lower Cholesky factor in the place of a matrix; return half its log determinant. */
function factorise(matrix, d) {
  let halfLog = 0;
  for (let row = 0; row < d; row++)
    for (let column = 0; column <= row; column++) {
      let rest = matrix[row * d + column];
      for (let i = 0; i < column; i++) rest -= matrix[row * d + i] * matrix[column * d + i];
      if (row > column) matrix[row * d + column] = rest / matrix[column * d + column];
      else halfLog += Math.log((matrix[row * d + row] = Math.sqrt(rest)));
    }
  return halfLog;
}

/** x^T S^-1 x from the Cholesky factor of S. */
function squaredLength(factor, x, d) {
  let square = 0;
  for (let row = 0; row < d; row++) {
    for (let i = 0; i < row; i++) x[row] -= factor[row * d + i] * x[i];
    x[row] /= factor[row * d + row];
    square += x[row] * x[row];
  }
  return square;
}
