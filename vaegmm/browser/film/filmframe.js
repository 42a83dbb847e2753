// What lies in a frame, as it is shown: latents as places on the plane of the frame, components as
// ellipses on it.

/**
 * @param {{header: object, array: (name: string, ...shape: number[]) => ArrayLike<number>}} blob
 * @param {Film} film  whose frame it is
 * @returns {{header: object, copies: Uint8Array | null, places: Float32Array | null, components:
 *   Uint16Array | null, ellipses: object[] | null, componentLabels: Int32Array | null,
 *   componentImages: Uint8Array | null}}  copies: (S, 784); places: (M, 2); components: of each
 *   point, (M,); ellipses: `{x, y, xx, xy, yy, weight}` of each component; componentLabels: (K,),
 *   negative where there is none; componentImages: (K, 784). What a frame does not hold is null.
 * @throws {Error} if arrays are of other shapes than those of the film
 */
export function openFrame({ header, array }, film) {
  const dimension = film.header.latent_dim;
  const shapeOf = (name) => header.arrays[name]?.shape;
  const had = (name, ...shape) => (shapeOf(name) ? array(name, ...shape) : null);
  const nSamples = film.images.length / 784;
  const nPoints = film.labels?.length ?? shapeOf("latents")?.[0];
  const nComponents = (shapeOf("means") ?? shapeOf("component_images"))?.[0];
  const latents = had("latents", nPoints, dimension);
  const plane = latents && {
    axes: array("axes", 2, dimension),
    centre: array("centre", dimension),
  };
  const means = plane && had("means", nComponents, dimension);
  return {
    header,
    copies: had("reconstructions", nSamples, 784),
    places: plane && projected(latents, plane),
    components: had("components", nPoints),
    ellipses:
      means &&
      ellipsesOf(plane, {
        means,
        covariances: had("covariances", nComponents, dimension, dimension),
        weights: array("weights", nComponents),
      }),
    componentLabels: had("component_labels", nComponents),
    componentImages: had("component_images", nComponents, 784),
  };
}

/**
 * Project points onto a plane: (latents − centre) · axesᵀ.
 *
 * @param {Float32Array} latents  (M, D), row by row
 * @param {{axes: Float32Array, centre: Float32Array}} plane  (2, D) and (D,)
 * @returns {Float32Array}  (M, 2)
 */
export function projected(latents, { axes, centre }) {
  const dimension = centre.length;
  const places = new Float32Array((2 * latents.length) / dimension);
  for (let from = 0, to = 0; from < latents.length; from += dimension, to += 2) {
    let [x, y] = [0, 0];
    for (let d = 0; d < dimension; d++) {
      const centred = latents[from + d] - centre[d];
      x += centred * axes[d];
      y += centred * axes[dimension + d];
    }
    places[to] = x;
    places[to + 1] = y;
  }
  return places;
}

/**
 * Lay components onto a plane: means (K, D) and covariances (K, D, D), or null where a film has too
 * many for them, which leaves the places of the means.
 */
export function ellipsesOf(plane, { means, covariances, weights }) {
  const { axes } = plane;
  const dimension = plane.centre.length;
  const places = projected(means, plane);
  return Array.from(weights, (weight, k) => {
    const sigma = covariances?.subarray(k * dimension ** 2, (k + 1) * dimension ** 2);
    const across = (a, b) => {
      let sum = 0;
      for (let i = 0; i < dimension; i++)
        for (let j = 0; j < dimension; j++)
          sum += axes[a * dimension + i] * sigma[i * dimension + j] * axes[b * dimension + j];
      return sum;
    };
    const [x, y] = [places[2 * k], places[2 * k + 1]];
    if (!sigma) return { x, y, xx: 0, xy: 0, yy: 0, weight };
    return { x, y, xx: across(0, 0), xy: across(0, 1), yy: across(1, 1), weight };
  });
}
