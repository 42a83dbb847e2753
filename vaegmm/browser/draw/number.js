// A wide pad for several digits in a row, each read while the pen moves.

import { asCss, colourOf } from "../pieces/colours.js";
import { make, makeButton } from "../pieces/elements.js";
import { createPad } from "../pieces/pad.js";
import { makePicture, paint } from "../pieces/pictures.js";
import { readStrokes } from "../model/reading.js";
import { readNumber, splitDigits } from "../model/segmentation.js";
import { labelTitle, share } from "../pieces/words.js";

/**
 * Make the wide pad with its answer in an element.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model  its components have names
 * @param {number[][][]} options.strokes  on the pad from the beginning
 * @param {number[]} options.ink  RGB
 * @param {(strokes: number[][][]) => void} options.onEnd  called at the end of a stroke, and when
 *   strokes are taken back, put back or cleared
 * @param {(digits: object[]) => void} options.onKeep  called with what `readNumber` says of each
 * @returns {NumberDesk}
 */
export function createNumberDesk(element, options) {
  return new NumberDesk(element, options);
}

class NumberDesk {
  #model;
  #reader;
  #ink;
  #parts;
  #digits = [];
  #due = 0; // when the drawing may be read again while the pen moves

  constructor(element, { model, strokes, ink, onEnd, onKeep }) {
    this.#model = this.#reader = model;
    this.#ink = ink;
    const [paper, digits] = ["paper", "digits"].map((name) => make("div", { class: name }));
    const number = make("strong", { class: "said", role: "status" });
    const tip = make("p", { class: "tip" });
    const keepAll = () => this.#digits.length && onKeep(this.#digits);
    const keep = makeButton("Keep", keepAll, { title: "Keep each of them (Enter)" });
    element.append(paper, make("div", { class: "talk" }, number, tip, keep), digits);
    const pad = createPad(paper, {
      strokes,
      label: "Wide drawing pad. Enter keeps, Delete clears, Ctrl+Z takes the last stroke back.",
      hint: "Write digits in a row",
      onMove: (drawn) => this.#follow(drawn),
      onEnd: (drawn) => {
        this.#read(drawn);
        onEnd(drawn);
      },
      onKeep: keepAll,
    });
    this.#parts = { pad, number, tip, keep, digits };
    this.#read(strokes);
  }

  /** Let another model read, one with the same names. */
  set reader(model) {
    this.#reader = model;
    this.#read(this.#parts.pad.strokes);
  }

  /** Put other strokes on the pad. */
  put(strokes) {
    this.#parts.pad.strokes = strokes;
    this.#read(strokes);
  }

  /** Draw again, in the colours that the page has now. */
  recolour(ink) {
    this.#ink = ink;
    this.#show();
  }

  destroy() {
    this.#parts.pad.destroy();
  }

  // While the pen moves, gaps part the digits, and only the one that grows is read again.
  #follow(strokes) {
    const start = performance.now();
    if (start < this.#due) return;
    const before = this.#digits;
    const isSame = (one, other) =>
      one.length === other.length &&
      one.every((stroke, i) => stroke === other[i] && stroke !== strokes.at(-1));
    this.#say(() =>
      splitDigits(strokes).map(
        (digit) =>
          before.find((each) => isSame(each.strokes, digit)) ?? {
            strokes: digit,
            ...readStrokes(this.#reader, digit),
          },
      ),
    );
    const end = performance.now();
    this.#due = end + (end - start);
  }

  #read(strokes) {
    this.#parts.tip.textContent = strokes.length ? "" : "Each digit is read while the pen moves.";
    this.#say(() => (strokes.length ? readNumber(this.#reader, strokes) : []));
  }

  #say(read) {
    try {
      this.#digits = read();
    } catch {
      this.#digits = [];
      this.#parts.tip.textContent = "These are no digits that can be read. Clear some of them.";
    }
    this.#show();
  }

  #show() {
    const { number, keep, digits } = this.#parts;
    number.textContent = this.#digits.map(({ label }) => labelTitle(this.#model, label)).join("");
    keep.disabled = this.#digits.length === 0;
    digits.replaceChildren(...this.#digits.map((digit) => this.#card(digit)));
  }

  #card({ image, label, probabilities, verdict }) {
    const picture = makePicture("What the model sees");
    paint(picture, image, this.#ink);
    const swatch = make("i", { class: "swatch" });
    swatch.style.background = asCss(colourOf(label));
    const name = labelTitle(this.#model, label);
    const said = verdict === "strange" ? `${name}? no digit` : `${name}, ${share(probabilities[label])}`;
    return make("figure", {}, picture, make("figcaption", {}, swatch, said));
  }
}
