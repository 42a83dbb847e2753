// A model in the page: what VAEGMM's methods of the same names return, from a blob of blob.py.
//
// Arrays are flat, row by row. Images are (N, 784): bytes, or numbers in [0, 1], as in Python.

import { adler32, readBlob } from "./blob.js";
import { Examples } from "./examples.js";
import { Latents, project, unproject } from "./latents.js";
import { Mixture } from "./mixture.js";
import { Names, Ranks } from "./names.js";
import { N_PIXELS, Network, entropy } from "./network.js";

export const UNNAMED = -1;

const SIDE = 28;
// Views of an image whose responsibilities are averaged, [down, right] in pixels; itself first.
const SHIFTS = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
];

/**
 * A trained model.
 *
 * @property {string} title
 * @property {string} fingerprint  the same for the same model only
 * @property {{name: ?string, fingerprint: ?string}} data  what it was trained on
 * @property {number} dimension  D, latents
 * @property {number} nComponents  K
 * @property {string[]} labelNames  C; empty where the components have no names
 * @property {Int32Array} componentNames  the label of each component or UNNAMED, (K,)
 * @property {Latents} latents  the stored z
 * @property {{low: Float64Array, high: Float64Array}} usualRange  nine of ten stored z, (D,) each
 * @property {{mean: Float64Array, components: Float64Array, explainedVariance: Float64Array}} pca
 * @property {Float64Array} discriminantAxes  the mixture's own axes, orthonormal, (min(3, D), D)
 * @property {Float64Array} weights  of the mixture, (K,)
 * @property {Float64Array} means  (K, D)
 * @property {Float32Array} covariances  (K, D, D), whatever the mixture's type
 * @property {?Examples} examples  what an adapted model has also seen; null where it is none
 */
export class Model {
  /**
   * @param {ArrayBuffer | Uint8Array} data  a blob
   * @returns {Model}
   * @throws {Error} if it is no blob, a newer one, or damaged
   */
  static from(data) {
    return new Model(readBlob(data));
  }

  constructor({ header, array }) {
    const [d, k, c] = [header.vae.latent_dim, header.n_components, header.label_names.length];
    const hasNames = "names.names" in header.arrays;
    this.title = header.title;
    this.fingerprint = header.fingerprint;
    this.data = header.data;
    this.dimension = d;
    this.nComponents = k;
    this.labelNames = hasNames ? header.label_names : [];
    this.weights = array("mixture.weights", k);
    this.means = array("mixture.means", k, d);
    this.covariances = array("mixture.covariances", k, d, d);
    this.pca = {
      mean: array("pca.mean", d),
      components: array("pca.components", d, d),
      explainedVariance: array("pca.explained_variance", d),
    };
    this.discriminantAxes = array("discriminant_axes", Math.min(3, d), d);
    const range = array("usual_range", 2, d);
    this.usualRange = { low: range.subarray(0, d), high: range.subarray(d) };
    this.network = new Network(header.vae, array);
    const roots = array("mixture.precisions_cholesky", k, d, d);
    this.mixture = new Mixture(this.weights, this.means, roots);
    this.componentNames = hasNames ? array("names.names", k) : new Int32Array(k).fill(UNNAMED);
    this.names = hasNames
      ? new Names(array("names.label_given_component", k, c), c)
      : null;
    this.ranks = new Ranks(
      ...["log_likelihood", "evidence"].map((name) =>
        array(`ranks.${name}`, header.n_ranks),
      ),
    );
    this.latents = storedLatents(header, array, d);
    this.examples = storedExamples(header, array, d);
    this.pixels = new Float64Array(N_PIXELS);
    this.view = new Float64Array(N_PIXELS);
  }

  /**
   * @param {ArrayLike<number>} images  (N, 784)
   * @returns {{mean: Float32Array, std: Float32Array}}  of q(z | x), (N, D) each
   */
  encode(images) {
    const n = count(images, N_PIXELS, "images");
    const mean = new Float32Array(n * this.dimension);
    const std = new Float32Array(n * this.dimension);
    for (let i = 0; i < n; i++) {
      mean.set(this.network.encodeMean(fill(this.pixels, images, i)), i * this.dimension);
      std.set(this.network.encodeStd(), i * this.dimension);
    }
    return { mean, std };
  }

  /**
   * @param {ArrayLike<number>} z  (N, D)
   * @returns {Float32Array}  pixels in [0, 1], (N, 784)
   */
  decode(z) {
    const n = count(z, this.dimension, "z");
    const images = new Float32Array(n * N_PIXELS);
    for (let i = 0; i < n; i++) images.set(this.network.decode(this.latent(z, i)), i * N_PIXELS);
    return images;
  }

  /**
   * @param {ArrayLike<number>} z  (N, D)
   * @param {ArrayLike<number>} images  (N, 784)
   * @returns {Float32Array}  -log p(x | z), in nats, summed over pixels, (N,)
   */
  crossEntropy(z, images) {
    const n = count(images, N_PIXELS, "images");
    return Float32Array.from({ length: n }, (_, i) =>
      this.network.crossEntropy(this.latent(z, i), fill(this.pixels, images, i)),
    );
  }

  /**
   * @param {ArrayLike<number>} z  (N, D)
   * @returns {Float32Array}  p(component | z), (N, K)
   */
  responsibilities(z) {
    const n = count(z, this.dimension, "z");
    const shares = new Float32Array(n * this.nComponents);
    for (let i = 0; i < n; i++)
      shares.set(this.mixture.at(z, i).responsibilities, i * this.nComponents);
    return shares;
  }

  /**
   * @param {ArrayLike<number>} z  (N, D)
   * @returns {Float32Array}  log p(z), in nats, (N,)
   */
  logLikelihood(z) {
    const n = count(z, this.dimension, "z");
    return Float32Array.from({ length: n }, (_, i) => this.mixture.at(z, i).logLikelihood);
  }

  /**
   * @param {ArrayLike<number>} responsibilities  (N, K)
   * @param {?ArrayLike<number>} [votes]  of examples, (N, C): they add up with what is left of 1
   *   times what the components' names say
   * @returns {Float32Array}  p(label), (N, C)
   * @throws {Error} if the components have no names
   */
  labelProbabilities(responsibilities, votes = null) {
    const names = this.named();
    const n = count(responsibilities, this.nComponents, "responsibilities");
    const probabilities = new Float32Array(n * names.nLabels);
    for (let i = 0; i < n; i++) {
      names.fill(responsibilities, i, probabilities);
      if (votes) mix(probabilities, votes, i, names.nLabels);
    }
    return probabilities;
  }

  /**
   * @param {ArrayLike<number>} z  (N, D)
   * @returns {?Float32Array}  the share that examples of each label have at z, (N, C); null where
   *   the model is not adapted
   */
  votes(z) {
    if (!this.examples) return null;
    const [n, nLabels] = [count(z, this.dimension, "z"), this.labelNames.length];
    const votes = new Float32Array(n * nLabels);
    for (let i = 0; i < n; i++) {
      const row = votes.subarray(i * nLabels, (i + 1) * nLabels);
      this.examples.vote(z, i, this.mixture.at(z, i).logLikelihood, row);
    }
    return votes;
  }

  /**
   * Return a model that has also seen a few labelled images. Each becomes a small component around
   * its z that votes for its label, beside the mixture as it was; nothing is trained, and this
   * model stays what it is.
   *
   * @param {ArrayLike<number>} images  (N, 784)
   * @param {ArrayLike<number>} labels  (N,)
   * @param {?ArrayLike<number>} [weights]  how much each counts, (N,): 1 is an example, which the
   *   views of one drawing share
   * @returns {Model}
   * @throws {Error} if the components have no names, or a label or a weight is unusable
   */
  adapt(images, labels, weights = null) {
    const n = count(images, N_PIXELS, "images");
    const most = this.named().nLabels - 1;
    const known = (label) => Number.isInteger(label) && label >= 0 && label <= most;
    if (labels.length !== n || !Array.from(labels).every(known))
      throw new Error(`labels must be one whole number from 0 to ${most} an image.`);
    const shares = weights ?? new Float64Array(n).fill(1);
    const counts = (weight) => weight > 0 && weight < Infinity;
    if (shares.length !== n || !Array.from(shares).every(counts))
      throw new Error("weights must be one positive finite number an image.");
    const examples = this.examples ?? Examples.beside(this);
    return this.withExamples(examples.withMore(this.encode(images).mean, labels, shares));
  }

  /** The same model with these examples, or with none (null); all else is shared. */
  withExamples(examples) {
    const model = Object.assign(Object.create(Model.prototype), this);
    const [own] = this.fingerprint.split("+");
    model.examples = examples;
    model.fingerprint = examples ? `${own}+${digestOf(examples)}` : own;
    return model;
  }

  /**
   * @param {ArrayLike<number>} logLikelihood  log p(z), in nats, (N,)
   * @param {ArrayLike<number>} excess  cross-entropy less the image's entropy, in nats, (N,)
   * @returns {Float32Array}  the share of training images that are less typical, (N,)
   */
  typicality(logLikelihood, excess) {
    return Float32Array.from(logLikelihood, (value, i) => this.ranks.typicality(value, excess[i]));
  }

  /**
   * Look at images: all that `VAEGMM` says of them.
   *
   * Responsibilities and votes are the mean over the image as it is and moved by one pixel each
   * way.
   *
   * @param {ArrayLike<number>} images  (N, 784)
   * @param {object} [seen]  what `see` returned of these images, of this model or of one that has
   *   other examples
   * @returns {object}  z and std (N, D); responsibilities (N, K); votes of examples (N, C), null
   *   where the model is not adapted; probabilities (N, C), of both, null where the components have
   *   no names; logLikelihood, excess and typicality (N,); reconstruction (N, 784)
   */
  look(images, seen = this.see(images)) {
    const { points, pointLogLikelihood, ...said } = seen;
    const { examples } = this;
    const nLabels = this.labelNames.length;
    const votes = examples && new Float32Array(said.typicality.length * nLabels);
    pointLogLikelihood.forEach((logLikelihood, i) => {
      const at = Math.floor(i / SHIFTS.length) * nLabels;
      const row = votes?.subarray(at, at + nLabels);
      examples?.vote(points, i, logLikelihood, row, 1 / SHIFTS.length);
    });
    const probabilities = this.names && this.labelProbabilities(said.responsibilities, votes);
    return { ...said, votes, probabilities };
  }

  /**
   * See images: of a look at them, what takes long and is the same whatever examples a model has.
   *
   * @param {ArrayLike<number>} images  (N, 784)
   * @returns {object}  as `look`, less votes and probabilities; points: z of each image as it is
   *   and moved each way, (N, 5, D), and pointLogLikelihood, log p(z) of each, (N, 5)
   */
  see(images) {
    const n = count(images, N_PIXELS, "images");
    const { network, mixture, nComponents, dimension } = this;
    const { mean: z, std } = this.encode(images);
    const responsibilities = new Float32Array(n * nComponents);
    const [logLikelihood, excess] = [new Float32Array(n), new Float32Array(n)];
    const points = new Float64Array(n * SHIFTS.length * dimension);
    const pointLogLikelihood = new Float64Array(n * SHIFTS.length);
    const sum = new Float64Array(nComponents);
    for (let i = 0; i < n; i++) {
      fill(this.pixels, images, i);
      excess[i] = network.crossEntropy(this.latent(z, i), this.pixels) - entropy(this.pixels);
      sum.fill(0);
      SHIFTS.forEach(([down, right], s) => {
        const point = s
          ? network.encodeMean(shift(this.pixels, down, right, this.view))
          : this.latent(z, i);
        const at = mixture.at(point);
        for (let k = 0; k < nComponents; k++) sum[k] += at.responsibilities[k];
        points.set(point, (i * SHIFTS.length + s) * dimension);
        pointLogLikelihood[i * SHIFTS.length + s] = at.logLikelihood;
      });
      logLikelihood[i] = pointLogLikelihood[i * SHIFTS.length];
      for (let k = 0; k < nComponents; k++)
        responsibilities[i * nComponents + k] = sum[k] / SHIFTS.length;
    }
    const typicality = this.typicality(logLikelihood, excess);
    const reconstruction = this.decode(z);
    return {
      ...{ z, std, responsibilities, logLikelihood, excess, typicality, reconstruction },
      ...{ points, pointLogLikelihood },
    };
  }

  /**
   * Score stored z by themselves, without images: what the map is coloured by.
   *
   * @param {number} first
   * @param {number} end  the one after the last
   * @returns {object}  of each: logLikelihood, in nats; rank, the share of training images whose
   *   z is less likely; label, UNNAMED where there are no names; uncertainty, the entropy of
   *   p(label | z) in nats
   */
  scoreLatents(first = 0, end = this.latents.length) {
    const { z, components } = this.latents;
    const n = end - first;
    const [logLikelihood, rank] = [new Float32Array(n), new Float32Array(n)];
    const [label, uncertainty] = [new Int32Array(n).fill(UNNAMED), new Float32Array(n)];
    const row = new Float64Array(this.labelNames.length);
    const votes = new Float64Array(this.labelNames.length);
    for (let i = 0; i < n; i++) {
      const at = this.mixture.at(z, first + i, components[first + i]);
      logLikelihood[i] = at.logLikelihood;
      rank[i] = this.ranks.ofLogLikelihood(at.logLikelihood);
      if (!this.names) continue;
      this.names.fill(at.responsibilities, 0, row);
      if (this.examples) {
        votes.fill(0);
        this.examples.vote(z, first + i, at.logLikelihood, votes);
        mix(row, votes, 0, row.length);
      }
      label[i] = indexOfGreatest(row);
      for (const p of row) if (p > 0) uncertainty[i] -= p * Math.log(p);
    }
    return { logLikelihood, rank, label, uncertainty };
  }

  /** Stored z nearest to a point, as `Latents.nearest`. */
  nearest(z, n = 8) {
    return this.latents.nearest(z, n);
  }

  /**
   * Project latents to axes through the mean of the stored z, such as `discriminantAxes` or rows
   * of `pca.components`.
   *
   * @param {ArrayLike<number>} axes  orthonormal, (A, D)
   * @param {ArrayLike<number>} z  (N, D); all stored z if left out
   * @returns {Float32Array}  (N, A)
   */
  project(axes, z = this.latents.z) {
    return project(z, axes, this.pca.mean);
  }

  /**
   * Return the latents at points of a projection.
   *
   * @param {ArrayLike<number>} points  (N, A)
   * @param {ArrayLike<number>} axes  orthonormal, (A, D)
   * @param {ArrayLike<number>} origin  (D,): where they lie in all other directions
   * @returns {Float32Array}  (N, D)
   */
  unproject(points, axes, origin = this.pca.mean) {
    return unproject(points, axes, origin);
  }

  latent(z, i) {
    return Float64Array.from(z.slice(i * this.dimension, (i + 1) * this.dimension));
  }

  named() {
    if (!this.names) throw new Error("components must have names to classify; they have none.");
    return this.names;
  }
}

function storedLatents(header, array, dimension) {
  const n = header.n_stored;
  const steps = array("latents.steps", n, dimension);
  const [low, step] = [array("latents.low", dimension), array("latents.step", dimension)];
  const z = new Float32Array(n * dimension);
  for (let i = 0, at = 0; i < n; i++)
    for (let d = 0; d < dimension; d++, at++) z[at] = low[d] + step[d] * steps[at];
  const rows = n < header.n_latents ? array("latents.rows", n) : null;
  return new Latents(z, dimension, array("latents.components", n), rows, header.n_latents);
}

function storedExamples(header, array, dimension) {
  if (!header.examples) return null;
  const { n, mass } = header.examples;
  return new Examples({
    latents: array("examples.latents", n, dimension),
    labels: array("examples.labels", n),
    weights: array("examples.weights", n),
    covariance: array("examples.covariance", dimension, dimension),
    mass,
  });
}

/** Make row `i` of p(label), (N, C), that of names and votes together. */
function mix(probabilities, votes, i, nLabels) {
  let rest = 1;
  for (let c = 0; c < nLabels; c++) rest -= votes[i * nLabels + c];
  for (let at = i * nLabels; at < (i + 1) * nLabels; at++)
    probabilities[at] = rest * probabilities[at] + votes[at];
}

function digestOf({ latents, labels, weights }) {
  const parts = [latents, labels, weights].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return parts.map((bytes) => adler32(bytes).toString(16).padStart(8, "0")).join("");
}

function count(values, width, name) {
  const n = values.length / width;
  if (n >= 1 && Number.isInteger(n)) return n;
  throw new Error(`${name} must have a multiple of ${width} numbers; got ${values.length}.`);
}

/** Copy image `i` into `pixels`; bytes become numbers in [0, 1], rounded as in Python. */
function fill(pixels, images, i) {
  const isBytes = images instanceof Uint8Array || images instanceof Uint8ClampedArray;
  const at = i * N_PIXELS;
  for (let p = 0; p < N_PIXELS; p++)
    pixels[p] = isBytes ? Math.fround(images[at + p] / 255) : images[at + p];
  return pixels;
}

/** Look at an image from `down` and `right` pixels away; its edges go on outside. */
function shift(pixels, down, right, out) {
  const inside = (place) => Math.min(Math.max(place, 0), SIDE - 1);
  for (let row = 0; row < SIDE; row++)
    for (let column = 0; column < SIDE; column++)
      out[row * SIDE + column] = pixels[inside(row + down) * SIDE + inside(column + right)];
  return out;
}

function indexOfGreatest(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
