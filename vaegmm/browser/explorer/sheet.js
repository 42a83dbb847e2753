// A sheet of decoded images behind the points: what the plane that is seen decodes to. It follows
// the zoom; cells that are seen again are not decoded again.

import { paint } from "../pieces/pictures.js";

const CELL = 44; // pixels a cell takes at least
const CELL_SIDE = 28; // pixels of its image
const MOST_CELLS = 4000; // remembered
const STRENGTH = 0.6; // of the ink: points lie on it
const BUSY_DECODING = 6; // milliseconds, after which the page has its turn

/** It draws into a map while it is told what the map shows. */
export class Sheet {
  #map;
  #cells = new Map();
  #run = 0;

  constructor(map) {
    this.#map = map;
  }

  /** Forget what was decoded: axes, place or ink are others. */
  forget() {
    this.#cells.clear();
  }

  /** Take it away. */
  clear() {
    this.#run++;
    this.#map.setBackdrop([]);
  }

  /**
   * @param {{left: number, right: number, bottom: number, top: number}} bounds  of what is seen
   * @param {number} width  of the map, in pixels
   * @param {(place: number[]) => ArrayLike<number>} decode
   * @param {number[]} ink
   */
  async show({ left, right, bottom, top }, width, decode, ink) {
    const run = ++this.#run;
    const wanted = (CELL * (right - left)) / width;
    // Cells have sides of powers of two in the data: a pan or a zoom finds them where they were.
    const side = 2 ** Math.ceil(Math.log2(wanted));
    const [first, last] = [Math.floor(left / side), Math.ceil(right / side)];
    const [low, high] = [Math.floor(bottom / side), Math.ceil(top / side)];
    const canvas = document.createElement("canvas");
    canvas.width = (last - first) * CELL_SIDE;
    canvas.height = (high - low) * CELL_SIDE;
    const edges = { left: first * side, right: last * side, bottom: low * side, top: high * side };
    const put = () => this.#map.setBackdrop([{ image: canvas, ...edges }]);
    let start = performance.now();
    for (let row = high - 1; row >= low; row--)
      for (let column = first; column < last; column++) {
        const key = `${side} ${column} ${row}`;
        if (!this.#cells.has(key)) {
          if (this.#cells.size >= MOST_CELLS) this.#cells.delete(this.#cells.keys().next().value);
          const pixels = decode([(column + 0.5) * side, (row + 0.5) * side]);
          this.#cells.set(key, Uint8Array.from(pixels, (value) => 255 * STRENGTH * value));
        }
        const [x, y] = [(column - first) * CELL_SIDE, (high - 1 - row) * CELL_SIDE];
        paint(canvas, this.#cells.get(key), ink, x, y);
        if (performance.now() - start < BUSY_DECODING) continue;
        put();
        await new Promise((resolve) => setTimeout(resolve));
        if (run !== this.#run) return;
        start = performance.now();
      }
    put();
  }
}
