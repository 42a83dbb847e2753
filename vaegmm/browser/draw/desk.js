// The pad with its answer: all that the model says of a drawing, while the pen moves.

import { createBars, createVerdict, winnerOf } from "../pieces/answer.js";
import { make } from "../pieces/elements.js";
import { createExplanation } from "../pieces/explanation.js";
import { createLatents } from "./latents.js";
import { createPad } from "../pieces/pad.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { createPlaceMap } from "../pieces/placemap.js";
import { readStrokes, readViews } from "../model/reading.js";
import { nounOf } from "../pieces/words.js";

const BLANK = new Uint8Array(784);
const LONGEST = 2; // letters of a label that is as large as a digit
const TIPS = {
  blank: "The answer moves with the pen. Size and place make no difference.",
  dot: "This is only a dot. Draw a line.",
};

/**
 * Make the pad with its answer in an element.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {number[][][]} options.strokes  on the pad from the beginning
 * @param {HTMLElement} options.talk  what stands below the answer
 * @param {(said: ?object) => void} options.onSaid  called with each reading; null: there is none
 * @param {(strokes: number[][][]) => void} options.onEnd  called at the end of a stroke, and when
 *   strokes are taken back, put back or cleared
 * @param {() => void} options.onKeep  called by the Enter key on a drawing
 * @param {(component: number) => void} [options.onCluster]  called with a cluster whose card is to
 *   open; left out, there are no cards
 * @returns {Desk}
 */
export function createDesk(element, options) {
  return new Desk(element, options);
}

class Desk {
  #model;
  #reader; // what reads: the model, or what it has become
  #act;
  #parts;
  #ink;
  #said = null;
  #due = 0; // when the drawing may be read again while the pen moves
  #late = 0;

  constructor(element, { model, strokes, talk, onSaid, onEnd, onKeep, onCluster }) {
    this.#model = this.#reader = model;
    this.#act = { onSaid, onEnd, onCluster };
    this.#ink = inkRgb(element);
    this.#parts = this.#build(element, strokes, talk, onKeep);
    this.#read(strokes);
  }

  /** What is on the pad. */
  get strokes() {
    return this.#parts.pad.strokes;
  }

  /** The element that takes pen and keys. */
  get canvas() {
    return this.#parts.pad.canvas;
  }

  /** What the model says of the drawing, as `readViews`; null where there is none. */
  get said() {
    return this.#said;
  }

  /** What reads: the model, or another one with the same names. */
  get reader() {
    return this.#reader;
  }

  set reader(model) {
    this.#reader = model;
    if (this.strokes.length || !this.#said) this.#read(this.strokes);
    else this.see(this.#said.image);
  }

  /** Put other strokes on the pad. */
  put(strokes) {
    this.#parts.pad.strokes = strokes;
    this.#finish(strokes);
  }

  /** Read an image (784,) that nobody has drawn here. */
  see(image) {
    this.#parts.pad.strokes = [];
    this.#said = readViews(this.#reader, image);
    this.#show(true);
  }

  /** Draw again, in the colours that the page has now. */
  recolour(ink) {
    this.#ink = ink;
    this.#show();
  }

  destroy() {
    clearTimeout(this.#late);
    this.#parts.pad.destroy();
    this.#parts.map.destroy();
  }

  #build(element, strokes, talk, onKeep) {
    const model = this.#model;
    const noun = nounOf(model);
    const box = (name) => make("div", { class: name });
    const [paper, sure, answer, latents, places] = ["paper", "sure", "answer", "", "map-of"].map(box);
    const tip = make("p", { class: "tip" });
    const [sees, copy] = ["What the model sees", "What it paints"].map(makePicture);
    const figure = (content, text) => make("figure", {}, content, make("figcaption", {}, text));
    const numbers = `${model.dimension} number${model.dimension > 1 ? "s" : ""}`;
    // The explanation shows what the model sees, with all its parts.
    const seen = model.names
      ? box("reasons")
      : figure(sees, "What it sees: your drawing as its training images are.");
    element.append(
      make("div", { class: "desk" }, paper, sure, answer, talk),
      make(
        "div",
        { class: "way" },
        seen,
        figure(places, "Where it lies among the training images, and the way it came."),
        figure(latents, `What it keeps: ${numbers}.`),
        figure(copy, "What it paints from those alone."),
      ),
    );
    const parts = {
      ...{ sure, tip, sees, copy },
      pad: createPad(paper, {
        strokes,
        label:
          "Drawing pad. Enter keeps, Delete clears, Ctrl+Z takes the last stroke back" +
          (model.names ? `, and a key says which ${noun} it was.` : "."),
        hint: noun === "digit" ? "Draw a digit here" : "Draw here",
        onMove: (drawn) => this.#follow(drawn),
        onEnd: (drawn) => this.#finish(drawn),
        onKeep,
      }),
      verdict: createVerdict(sure, { model }),
      bars: model.names && createBars(answer, { model }),
      explanation:
        model.names && createExplanation(seen, { model, onCluster: this.#act.onCluster }),
      map: createPlaceMap(places, { model }),
      latents: createLatents(latents, { model }),
    };
    sure.append(tip);
    return parts;
  }

  // While the pen moves. Where a reading takes long, the ink has half of the time.
  #follow(strokes) {
    clearTimeout(this.#late);
    const start = performance.now();
    if (start < this.#due) {
      this.#late = setTimeout(() => this.#follow(this.strokes), this.#due - start);
      return;
    }
    this.#read(strokes);
    const end = performance.now();
    this.#due = end + (end - start);
  }

  #finish(strokes) {
    clearTimeout(this.#late);
    this.#read(strokes);
    this.#act.onEnd(strokes);
  }

  #read(strokes) {
    const isStart = this.#said === null;
    let tip = "";
    try {
      this.#said = readStrokes(this.#reader, strokes, { pad: [this.#parts.pad.aspect, 1] });
    } catch {
      this.#said = null;
      tip = strokes.length ? TIPS.dot : TIPS.blank;
    }
    this.#parts.tip.textContent = tip;
    this.#show(isStart);
  }

  #show(isStart = false) {
    const { verdict, sure, bars, explanation, latents, map, sees, copy } = this.#parts;
    const said = this.#said;
    verdict.show(said);
    const isLong = said && winnerOf(this.#model, said)[0].length > LONGEST;
    sure.toggleAttribute("data-long", Boolean(isLong));
    bars?.show(said);
    explanation?.show(said);
    latents.show(said && said.z);
    map.show(said && said.z, isStart);
    paint(sees, said?.image ?? BLANK, this.#ink);
    paint(copy, said?.reconstruction ?? BLANK, this.#ink);
    this.#act.onSaid(said);
  }
}
