// What a model becomes by the drawings whose truth it was told, and what they are worth.

import { Hand } from "../model/hand.js";

const QUIET = 400; // milliseconds without a change, after which it is measured

export class Learner {
  #hand;
  #turns = []; // of the hand's drawings
  #onWorth;
  #timer = 0;

  /**
   * @param {Model} model  its components have names
   * @param {(worth: ?{before: number, after: number, of: number}) => void} onWorth  called with what
   *   `Hand.worth` says, a while after something was learned; null: not known yet, or too few
   */
  constructor(model, onWorth) {
    this.#hand = new Hand(model);
    this.#onWorth = onWorth;
  }

  /**
   * Know these drawings and no others.
   *
   * @param {object[]} drawings  in the order of their turns: turn, label, and strokes or image
   * @returns {Model}  that has learned them
   */
  learn(drawings) {
    const wanted = new Set(drawings.map(({ turn }) => turn));
    for (let i = this.#turns.length - 1; i >= 0; i--) {
      if (wanted.has(this.#turns[i])) continue;
      this.#hand.remove(i);
      this.#turns.splice(i, 1);
    }
    for (const { turn, ...drawing } of drawings.slice(this.#turns.length)) {
      this.#hand.learn(drawing);
      this.#turns.push(turn);
    }
    this.stop();
    this.#onWorth(null);
    this.#timer = setTimeout(() => this.#onWorth(this.#hand.worth()), QUIET);
    return this.#hand.model;
  }

  /** The drawings as a file. */
  toNpz() {
    return this.#hand.toNpz();
  }

  /** Measure no more. */
  stop() {
    clearTimeout(this.#timer);
  }
}
