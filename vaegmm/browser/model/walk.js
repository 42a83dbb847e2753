// Ways through the latent space: straight ones, and ones that keep to where there is density.

const N_NODES = 21; // of a way while it is bent
const N_ROUNDS = 40;
const PULL = 0.15; // of the way to the likely clusters' means, a round
const FINE_STEPS = 4; // looks between two places of a way, so that nothing is missed

/**
 * A way through the latent space.
 *
 * @typedef {{z: Float32Array, logLikelihood: Float32Array}} Way  (S, D) and log p(z) in nats, (S,)
 */

/**
 * Go straight from one place to another.
 *
 * @param {Model} model
 * @param {ArrayLike<number>} from  (D,)
 * @param {ArrayLike<number>} to  (D,)
 * @param {number} n  places, S
 * @returns {Way}
 */
export function straightWay(model, from, to, n) {
  return scored(model, line(from, to, n));
}

/**
 * Go where the mixture has density: nowhere is log p(z) lower than at the lowest of the straight
 * way.
 *
 * A string is laid along the straight way. In each round every node goes a little to the mean of
 * its likely components, sum_k r_k mu_k, which is uphill, and then the nodes are spread along the
 * string evenly again. The highest string on average is kept.
 *
 * Source: E, Ren and Vanden-Eijnden, simplified and improved string method, J. Chem. Phys. 126
 *   (2007), 164103.
 *
 * @returns {Way}
 */
export function denseWay(model, from, to, n) {
  const d = model.dimension;
  const straight = line(from, to, N_NODES);
  const least = lowest(model, straight);
  let string = straight;
  let best = { string: straight, height: mean(model.logLikelihood(straight)) };
  for (let round = 0; round < N_ROUNDS; round++) {
    string = evenly(pulled(model, string), d, N_NODES);
    const height = mean(model.logLikelihood(string));
    if (height > best.height && lowest(model, string) >= least) best = { string, height };
  }
  const way = evenly(best.string, d, n);
  if (lowest(model, way) >= lowest(model, line(from, to, n))) return scored(model, way);
  return straightWay(model, from, to, n);
}

/**
 * The z at a share of a way.
 *
 * @param {Float32Array} z  places of the way, (S, D)
 * @param {number} dimension  D
 * @param {number} place  in [0, 1]
 * @returns {Float32Array}  (D,)
 */
export function alongWay(z, dimension, place) {
  const last = z.length / dimension - 1;
  const at = Math.min(Math.max(place, 0), 1) * last;
  const i = Math.min(Math.floor(at), Math.max(last - 1, 0));
  const next = Math.min(i + 1, last);
  return Float32Array.from({ length: dimension }, (_, k) => {
    const start = z[i * dimension + k];
    return start + (z[next * dimension + k] - start) * (at - i);
  });
}

function line(from, to, n) {
  const d = from.length;
  return Float32Array.from({ length: n * d }, (_, at) => {
    const place = n > 1 ? Math.floor(at / d) / (n - 1) : 0;
    const k = at % d;
    return from[k] + (to[k] - from[k]) * place;
  });
}

function scored(model, z) {
  return { z, logLikelihood: model.logLikelihood(z) };
}

function lowest(model, z) {
  const d = model.dimension;
  const n = (z.length / d - 1) * FINE_STEPS + 1;
  let least = Infinity;
  for (let i = 0; i < n; i++)
    least = Math.min(least, model.logLikelihood(alongWay(z, d, n > 1 ? i / (n - 1) : 0))[0]);
  return least;
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function pulled(model, z) {
  const { dimension: d, nComponents, means } = model;
  const shares = model.responsibilities(z);
  const next = z.slice();
  for (let i = 1; i < z.length / d - 1; i++)
    for (let k = 0; k < nComponents; k++) {
      const share = shares[i * nComponents + k];
      if (share === 0) continue;
      for (let c = 0; c < d; c++)
        next[i * d + c] += PULL * share * (means[k * d + c] - z[i * d + c]);
    }
  return next;
}

/** Spread n places along a way so that they are equally far apart. */
function evenly(z, d, n) {
  const nodes = z.length / d;
  const gone = new Float64Array(nodes);
  for (let i = 1; i < nodes; i++) {
    let square = 0;
    for (let c = 0; c < d; c++) square += (z[i * d + c] - z[(i - 1) * d + c]) ** 2;
    gone[i] = gone[i - 1] + Math.sqrt(square);
  }
  const total = gone[nodes - 1];
  if (total === 0) return line(z.slice(0, d), z.slice(-d), n);
  const places = new Float32Array(n * d);
  for (let i = 0, node = 0; i < n; i++) {
    const wanted = (total * i) / (n - 1);
    while (node < nodes - 2 && gone[node + 1] < wanted) node++;
    const step = gone[node + 1] - gone[node];
    const place = step > 0 ? (wanted - gone[node]) / step : 0;
    for (let c = 0; c < d; c++) {
      const start = z[node * d + c];
      places[i * d + c] = start + (z[(node + 1) * d + c] - start) * Math.min(place, 1);
    }
  }
  places.set(z.subarray(0, d));
  places.set(z.subarray(z.length - d), (n - 1) * d);
  return places;
}
