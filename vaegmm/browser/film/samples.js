// The same images through all of a training: inputs above, and below each its copy.

import { make } from "../pieces/elements.js";
import { inkRgb, paint } from "../pieces/pictures.js";

const SIDE = 28; // pixels of an image
const SCALE = 4; // each of its pixels is drawn as so many, so that scaling leaves it a square
const BETWEEN = 3; // pixels of an image between two, and between an input and its copy
const APART = 9; // between a row of copies and the next inputs
const ROW = 2 * SIDE + BETWEEN + APART;

/** Inputs and copies on one canvas. */
export class Samples {
  #columns;
  #canvas = make("canvas", { class: "sheet", role: "img" });
  #one = new OffscreenCanvas(SIDE, SIDE);
  #images = null;
  #copies = null;

  /**
   * @param {HTMLElement} element
   * @param {number} columns
   */
  constructor(element, columns) {
    this.#columns = columns;
    element.append(this.#canvas);
  }

  /** @param {Uint8Array} images  (S, 784), the inputs */
  setImages(images) {
    this.#images = images;
    const n = images.length / SIDE ** 2;
    const columns = Math.min(n, this.#columns);
    this.#canvas.width = SCALE * (columns * (SIDE + BETWEEN) - BETWEEN);
    this.#canvas.height = SCALE * (Math.ceil(n / this.#columns) * ROW - APART);
    this.#canvas.setAttribute("aria-label", `${n} images, and below each its copy`);
    this.paint();
  }

  /** @param {Uint8Array} copies  (S, 784) */
  show(copies) {
    if (copies === this.#copies) return;
    this.#copies = copies;
    this.#draw(copies, SIDE + BETWEEN, inkRgb(this.#canvas));
  }

  /** Draw everything again, in the ink of the page. */
  paint() {
    const ink = inkRgb(this.#canvas);
    if (this.#images) this.#draw(this.#images, 0, ink);
    if (this.#copies) this.#draw(this.#copies, SIDE + BETWEEN, ink);
  }

  #draw(images, top, ink) {
    const context = this.#canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    const side = SCALE * SIDE;
    for (let i = 0; i < images.length / SIDE ** 2; i++) {
      const x = SCALE * (i % this.#columns) * (SIDE + BETWEEN);
      const y = SCALE * (Math.floor(i / this.#columns) * ROW + top);
      paint(this.#one, images.subarray(i * SIDE ** 2, (i + 1) * SIDE ** 2), ink);
      context.clearRect(x, y, side, side);
      context.drawImage(this.#one, x, y, side, side);
    }
  }
}
