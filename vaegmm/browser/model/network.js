// The autoencoder, one image at a time, as vae.py computes it.

export const N_PIXELS = 784; // 28 rows of 28

/** Dense layers around a latent space; numbers between them stay in place for the next call. */
export class Network {
  /**
   * @param {object} vae  the header's: sizes and activations
   * @param {(name: string, ...shape: number[]) => Float32Array} array  reads weights
   */
  constructor(vae, array) {
    this.config = vae;
    const layer = (name, nIn, nOut) => new Layer(array, name, nIn, nOut);
    const chain = (name, units) =>
      units.slice(1).map((nOut, i) => layer(`${name}.${i}`, units[i], nOut));
    const encoderUnits = [N_PIXELS, N_PIXELS, ...vae.hidden_units];
    const decoderUnits = [vae.latent_dim, ...[...vae.hidden_units].reverse()];
    this.encoder = chain("encoder", encoderUnits);
    this.mean = layer("mean", encoderUnits.at(-1), vae.latent_dim);
    this.std = layer("std", encoderUnits.at(-1), vae.latent_dim);
    this.decoder = chain("decoder", decoderUnits);
    this.output = layer("output", decoderUnits.at(-1), N_PIXELS);
  }

  /**
   * Encode one image: the mean of q(z | x).
   *
   * @param {Float64Array} pixels  (784,) in [0, 1]
   * @returns {Float64Array}  (D,), valid until the next call
   */
  encodeMean(pixels) {
    this.hidden = through(this.encoder, pixels);
    const mean = this.mean.apply(this.hidden);
    if (this.config.mean_activation === "relu") bound(mean, 0, Infinity);
    return mean;
  }

  /** The standard deviation of the image that `encodeMean` has just encoded, (D,) likewise. */
  encodeStd() {
    const floor = this.config.std_floor;
    const std = this.std.apply(this.hidden);
    if (this.config.std_activation === "relu") return bound(std, floor, Infinity);
    for (let d = 0; d < std.length; d++) std[d] = softplus(std[d]) + floor;
    return std;
  }

  /**
   * Decode one latent.
   *
   * @param {Float64Array} z  (D,)
   * @returns {Float64Array}  pixels in [0, 1], (784,), valid until the next call
   */
  decode(z) {
    const pixels = this.output.apply(through(this.decoder, z));
    const margin = this.config.pixel_margin;
    if (this.config.output_activation !== "sigmoid") return bound(pixels, margin, 1 - margin);
    for (let i = 0; i < N_PIXELS; i++) pixels[i] = 1 / (1 + Math.exp(-pixels[i]));
    return pixels;
  }

  /**
   * Compare an image with what a latent decodes to: -log p(x | z), in nats, summed over pixels.
   *
   * @param {Float64Array} z  (D,)
   * @param {Float64Array} pixels  the image, (784,) in [0, 1]
   */
  crossEntropy(z, pixels) {
    const activations = this.output.apply(through(this.decoder, z));
    let sum = 0;
    if (this.config.output_activation === "sigmoid") {
      // Of activations, not of pixels: a pixel of 1 has no logarithm of what is missing.
      for (let i = 0; i < N_PIXELS; i++)
        sum += softplus(activations[i]) - activations[i] * pixels[i];
      return sum;
    }
    const margin = this.config.pixel_margin;
    bound(activations, margin, 1 - margin);
    for (let i = 0; i < N_PIXELS; i++)
      sum -= pixels[i] * Math.log(activations[i]) + (1 - pixels[i]) * Math.log1p(-activations[i]);
    return sum;
  }
}

/**
 * The entropy of an image's pixels, in nats: what its cross-entropy cannot fall below.
 *
 * @param {Float64Array} pixels  (784,) in [0, 1]
 */
export function entropy(pixels) {
  let sum = 0;
  for (let i = 0; i < N_PIXELS; i++) {
    const p = pixels[i];
    if (p > 0 && p < 1) sum -= p * Math.log(p) + (1 - p) * Math.log1p(-p);
  }
  return sum;
}

/** One dense layer. Sums are float64: torch's order of adding is another, its result is not. */
class Layer {
  constructor(array, name, nIn, nOut) {
    this.weight = array(`${name}.weight`, nIn, nOut);
    this.bias = array(`${name}.bias`, nOut);
    this.active = new Int32Array(nIn); // where the inputs that are not zero have their weights
    this.output = new Float64Array(nOut);
  }

  /**
   * @param {Float64Array} input  (nIn,)
   * @returns {Float64Array}  (nOut,), valid until the next call
   */
  apply(input) {
    const { weight, active, output } = this;
    const nOut = output.length;
    output.set(this.bias);
    // Most pixels, and most of what leaves a ReLU, are zero.
    let n = 0;
    for (let i = 0; i < input.length; i++) if (input[i] !== 0) active[n++] = i;
    // Four rows at a time: a sum is loaded and stored once for four products.
    let at = 0;
    for (; at + 4 <= n; at += 4) {
      const [i0, i1, i2, i3] = [active[at], active[at + 1], active[at + 2], active[at + 3]];
      const [x0, x1, x2, x3] = [input[i0], input[i1], input[i2], input[i3]];
      const [w0, w1, w2, w3] = [i0 * nOut, i1 * nOut, i2 * nOut, i3 * nOut];
      for (let j = 0; j < nOut; j++)
        output[j] +=
          x0 * weight[w0 + j] + x1 * weight[w1 + j] + (x2 * weight[w2 + j] + x3 * weight[w3 + j]);
    }
    for (; at < n; at++) {
      const [x, w] = [input[active[at]], active[at] * nOut];
      for (let j = 0; j < nOut; j++) output[j] += x * weight[w + j];
    }
    return output;
  }
}

function through(layers, input) {
  for (const layer of layers) input = bound(layer.apply(input), 0, Infinity);
  return input;
}

/** log(1 + exp(x)), of large x too. */
function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function bound(values, low, high) {
  for (let i = 0; i < values.length; i++)
    values[i] = values[i] < low ? low : values[i] > high ? high : values[i];
  return values;
}
