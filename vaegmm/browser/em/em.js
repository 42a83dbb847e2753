// EM, to be watched and touched: a fit step by step, begun by hand, and two beside each other.

import { Board, frameOf, MANY } from "./board.js";
import { begin, beginAt } from "../model/starts.js";
import { Chart } from "./chart.js";
import { Comparison } from "./comparison.js";
import { countOf } from "../pieces/words.js";
import { Formulas } from "./formulas.js";
import { LocalFit, RecordedFit } from "./fits.js";
import { make, makeButton, makeSelect, setChoices } from "../pieces/elements.js";
import { Player } from "./player.js";
import { endOf, presetMeans } from "./presets.js";
import { Sample } from "./sample.js";
import { Setup } from "./setup.js";
import { axisSets } from "../explorer/axes.js";

const SLICE = 12; // milliseconds of a fit between two frames
const PRESETS = ["each", "two", "far"];
const STEPS = {
  start: "Press E: it asks each point which clusters it may come from.",
  e: "E: each point takes the blended colours of the clusters that it may come from.",
  m: "M: each cluster moves to its points: new mean, new spread, new share.",
  near: "They begin near their places here; begin at random points to see them travel.",
  end: "Nothing moves any more: EM has converged.",
};

/**
 * Put EM into an element; `em.css` goes with it.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model  whose stored z are clustered
 * @param {Uint8Array | null} [options.truth]  their true labels
 * @param {(start: object) => void} [options.onFit]  called with covariance_type, reg_covar, weights,
 *   means and covariances from which a fit to all stored z shall begin
 * @returns {{setFit: (data: ArrayBuffer | null, title: string) => void, shown: object[], destroy:
 *   () => void}}  setFit shows a recorded fit, a block of fit_blob.py; shown says of each fit what
 *   is seen of it: half, settings, nFrames, component, point, parameters, and where its means are, in pixels
 */
export function createEm(element, { model, truth = null, onFit = null }) {
  return new Em(element, model, truth, onFit);
}

class Em {
  #root;
  #sample;
  #sides = []; // { board, setup, runner, means }
  #half = 0;
  #player;
  #chart;
  #close;
  #formulas;
  #comparison;
  #parts;
  #recorded = null;
  #title = "";
  #isTouched = false;
  #onFit;
  #frame = 0;

  constructor(element, model, truth, onFit) {
    this.#onFit = onFit;
    this.#sample = new Sample(model, truth);
    const parts = (this.#parts = {
      bar: make("div", { class: "player" }),
      boards: make("div", { class: "boards" }),
      told: make("p", { class: "told", role: "status" }),
      close: make("div", { class: "chart close" }),
      whole: make("div", { class: "chart whole" }),
      formulas: make("div", { class: "formulas" }),
      comparison: make("div", { class: "comparison", hidden: true }),
    });
    const side = [parts.formulas, parts.close, parts.whole, parts.comparison];
    this.#root = make(
      "div",
      { class: "em" },
      make("div", { class: "layout" }, parts.bar, parts.told, parts.boards, make("div", { class: "side" }, side)),
    );
    element.append(this.#root);
    const go = (half) => {
      this.#player.pause();
      this.go(half);
    };
    this.#close = new Chart(parts.close, go);
    this.#chart = new Chart(parts.whole, go);
    this.#formulas = new Formulas(parts.formulas, this.#sample, (component) => {
      this.#sides[0].board.component = component;
      this.go(this.#half, false);
    });
    this.#comparison = new Comparison(parts.comparison, model, truth, (rows) => this.#ring(rows));
    this.#player = new Player(this.#root, parts.bar, {
      half: () => this.#half,
      last: () => this.#last,
      go: (half, isMoving) => this.go(half, isMoving),
      canGoOn: () => this.#sides.some((side) => this.#canGoOn(side)),
      say: (half) => this.#said(half),
    });
    parts.bar.append(this.#choices());
    this.#add();
    this.#sides[0].setup.choose({ start: "random_from_data" });
    this.#isTouched = false;
  }

  /** Show the fit that the page shows; null: it is waited for. */
  setFit(data, title) {
    this.#recorded = data && new RecordedFit(data);
    this.#title = title;
    for (const { setup } of this.#sides) setup.offer(title, Boolean(data));
    if (!data) return;
    // Not from under a hand: whoever has begun something finds the page's fit among the starts.
    if (!this.#isTouched) this.#sides[0].setup.choose({ start: "fitted" });
    this.#isTouched = false;
  }

  /** Show a half step of all fits; those that are over rest at their end. */
  go(half, isMoving = true) {
    for (const side of this.#sides) {
      const { fit } = side.board;
      // One that runs here is computed as far as it is wanted.
      while (fit && !fit.isDone && lastOf(fit) < half) this.#compute(side);
      if (half > 0 && fit && !fit.isDone && !side.runner) this.#run(side);
    }
    this.#half = Math.max(Math.min(half, this.#last), 0);
    this.#isTouched ||= half > 0;
    this.#show(isMoving);
  }

  get shown() {
    return this.#sides.map(({ board, setup }) => ({
      ...{ half: board.half, settings: setup.settings, nFrames: board.fit?.nFrames ?? 0 },
      ...{ component: board.component, point: board.point, means: board.means },
      parameters: board.fit?.frame(frameOf(board.half)) ?? null,
    }));
  }

  destroy() {
    this.#player.destroy();
    this.#comparison.destroy();
    cancelAnimationFrame(this.#frame);
    for (const side of this.#sides) this.#remove(side);
    this.#root.remove();
  }

  get #last() {
    return Math.max(...this.#sides.map(({ board }) => lastOf(board.fit)), 0);
  }

  #canGoOn({ board }) {
    return Boolean(board.fit) && (!board.fit.isDone || this.#half < lastOf(board.fit));
  }

  #said(half) {
    const { fit } = this.#sides[0].board;
    if (!fit) return "";
    const own = Math.min(half, lastOf(fit));
    const number = fit.number(frameOf(own));
    const iterations = countOf(fit.number(fit.last), "iteration");
    if (half === 0) return fit.last ? `start of ${iterations}` : "start";
    if (fit.isDone && own === lastOf(fit)) return `end of ${iterations}`;
    const last = countOf(fit.number(fit.last));
    return `iteration ${own % 2 ? number + 1 : number} of ${last}, after ${own % 2 ? "E" : "M"}`;
  }

  #choices() {
    const axes = makeSelect("Axes", (value) => {
      this.#sample.look(value);
      for (const { board } of this.#sides) board.look();
      this.#show(false);
    });
    const titles = { mixture: "furthest apart", pca: "principal axes" };
    const sets = axisSets(this.#sample.model);
    setChoices(axes, Object.fromEntries(Object.keys(sets).map((set) => [set, titles[set]])), "mixture");
    const compare = makeButton("Compare", () => {
      const isTwo = this.#sides.length > 1;
      if (isTwo) this.#remove(this.#sides.pop());
      else {
        const side = this.#add();
        side.setup.choose({ ...this.#sides[0].setup.settings, start: "random_from_data", nComponents: 10, seed: 1 });
      }
      compare.setAttribute("aria-pressed", String(!isTwo));
      this.#root.toggleAttribute("data-two", !isTwo);
      this.#parts.comparison.hidden = isTwo;
      this.#show(false);
    }, { "aria-pressed": "false", title: "Another fit beside this one, step by step" });
    return make("div", { class: "views" }, compare, axes);
  }

  #add() {
    const name = this.#sides.length ? "B" : "A";
    const stage = make("div", { class: "stage" });
    const under = make("div", { class: "setup" });
    const element = make("section", { class: "board", "aria-label": `Fit ${name}` }, make("h4", {}, name), stage, under);
    this.#parts.boards.append(element);
    const board = new Board(stage, this.#sample, `Map of the clusters, fit ${name}`);
    const side = { element, board, runner: 0, means: [] };
    side.setup = new Setup(under, this.#sample, {
      begin: (settings) => this.#begin(side, settings),
      takeBack: () => this.#put(side, side.means.slice(0, -1)),
      stop: () => {
        side.board.fit?.stop();
        this.#ended(side);
      },
      use:
        this.#onFit &&
        (() => {
          this.#isTouched = false;
          this.#onFit(startOf(side.board.fit));
        }),
    });
    if (this.#title) side.setup.offer(this.#title, Boolean(this.#recorded));
    board.onPick = (meant) => this.#pick(side, meant);
    board.onMove = (move) => this.#drag(side, move);
    this.#sides.push(side);
    return side;
  }

  #remove(side) {
    this.#rest(side);
    side.board.destroy();
    side.element.remove();
  }

  #begin(side, settings) {
    this.#player.pause();
    this.#isTouched = true;
    const { z, dimension } = this.#sample;
    if (settings.start === "fitted") {
      const { nComponents, covarianceType, regCovar } = this.#recorded;
      side.setup.show({ ...settings, nComponents, covarianceType, regCovar });
      return this.#take(side, this.#recorded);
    }
    if (settings.start === "hand") return this.#put(side, []);
    let start;
    if (PRESETS.includes(settings.start)) {
      const means = presetMeans(this.#sample, settings.start);
      const nComponents = means.length / dimension;
      side.setup.show({ ...settings, nComponents });
      start = beginAt(z, means, { ...settings, nComponents });
    } else start = begin(z, dimension, settings);
    this.#take(side, new LocalFit(z, start, settings));
    this.#run(side);
  }

  // Put means by hand, as points of the latent space.
  #put(side, means) {
    side.means = means;
    const settings = { ...side.setup.settings, start: "hand", nComponents: means.length };
    if (!means.length) {
      side.setup.show({ ...settings, nComponents: side.setup.settings.nComponents });
      return this.#take(side, null);
    }
    side.setup.show(settings);
    const flat = Float64Array.from(means.flatMap((mean) => [...mean]));
    this.#take(side, new LocalFit(this.#sample.z, beginAt(this.#sample.z, flat, settings), settings));
  }

  #take(side, fit) {
    this.#rest(side);
    side.end = "";
    side.board.component = this.#mostMoved(fit);
    side.board.setFit(fit);
    if (this.#sides[0] === side) side.board.point = this.#undecided(fit);
    this.go(0);
  }

  // A fit that runs here goes on in the background, so that all of it can be gone through.
  #run(side) {
    const { fit } = side.board;
    this.#rest(side);
    const until = performance.now() + SLICE;
    while (!fit.isDone && performance.now() < until) fit.step();
    if (fit.isDone) return this.#ended(side);
    this.#tell(side);
    side.runner = setTimeout(() => this.#run(side));
  }

  #compute(side) {
    side.board.fit.step();
    if (side.board.fit.isDone) this.#ended(side);
  }

  #rest(side) {
    clearTimeout(side.runner);
    side.runner = 0;
  }

  #ended(side) {
    this.#rest(side);
    side.board.fit.names = null; // they follow from where it has ended
    side.board.recolour();
    const isBad = ["two", "far"].includes(side.setup.settings.start);
    side.end = isBad ? endOf(this.#sample, side.board.fit, side.board.names) : "";
    if (this.#sides.includes(side)) this.#show(false);
  }

  #tell(side) {
    side.setup.update(side.board.fit);
    this.#player.update();
  }

  #pick(side, { component, isOnMean, point, place }) {
    const { board, setup, means } = side;
    if (setup.settings.start === "hand" && this.#half === 0 && !isOnMean)
      return this.#put(side, [...means, this.#sample.latentAt(place)]);
    if (component !== null) board.component = component;
    else if (point >= 0) for (const { board } of this.#sides) board.point = point;
    else return;
    this.#show(false);
  }

  // While a mean is dragged the points answer in the same frame: the E-step under the moved mean.
  #drag(side, { component, place, isDone }) {
    this.#player.pause();
    const { board, setup } = side;
    const { dimension: d, projection, z } = this.#sample;
    const frame = board.fit.frame(frameOf(Math.min(this.#half, lastOf(board.fit))));
    const means = Float64Array.from(frame.means);
    means.set(projection.unproject(place, means.slice(component * d, (component + 1) * d)), component * d);
    if (setup.settings.start === "hand" && this.#half === 0) {
      side.means[component] = means.slice(component * d, (component + 1) * d);
      if (!isDone) return;
      board.component = component;
      return this.#put(side, side.means);
    }
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#rest(side);
      const fit = new LocalFit(z, { ...frame, means }, board.fit);
      side.end = "";
      fit.names = board.names;
      fit.likelihoods[0] = fit.expectation(0, z).logLikelihood;
      board.setFit(fit);
      if (isDone) board.component = component;
      setup.show({ ...setup.settings, start: "moved", nComponents: fit.nComponents });
      this.#half = 1;
      this.#show(false);
      if (isDone) this.#run(side);
    });
  }

  #show(isMoving) {
    for (const side of this.#sides) {
      const { board, setup } = side;
      const last = board.fit ? lastOf(board.fit) : 0;
      board.show(Math.min(this.#half, last), { isMoving });
      setup.update(board.fit, side.end);
    }
    const [{ board }] = this.#sides;
    this.#parts.told.textContent = this.#sentence(board);
    this.#formulas.show(board);
    const shown = this.#sides
      .filter(({ board }) => board.fit)
      .map(({ board }) => ({ fit: board.fit, half: board.half }));
    const isScored = Boolean(board.fit?.likelihoods.length);
    this.#parts.close.hidden = this.#parts.whole.hidden = !isScored;
    if (isScored) {
      this.#close.show(shown.slice(0, 1), true);
      this.#chart.show(shown, false);
    }
    if (shown.length > 1)
      this.#comparison.show(this.#sides.map(({ board }) => ({ board, frame: frameOf(board.half) })));
    this.#player.update();
  }

  #sentence({ fit, half }) {
    if (!fit) return "Click on the map where a cluster shall begin.";
    if (fit.fault) return fit.fault;
    if (fit.isDone && half >= lastOf(fit) - 1 && half > 1 && fit.isConverged) return STEPS.end;
    if (half === 2 && fit.isRecorded && fit.nComponents > MANY) return `${STEPS.m} ${STEPS.near}`;
    return half === 0 ? STEPS.start : half % 2 ? STEPS.e : STEPS.m;
  }

  // The shown point that the fit's end is least sure of, among those that are likely: it has
  // something to tell.
  #undecided(fit) {
    if (!fit) return -1;
    const { responsibilities, components, logLikelihoods } = fit.expectation(0, this.#sample.z);
    const middle = Float64Array.from(logLikelihoods).sort()[logLikelihoods.length >> 1];
    let [best, least] = [0, Infinity];
    components.forEach((c, i) => {
      const far = Math.abs(responsibilities[i * fit.nComponents + c] - 0.6);
      if (logLikelihoods[i] >= middle && far < least) [best, least] = [i, far];
    });
    return best;
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

  #ring(rows) {
    const wanted = new Set(rows);
    const marked = [...this.#sample.rows.keys()].filter((i) => wanted.has(this.#sample.rows[i]));
    for (const { board } of this.#sides) board.mark(marked);
  }
}

/** The last half step of a fit: the E-step under its last parameters. */
function lastOf(fit) {
  return fit ? 2 * fit.last + 1 : 0;
}

// Where a fit to all stored z shall begin: where this one did.
function startOf(fit) {
  const { weights, means, covariances } = fit.frame(0);
  return {
    covariance_type: fit.covarianceType,
    reg_covar: fit.regCovar,
    weights: [...weights],
    means: [...means],
    covariances: [...covariances],
  };
}
