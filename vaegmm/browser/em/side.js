// One fit with its map and the row under it: where it begins, how it runs, what a hand does to it.

import { begin, beginAt } from "../model/starts.js";
import { Board, frameOf } from "./board.js";
import { endOf, presetMeans } from "./presets.js";
import { LocalFit } from "./fits.js";
import { make } from "../pieces/elements.js";
import { Setup } from "./setup.js";

const SLICE = 12; // milliseconds of a fit between two frames
const PRESETS = ["each", "two", "far"];
const BAD = ["two", "far"];
const TOLD = 0.6; // share of a point that has something to tell

export class Side {
  board;
  setup;
  #element;
  #sample;
  #act;
  #runner = 0;
  #frame = 0;
  #means = []; // put by hand
  #end = "";

  /**
   * @param {HTMLElement} parent
   * @param {string} name
   * @param {Sample} sample
   * @param {object} act  half(): which one is shown; go(half, isMoving), show(): all sides again;
   *   begun(): a person has begun another fit; recorded(): the page's fit; pick(point);
   *   update(): a fit has come further; use(fit), or null where nobody can fit to all
   */
  constructor(parent, name, sample, act) {
    this.#sample = sample;
    this.#act = act;
    const stage = make("div", { class: "stage" });
    const under = make("div", { class: "setup" });
    this.#element = make(
      "section",
      { class: "board", "aria-label": `Fit ${name}` },
      make("h4", {}, name),
      stage,
      under,
    );
    parent.append(this.#element);
    this.board = new Board(stage, sample, `Map of the clusters, fit ${name}`);
    this.board.onPick = (meant) => this.#pick(meant);
    this.board.onMove = (move) => this.#drag(move);
    this.setup = new Setup(under, sample, {
      begin: (settings) => this.#begin(settings),
      takeBack: () => this.#put(this.#means.slice(0, -1)),
      stop: () => {
        this.fit?.stop();
        this.#ended();
      },
      use: act.use && (() => act.use(this.fit)),
    });
  }

  get fit() {
    return this.board.fit;
  }

  get lastHalf() {
    return this.fit?.lastHalf ?? 0;
  }

  get canGoOn() {
    return Boolean(this.fit) && (!this.fit.isDone || this.#act.half() < this.lastHalf);
  }

  /** Compute a fit that runs here as far as a half step needs it. */
  reach(half) {
    while (this.fit && !this.fit.isDone && this.lastHalf < half) this.#compute();
    if (half > 0 && this.fit && !this.fit.isDone && !this.#runner) this.#run();
  }

  show(half, isMoving) {
    this.board.show(Math.min(half, this.lastHalf), { isMoving });
    this.setup.update(this.fit, this.#end);
  }

  destroy() {
    this.#rest();
    cancelAnimationFrame(this.#frame);
    this.board.destroy();
    this.#element.remove();
  }

  #begin(settings) {
    this.#act.begun();
    const { z, dimension } = this.#sample;
    if (settings.start === "fitted") {
      const { nComponents, covarianceType, regCovar } = this.#act.recorded();
      this.setup.show({ ...settings, nComponents, covarianceType, regCovar });
      return this.#take(this.#act.recorded());
    }
    if (settings.start === "hand") return this.#put([]);
    let start;
    if (PRESETS.includes(settings.start)) {
      const means = presetMeans(this.#sample, settings.start);
      const nComponents = means.length / dimension;
      this.setup.show({ ...settings, nComponents });
      start = beginAt(z, means, { ...settings, nComponents });
    } else start = begin(z, dimension, settings);
    this.#take(new LocalFit(z, start, settings));
    this.#run();
  }

  // Put means by hand, as points of the latent space.
  #put(means) {
    this.#means = means;
    const { settings } = this.setup;
    if (!means.length) {
      this.setup.show({ ...settings, start: "hand" });
      return this.#take(null);
    }
    const now = { ...settings, start: "hand", nComponents: means.length };
    this.setup.show(now);
    const flat = Float64Array.from(means.flatMap((mean) => [...mean]));
    this.#take(new LocalFit(this.#sample.z, beginAt(this.#sample.z, flat, now), now));
  }

  #take(fit) {
    this.#rest();
    this.#end = "";
    this.board.component = this.#mostMoved(fit);
    this.board.setFit(fit);
    this.board.point = this.#undecided(fit);
    this.#act.go(0);
  }

  // A fit that runs here goes on in the background, so that all of it can be gone through.
  #run() {
    const { fit } = this;
    this.#rest();
    const until = performance.now() + SLICE;
    while (!fit.isDone && performance.now() < until) fit.step();
    if (fit.isDone) return this.#ended();
    this.setup.update(fit);
    this.#act.update();
    this.#runner = setTimeout(() => this.#run());
  }

  #compute() {
    this.fit.step();
    if (this.fit.isDone) this.#ended();
  }

  #rest() {
    clearTimeout(this.#runner);
    this.#runner = 0;
  }

  #ended() {
    this.#rest();
    const { board, fit, setup } = this;
    fit.names = null; // they follow from where it has ended
    board.recolour();
    const isBad = BAD.includes(setup.settings.start);
    this.#end = isBad ? endOf(this.#sample, fit, board.names) : "";
    this.#act.show();
  }

  #pick({ component, isOnMean, point, place }) {
    if (this.#isPutting && !isOnMean)
      return this.#put([...this.#means, this.#sample.latentAt(place)]);
    if (component !== null) this.board.component = component;
    else if (point >= 0) this.#act.pick(point);
    this.#act.show();
  }

  get #isPutting() {
    return this.setup.settings.start === "hand" && this.#act.half() === 0;
  }

  // While a mean is dragged the points answer in the same frame: the E-step under the moved mean.
  #drag({ component, place, isDone }) {
    const { board, fit, setup } = this;
    const { dimension: d, projection, z } = this.#sample;
    const frame = fit.frame(frameOf(board.half));
    const means = Float64Array.from(frame.means);
    const own = means.subarray(component * d, (component + 1) * d);
    own.set(projection.unproject(place, own));
    if (this.#isPutting) {
      if (!isDone) return;
      this.#put(this.#means.map((mean, c) => (c === component ? own.slice() : mean)));
      return;
    }
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#rest();
      this.#act.begun();
      const moved = new LocalFit(z, { ...frame, means }, fit);
      moved.names = board.names;
      if (moved.lastHalf) moved.likelihoods[0] = moved.expectation(0, z).logLikelihood;
      this.#end = "";
      board.setFit(moved);
      // The chosen one is drawn last: chosen before, it would change places under the hand.
      if (isDone) board.component = component;
      setup.show({ ...setup.settings, start: "moved", nComponents: moved.nComponents });
      this.#act.go(1, false);
    });
  }

  // The component whose mean the first M-step moves furthest on the map: there is something to see.
  #mostMoved(fit) {
    if (!fit || fit.last === 0) return 0;
    const { projection } = this.#sample;
    const [from, to] = [0, 1].map((i) => projection.project(fit.frame(i).means));
    let [most, far] = [0, -1];
    for (let c = 0; c < fit.nComponents; c++) {
      const moved = Math.hypot(to[2 * c] - from[2 * c], to[2 * c + 1] - from[2 * c + 1]);
      if (moved > far) [most, far] = [c, moved];
    }
    return most;
  }

  // A likely point of which the first E-step is not sure: it has something to tell.
  #undecided(fit) {
    if (!fit?.lastHalf) return -1;
    const { responsibilities, components, logLikelihoods } = fit.expectation(0, this.#sample.z);
    const middle = Float64Array.from(logLikelihoods).sort()[logLikelihoods.length >> 1];
    let [best, least] = [0, Infinity];
    components.forEach((c, i) => {
      const far = Math.abs(responsibilities[i * fit.nComponents + c] - TOLD);
      if (logLikelihoods[i] >= middle && far < least) [best, least] = [i, far];
    });
    return best;
  }
}
