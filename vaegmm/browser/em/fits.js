// A fit that can be played: one that Python has recorded, or one that runs here.
//
// Frame i holds the parameters after `number(i)` iterations. An E-step looks at them; the M-step
// after it makes frame i + 1.

import { eStep, lowerBound, mixtureOf, mStep, nParameters, reseed } from "../model/em.js";
import { readBlob } from "../model/blob.js";

const KEPT = 6; // E-steps, so that going back and forth computes none twice
const TOL = 1e-4; // nats: by less the likelihood stands still, as in Python
export const MOST_ITERATIONS = 200;

class Fit {
  #kept = new Map(); // frame -> its E-step on the shown points

  get dimension() {
    return this.frame(0).means.length / this.nComponents;
  }

  get nParameters() {
    return nParameters(this.nComponents, this.dimension, this.covarianceType);
  }

  /** The last frame there is, as yet. */
  get last() {
    return this.nFrames - 1;
  }

  /** The last half step there is: the E-step under the last parameters. */
  get lastHalf() {
    return 2 * this.last + 1;
  }

  /** The E-step under frame i, on the shown points. */
  expectation(i, z) {
    const kept = this.#kept.get(i);
    if (kept) return kept;
    const near = this.#kept.get(i - 1) ?? this.#kept.get(i + 1);
    return this.keep(i, eStep(mixtureOf(this.frame(i)), z, near?.components));
  }

  keep(i, expectation) {
    this.#kept.set(i, expectation);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
    return expectation;
  }
}

/** A fit that Python has made of all stored z, from a block of fit_blob.py. */
export class RecordedFit extends Fit {
  #weights;
  #means;
  #covariances;

  constructor(data) {
    super();
    const { header, array } = readBlob(data);
    if (header.kind !== "fit") throw new Error("A fit was expected; got another kind of data.");
    const { n_frames: f, n_components: k, dimension: d, n_iterations: t } = header;
    this.nComponents = k;
    this.covarianceType = header.covariance_type;
    this.regCovar = header.reg_covar;
    this.nPoints = header.n_points;
    this.isConverged = header.converged;
    this.isOnwards = header.onwards;
    this.isRecorded = this.isDone = true;
    this.nFrames = f;
    this.numbers = array("numbers", f);
    this.likelihoods = array("log_likelihoods", t + 1);
    this.bounds = array("lower_bounds", t);
    this.names = header.is_named ? array("names", k) : null;
    this.#weights = array("weights", f, k);
    this.#means = array("means", f, k, d);
    this.#covariances = array("covariances", f, k, (d * (d + 1)) / 2);
  }

  number(i) {
    return this.numbers[i];
  }

  /** The components that the M-step before frame i has let begin again: not recorded. */
  begun() {
    return [];
  }

  frame(i) {
    const k = this.nComponents;
    const of = (values) =>
      values.subarray((i * values.length) / this.nFrames, ((i + 1) * values.length) / this.nFrames);
    const means = Float64Array.from(of(this.#means));
    const d = means.length / k;
    const covariances = new Float64Array(k * d * d);
    const lower = of(this.#covariances);
    for (let c = 0, at = 0; c < k; c++)
      for (let row = 0; row < d; row++)
        for (let column = 0; column <= row; column++, at++)
          covariances[(c * d + row) * d + column] = covariances[(c * d + column) * d + row] =
            lower[at];
    return { weights: Float64Array.from(of(this.#weights)), means, covariances };
  }
}

/** A fit that runs here, on the shown points. */
export class LocalFit extends Fit {
  #z;
  #frames;
  #begun = [[]];
  #isSound;

  /**
   * @param {Float32Array} z  (N, D)
   * @param {Parameters} start
   * @param {{covarianceType: string, regCovar: number}} settings
   */
  constructor(z, start, { covarianceType, regCovar }) {
    super();
    this.#z = z;
    this.#frames = [start];
    this.nComponents = start.weights.length;
    this.nPoints = (z.length / start.means.length) * this.nComponents;
    Object.assign(this, { covarianceType, regCovar, names: null, fault: "" });
    this.isRecorded = this.isDone = this.isConverged = this.isOnwards = false;
    this.likelihoods = [];
    this.bounds = [];
    this.#isSound = this.#check();
  }

  // Under a start that is unsound no point can be asked.
  get lastHalf() {
    return this.#isSound ? super.lastHalf : 0;
  }

  get nFrames() {
    return this.#frames.length;
  }

  number(i) {
    return i;
  }

  begun(i) {
    return this.#begun[i];
  }

  frame(i) {
    return this.#frames[i];
  }

  /** One more iteration; where the likelihood stands still, it was the last. */
  step() {
    if (this.isDone) return;
    const now = this.#frames.at(-1);
    const e = this.expectation(this.last, this.#z);
    this.likelihoods[this.last] = e.logLikelihood;
    const next = mStep(this.#z, e.responsibilities, this.nComponents, this, now.means);
    const begun = reseed(next, this.#z, e.logLikelihoods);
    this.#frames.push(next);
    if (!this.#check()) return;
    this.#begun.push(begun);
    const bound = begun.length ? NaN : lowerBound(now, next, e.logLikelihood, this.regCovar);
    this.bounds.push(bound);
    const rise = this.likelihoods.at(-1) - this.likelihoods.at(-2);
    this.isConverged = !begun.length && Math.abs(rise) < TOL;
    if (this.isConverged || this.last >= MOST_ITERATIONS) this.stop();
  }

  // A fit ends before parameters with which no point can be asked; a start has to stay.
  #check() {
    try {
      mixtureOf(this.#frames.at(-1));
      return true;
    } catch (error) {
      this.fault = error.message;
      this.isDone = true;
      if (this.nFrames > 1) this.#frames.pop();
      return false;
    }
  }

  /** There will be no further iteration; the last parameters are scored. */
  stop() {
    if (this.isDone) return;
    this.isDone = true;
    this.likelihoods[this.last] = this.expectation(this.last, this.#z).logLikelihood;
  }
}
