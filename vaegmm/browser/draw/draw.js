// What one comes to draw for: the pad with its answer, what the model learns of the hand that
// draws, and what was kept.

import { createDesk } from "./desk.js";
import { Drawings } from "./drawings.js";
import { download, make, makeButton } from "../pieces/elements.js";
import { createKeptList } from "./keptlist.js";
import { Learner } from "./learner.js";
import { createMore } from "./more.js";
import { createNumberDesk } from "./number.js";
import { inkRgb } from "../pieces/pictures.js";
import { readViews } from "../model/reading.js";
import { asRead, freshDrawings } from "./records.js";
import { createRound } from "./round.js";
import { digitFromStrokes } from "../model/strokes.js";
import { createTeaching } from "./teaching.js";
import { countOf } from "../pieces/words.js";

const SOURCES = { digit: "A digit", number: "A number" };
const FILE = "my-digits.npz";

/**
 * Make the pad, with what belongs to it, in an element. draw.css, rest.css, explanation.css and
 * pieces.css belong to it.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {{read: Function, write: Function}} options.storage  of what is drawn: see `storageIn`
 * @param {(strokes: number[][][]) => void} [options.onStrokes]  called with what is on the pad at
 *   the beginning, at the end of each stroke, and when strokes are taken back or cleared
 * @param {(hand: {revision: string, drawings: object[]}) => void} [options.onHand]  called with
 *   what is learned from, whenever that has changed: of each drawing its strokes, or its image
 *   (784,), and its truth, the name of a label
 * @param {string} [options.source]  "digit" or "number": which pad is seen; left out, one chooses
 *   on the page
 * @param {(component: number) => void} [options.onCluster]  called with a cluster whose card is to
 *   open; left out, there are no cards
 * @returns {Draw}
 */
export function createDraw(element, options) {
  return new Draw(element, options);
}

class Draw {
  #model;
  #drawings;
  #learner = null;
  #act;
  #root;
  #pages; // by source
  #choices = []; // of the source
  #desk;
  #parts = null; // of a model that can be taught: one with names
  #opened = null; // id of the kept drawing that is looked at once more
  #ends = []; // ids of the kept drawings that a way was asked for last
  #told; // revision of what `onHand` was last told
  #images = new Map(); // id of a kept drawing -> its image

  constructor(element, { model, storage, source = null, onStrokes, onHand, onCluster }) {
    this.#model = model;
    this.#act = { onStrokes, onHand };
    this.#drawings = new Drawings(storage);
    this.#told = this.#drawings.revision;
    this.#root = make("div", { class: "draw pieces" });
    element.append(this.#root);
    const talk = make("div", { class: "talk" });
    this.#pages = { digit: make("section"), number: make("section", { class: "number" }) };
    if (!source && model.names) this.#root.append(this.#makeChoice());
    this.#root.append(...Object.values(this.#pages));
    const strokes = this.#drawings.strokesOn("digit");
    this.#desk = createDesk(this.#pages.digit, {
      ...{ model, strokes, talk, onCluster },
      onSaid: (said) => this.#follow(said),
      onEnd: (drawn) => this.#finish(drawn),
      onKeep: () => (this.#parts?.round.asked ? this.#parts.round.next() : this.#keep(null)),
    });
    if (model.names) this.#makeTeachable(talk);
    this.source = source ?? "digit";
    this.#root.addEventListener("transitionend", (event) => {
      if (event.target === this.#root) this.#recolour(); // the theme has changed
    });
    onStrokes?.(strokes);
  }

  /** Show the pad for a digit, or that for a number. */
  set source(name) {
    for (const [each, page] of Object.entries(this.#pages)) page.hidden = each !== name;
    for (const button of this.#choices)
      button.setAttribute("aria-pressed", `${button.value === name}`);
  }

  /** What is on the pad for a digit. */
  get strokes() {
    return this.#desk.strokes;
  }

  /**
   * Tell of what is learned from, unless that is known there already.
   *
   * @param {string} revision  that is known
   */
  tellHand(revision) {
    this.#told = revision;
    this.#tell();
  }

  /** Take the page apart; it cannot be used afterwards. */
  destroy() {
    this.#learner?.stop();
    this.#desk.destroy();
    this.#parts?.numberDesk.destroy();
    this.#parts?.more.destroy();
    this.#root.remove();
  }

  #makeChoice() {
    this.#choices = Object.entries(SOURCES).map(([value, title]) =>
      makeButton(title, () => (this.source = value), { value }),
    );
    return make("div", { class: "sources", role: "group", "aria-label": "Read" }, this.#choices);
  }

  #makeTeachable(talk) {
    const model = this.#model;
    const [teach, guided] = ["teach", "round"].map((name) => make("div", { class: name }));
    const kept = make("section", { class: "kept", "aria-label": "Kept drawings" });
    talk.append(guided, teach);
    const others = make("section", { class: "more" });
    this.#pages.digit.append(others);
    this.#root.append(kept);
    const teaching = createTeaching(teach, {
      model,
      onTruth: (name) => this.#keep(name),
      onKeep: () => this.#keep(null),
      onTakeBack: () => {
        const { truth } = this.#drawings.learned.at(-1);
        this.#change(() => this.#drawings.takeBack());
        teaching.say(`Forgotten: it was told of a ${truth}. The drawing is kept below.`);
      },
      onRound: () => {
        this.#desk.put([]);
        teach.hidden = true;
        round.start();
      },
      onDownload: () =>
        download(this.#root, FILE, this.#learner.toNpz(), "application/octet-stream"),
      onFile: async (file) => teaching.say(await this.#bringBack(file)),
    });
    const round = createRound(guided, {
      model,
      onDrawn: (name) => this.#keep(name),
      onEnd: (nDrawn) => {
        teach.hidden = false;
        teaching.say(nDrawn ? `${countOf(nDrawn, "drawing")} learned in this round.` : "");
      },
    });
    const keptList = createKeptList(kept, {
      model,
      imageOf: (drawing) => this.#imageOf(drawing),
      onOpen: (drawing) => this.#open(drawing),
      onWay: (id) => {
        this.#ends = [...this.#ends.filter((each) => each !== id), id].slice(-2);
        this.#parts.more.showWay();
        keptList.mark(this.#wayEnds);
      },
      onTruth: (id, truth) => this.#change(() => this.#drawings.judge(id, truth)),
      onRemove: (id) => this.#change(() => this.#drawings.remove(id)),
    });
    const numberDesk = createNumberDesk(this.#pages.number, {
      model,
      strokes: this.#drawings.strokesOn("number"),
      ink: inkRgb(this.#root),
      onEnd: (strokes) => this.#drawings.putOn("number", strokes),
      onKeep: (digits) => {
        const drawings = digits.map((said) => [
          { strokes: said.strokes, ...this.#asRead(said) },
          null,
        ]);
        this.#drawings.putOn("number", []);
        this.#change(() => this.#drawings.keepAll(drawings));
        numberDesk.put([]);
      },
    });
    const more = createMore(others, {
      model,
      endsOf: () => this.#wayEnds.map((id) => this.#readKept(id)),
    });
    this.#parts = { teaching, round, keptList, numberDesk, more };
    this.#learner = new Learner(model, (worth) => teaching.showWorth(worth));
    this.#root.addEventListener("keydown", (event) => this.#press(event));
    this.#change(() => {});
  }

  // A key that is a label's name says that the drawing was that.
  #press(event) {
    if (event.target !== this.#desk.canvas || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.#parts.round.asked || !this.#model.labelNames.includes(event.key)) return;
    event.preventDefault();
    this.#keep(event.key);
  }

  #follow(said) {
    if (!this.#parts) return;
    const { teaching, round, more } = this.#parts;
    teaching.enable(said !== null);
    round.enable(said !== null);
    more.show(said);
  }

  #finish(strokes) {
    this.#opened = null;
    this.#drawings.putOn("digit", strokes);
    this.#parts?.more.showDrawing(strokes, this.#desk.reader);
    this.#act.onStrokes?.(strokes);
  }

  // Put a kept drawing on the pad that is seen.
  #open({ id, strokes, image }) {
    if (this.#pages.digit.hidden) {
      this.#parts.numberDesk.put(strokes ?? []);
      return;
    }
    this.#desk.put(strokes ?? []);
    if (!strokes) this.#desk.see(Uint8Array.from(image));
    this.#opened = id;
    this.#desk.canvas.scrollIntoView({ block: "nearest" });
  }

  // Keep the drawing, with what it was; the pad is free for the next one.
  #keep(truth) {
    const { said, strokes } = this.#desk;
    if (!said || !this.#parts) return;
    const [opened, drawing] = [this.#opened, { strokes, ...this.#asRead(said) }];
    this.#desk.put([]);
    this.#change(() => {
      if (opened === null) this.#drawings.keep(drawing, truth);
      else if (truth !== null) this.#drawings.judge(opened, truth);
    });
    if (this.#parts.round.asked) return;
    const what = truth === null ? `Kept, read as ${drawing.name}.` : `Learned: this was a ${truth}.`;
    this.#parts.teaching.say(what);
  }

  #asRead(said) {
    return asRead(this.#model, said, this.#drawings);
  }

  // Change what is kept; then read by what is known now, and show that.
  #change(act) {
    act();
    const { teaching, keptList, numberDesk, more } = this.#parts;
    const lessons = this.#drawings.learned
      .map(({ truth, ...drawing }) => ({ ...drawing, label: this.#model.labelNames.indexOf(truth) }))
      .filter(({ label }) => label >= 0); // another model may have other labels
    this.#desk.reader = numberDesk.reader = this.#learner.learn(lessons);
    teaching.show(lessons.length);
    keptList.show(this.#drawings.kept, inkRgb(this.#root));
    keptList.mark(this.#wayEnds);
    more.showDrawing(this.strokes, this.#desk.reader);
    more.showWay();
    this.#tell();
  }

  #tell() {
    const { revision, learned } = this.#drawings;
    if (revision === this.#told) return;
    this.#told = revision;
    const drawings = learned.map(({ strokes, image, truth }) =>
      strokes ? { strokes, truth } : { image, truth },
    );
    this.#act.onHand?.({ revision, drawings });
  }

  // Keep and learn the drawings of a file; returns what there is to say of it.
  async #bringBack(file) {
    let fresh;
    try {
      fresh = freshDrawings(await file.arrayBuffer(), this.#desk.reader, this.#drawings);
    } catch (error) {
      return `This file cannot be brought back. ${error.message}`;
    }
    this.#change(() => this.#drawings.keepAll(fresh));
    return `${countOf(fresh.length, "drawing")} brought back.`;
  }

  /** Kept drawings that a way leads from and to: those chosen last, or else the newest. */
  get #wayEnds() {
    const ids = this.#drawings.kept.map(({ id }) => id);
    const chosen = this.#ends.filter((id) => ids.includes(id));
    const rest = ids.filter((id) => !chosen.includes(id));
    return [...rest.slice(0, 2 - chosen.length).reverse(), ...chosen];
  }

  #readKept(id) {
    const drawing = this.#drawings.kept.find((each) => each.id === id);
    return readViews(this.#desk.reader, this.#imageOf(drawing));
  }

  #imageOf({ id, strokes, image }) {
    if (!this.#images.has(id))
      this.#images.set(id, strokes ? digitFromStrokes(strokes) : Uint8Array.from(image));
    return this.#images.get(id);
  }

  #recolour() {
    const ink = inkRgb(this.#root);
    this.#desk.recolour(ink);
    this.#parts?.numberDesk.recolour(ink);
    this.#parts?.keptList.show(this.#drawings.kept, ink);
  }
}
