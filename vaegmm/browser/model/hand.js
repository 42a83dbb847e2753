// What a hand has taught a model: labelled drawings, and the model that has learned them.

import { learn, prepare, worth } from "./adaptation.js";
import { fromFile, toFile } from "./drawingfile.js";

const MOST = 500; // drawings that are learned

/**
 * The drawings of one hand, in the order in which they were learned.
 *
 * @example
 * const hand = new Hand(model);
 * hand.learn({ strokes, label: 7 });
 * readStrokes(hand.model, others);
 */
export class Hand {
  #base;
  #lessons = [];
  #model = null;
  #worth;

  /**
   * @param {Model} model  that is taught; its components have names
   */
  constructor(model) {
    this.#base = model;
  }

  /** How many drawings it has learned. */
  get size() {
    return this.#lessons.length;
  }

  /** The drawings, the latest last: {strokes, or null; image (784,); label}. */
  get drawings() {
    return this.#lessons.map(({ strokes, image, label }) => ({ strokes, image, label }));
  }

  /** The model that has learned them; the one it was made with where there are none. */
  get model() {
    return (this.#model ??= learn(this.#base, this.#lessons));
  }

  /**
   * Learn a drawing: strokes, or an image (784,) where there are none.
   *
   * @param {{strokes?: ?number[][][], image?: ?ArrayLike<number>, label: number}} drawing
   * @throws {Error} if it is no drawing, the label is unusable, or there are too many
   */
  learn(drawing) {
    this.#add([drawing]);
  }

  /** Forget the latest drawing; return it, or null where there is none. */
  undo() {
    const last = this.drawings.at(-1) ?? null;
    this.#set(this.#lessons.slice(0, -1));
    return last;
  }

  /** Forget one of the drawings, by its place among them. */
  remove(place) {
    this.#set(this.#lessons.toSpliced(place, 1));
  }

  /** Forget all. */
  forget() {
    this.#set([]);
  }

  /**
   * What the drawings are worth: the share that is read rightly without any of them, and by all
   * the others.
   *
   * @returns {?{before: number, after: number, of: number}}  null: too few to tell
   */
  worth() {
    if (this.#worth === undefined) this.#worth = worth(this.#base, this.#lessons);
    return this.#worth;
  }

  /** The drawings as a file that `vaegmm evaluate`, `vaegmm adapt` and `addNpz` read. */
  toNpz() {
    return toFile(this.#lessons);
  }

  /**
   * Learn the drawings of a file.
   *
   * @param {ArrayBuffer | Uint8Array} bytes
   * @returns {number}  how many they are
   * @throws {Error} if it is another kind of file, or one of them cannot be learned: then none is
   */
  addNpz(bytes) {
    const drawings = fromFile(bytes);
    this.#add(drawings);
    return drawings.length;
  }

  /** The drawings as text, to be stored. */
  toJson() {
    const kept = this.#lessons.map(({ strokes, image, label }) =>
      strokes ? { strokes, label } : { image: Array.from(image), label },
    );
    return JSON.stringify(kept);
  }

  /**
   * @param {Model} model
   * @param {string} text  what `toJson` returned
   * @returns {Hand}
   * @throws {Error} if it is other text, or of a model with other labels
   */
  static fromJson(model, text) {
    const hand = new Hand(model);
    const drawings = JSON.parse(text);
    if (!Array.isArray(drawings)) throw new Error("text must be that of a hand's toJson.");
    hand.#add(drawings);
    return hand;
  }

  #add(drawings) {
    if (this.size + drawings.length > MOST)
      throw new Error(`a hand must be at most ${MOST} drawings; this would make it more.`);
    this.#set([...this.#lessons, ...drawings.map((drawing) => prepare(this.#base, drawing))]);
  }

  #set(lessons) {
    this.#lessons = lessons;
    this.#model = null;
    this.#worth = undefined;
  }
}
