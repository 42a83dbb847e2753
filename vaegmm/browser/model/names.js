// What components are called, and how typical an image is, as labelling.py and typicality.py say.

/** p(label | z) from p(component | z). */
export class Names {
  /**
   * @param {ArrayLike<number>} labelGivenComponent  p(label | component), (K, C)
   * @param {number} nLabels  C
   */
  constructor(labelGivenComponent, nLabels) {
    Object.assign(this, { labelGivenComponent, nLabels });
    this.row = new Float64Array(nLabels);
  }

  /**
   * @param {ArrayLike<number>} responsibilities  (N, K)
   * @param {number} n  which of them
   * @param {Float32Array | Float64Array} out  (N, C), of which row n is filled
   */
  fill(responsibilities, n, out) {
    const { labelGivenComponent, nLabels, row } = this;
    const nComponents = labelGivenComponent.length / nLabels;
    row.fill(0);
    for (let k = 0; k < nComponents; k++) {
      const share = responsibilities[n * nComponents + k];
      if (share === 0) continue;
      for (let c = 0; c < nLabels; c++) row[c] += share * labelGivenComponent[k * nLabels + c];
    }
    out.set(row, n * nLabels);
  }
}

/** Nats of log p(z) that each nat counts which the reconstruction misses. */
export const EXCESS = 0.18;

/** What speaks for an image, in nats: log p(z) less a part of what its reconstruction misses. */
export function evidence(logLikelihood, excess) {
  return logLikelihood - EXCESS * excess;
}

/** Ranks among the training images, in [0, 1]. */
export class Ranks {
  /**
   * @param {Float32Array} logLikelihood  of the training images, in nats, rising, (M,)
   * @param {Float32Array} evidence  of the training images, in nats, rising, (M,)
   */
  constructor(logLikelihood, evidence) {
    Object.assign(this, { logLikelihood, evidence });
  }

  /** The share of training images with a lower log p(z). */
  ofLogLikelihood(logLikelihood) {
    return countBelow(this.logLikelihood, logLikelihood) / this.logLikelihood.length;
  }

  /**
   * The share of training images that are less typical.
   *
   * @param {number} logLikelihood  log p(z), in nats
   * @param {number} excess  what the reconstruction misses, in nats
   */
  typicality(logLikelihood, excess) {
    return countBelow(this.evidence, evidence(logLikelihood, excess)) / this.evidence.length;
  }
}

function countBelow(rising, value) {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
