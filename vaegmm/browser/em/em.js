// EM, to be watched and touched: a fit step by step, begun by hand, and two beside each other.

import { axisSets } from "../explorer/axes.js";
import { frameOf, MANY } from "./board.js";
import { Chart } from "./chart.js";
import { Comparison } from "./comparison.js";
import { countOf } from "../pieces/words.js";
import { Formulas } from "./formulas.js";
import { RecordedFit } from "./fits.js";
import { make, makeButton, makeSelect, setChoices } from "../pieces/elements.js";
import { Player } from "./player.js";
import { Sample } from "./sample.js";
import { Side } from "./side.js";

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
 * @param {(start: object) => void} [options.onFit]  called with covariance_type, reg_covar,
 *   weights, means and covariances from which a fit to all stored z shall begin
 * @returns {{setFit: (data: ArrayBuffer | null, title: string) => void, shown: object[], destroy:
 *   () => void}}  setFit shows a recorded fit, a block of fit_blob.py; shown says of each fit what
 *   is seen of it: half, settings, nFrames, component, point, parameters, and where its means are,
 *   in pixels
 */
export function createEm(element, { model, truth = null, onFit = null }) {
  return new Em(element, model, truth, onFit);
}

class Em {
  #root;
  #sample;
  #sides = [];
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
      make(
        "div",
        { class: "layout" },
        parts.bar,
        parts.told,
        parts.boards,
        make("div", { class: "side" }, side),
      ),
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
      canGoOn: () => this.#sides.some((side) => side.canGoOn),
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
    for (const side of this.#sides) side.reach(half);
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
    for (const side of this.#sides) side.destroy();
    this.#root.remove();
  }

  get #last() {
    return Math.max(...this.#sides.map(({ lastHalf }) => lastHalf), 0);
  }

  #said(half) {
    const { fit } = this.#sides[0];
    if (!fit) return "";
    const own = Math.min(half, fit.lastHalf);
    const number = fit.number(frameOf(own));
    const iterations = countOf(fit.number(fit.last), "iteration");
    if (half === 0) return fit.last ? `start of ${iterations}` : "start";
    if (fit.isDone && own === fit.lastHalf) return `end of ${iterations}`;
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
    setChoices(
      axes,
      Object.fromEntries(Object.keys(sets).map((set) => [set, titles[set]])),
      "mixture",
    );
    const compare = makeButton(
      "Compare",
      () => {
        const isTwo = this.#sides.length > 1;
        if (isTwo) this.#sides.pop().destroy();
        else {
          const side = this.#add();
          side.setup.choose({
            ...this.#sides[0].setup.settings,
            start: "random_from_data",
            nComponents: 10,
            seed: 1,
          });
        }
        compare.setAttribute("aria-pressed", String(!isTwo));
        this.#root.toggleAttribute("data-two", !isTwo);
        this.#parts.comparison.hidden = isTwo;
        this.#show(false);
      },
      { "aria-pressed": "false", title: "Another fit beside this one, step by step" },
    );
    return make("div", { class: "views" }, compare, axes);
  }

  #add() {
    const name = this.#sides.length ? "B" : "A";
    const side = new Side(this.#parts.boards, name, this.#sample, {
      half: () => this.#half,
      go: (half, isMoving) => this.go(half, isMoving),
      show: () => this.#show(false),
      update: () => this.#player.update(),
      begun: () => {
        this.#player.pause();
        this.#isTouched = true;
      },
      recorded: () => this.#recorded,
      pick: (point) => {
        for (const { board } of this.#sides) board.point = point;
      },
      use: this.#onFit && ((fit) => this.#use(fit)),
    });
    if (this.#title) side.setup.offer(this.#title, Boolean(this.#recorded));
    this.#sides.push(side);
    return side;
  }

  // Hand on where a fit has begun: Python fits it to all stored z, and it is the page's then.
  #use(fit) {
    this.#isTouched = false;
    const { weights, means, covariances } = fit.frame(0);
    this.#onFit({
      covariance_type: fit.covarianceType,
      reg_covar: fit.regCovar,
      weights: [...weights],
      means: [...means],
      covariances: [...covariances],
    });
  }

  #show(isMoving) {
    for (const side of this.#sides) side.show(this.#half, isMoving);
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
      this.#comparison.show(
        this.#sides.map(({ board }) => ({ board, frame: frameOf(board.half) })),
      );
    this.#player.update();
  }

  #sentence({ fit, half }) {
    if (!fit) return "Click on the map where a cluster shall begin.";
    if (fit.fault) return fit.fault;
    if (fit.isDone && half >= fit.lastHalf - 1 && half > 1 && fit.isConverged) return STEPS.end;
    if (half === 2 && fit.isRecorded && fit.nComponents > MANY) return `${STEPS.m} ${STEPS.near}`;
    return half === 0 ? STEPS.start : half % 2 ? STEPS.e : STEPS.m;
  }

  #ring(rows) {
    const wanted = new Set(rows);
    const marked = [...this.#sample.rows.keys()].filter((i) => wanted.has(this.#sample.rows[i]));
    for (const { board } of this.#sides) board.mark(marked);
  }
}
