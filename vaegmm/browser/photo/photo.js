// A photo, the digits found in it, and what the model reads in each box while it is dragged.

import { asCss, colourOf } from "../pieces/colours.js";
import { make, makeButton } from "../pieces/elements.js";
import { describe, inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { labelTitle, share } from "../pieces/words.js";
import { inReadingOrder } from "./boxes.js";
import { cut } from "./cut.js";
import { createStage } from "./stage.js";
import { readBox } from "./turning.js";

const EMPTY = { verdict: "empty", said: null, turn: 0, turned: null, image: new Uint8Array(784) };
const QUARTERS = ["", "a quarter to the left", "upside down", "a quarter to the right"];
const NOTHING =
  "No digit was found. Drag a box around one, or use the button below the photo.";

/**
 * Show a photo with its digits. photo.css belongs to it.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model  with names
 * @param {string} options.address  of the photo
 * @param {{strength: Uint8Array, width: number, height: number}} options.ink  of the photo
 * @param {object[]} options.boxes  around the digits that were found
 * @param {?number[][]} options.sheet  corners of the sheet of paper, or null
 * @returns {{boxes: object[], destroy: () => void}}
 */
export function createPhoto(element, { model, address, ink, boxes: found, sheet = null }) {
  const number = make("output", { class: "number", "aria-live": "polite" });
  const note = make("p", { class: "note" });
  const turnAll = makeButton("", () => stage.turn(mostTurned().turn), { hidden: true });
  const photo = make("div", { class: "of-photo" });
  // Less high than the window, so that the answer is seen with it.
  photo.style.maxWidth = `calc(70vh * ${(ink.width / ink.height).toFixed(3)})`;
  const list = make("ol", { class: "digits" });
  const buttons = {
    add: makeButton("Add a box", () => stage.add()),
    left: makeButton("↺", () => stage.turn(3, stage.selected), turnLabel("left")),
    right: makeButton("↻", () => stage.turn(1, stage.selected), turnLabel("right")),
    remove: makeButton("Remove", () => stage.remove(stage.selected)),
    again: makeButton("As found", () => begin()),
  };
  const hint = make(
    "p",
    { class: "note hint" },
    "Drag a box, its corners, or the handle above it. Drag beside the boxes for a new one. Keys: " +
      "arrows move, + and − resize, [ and ] turn, R by a quarter, Delete removes.",
  );
  const root = make(
    "div",
    { class: "photo" },
    make(
      "div",
      { class: "layout" },
      make("div", { class: "answer" }, number, note, turnAll),
      make("div", { class: "side" }, photo, make("div", { class: "tools" }, Object.values(buttons))),
      list,
      hint,
    ),
  );
  element.append(root);
  let ink_ = inkRgb(root);
  let readings = []; // one a box, in the boxes' order
  const stage = createStage(photo, {
    ...{ address, sheet, width: ink.width, height: ink.height },
    onChange: (boxes, changed) => {
      readings =
        changed < 0 || readings.length !== boxes.length
          ? boxes.map(read)
          : readings.map((reading, i) => (i === changed ? read(boxes[i]) : reading));
      show();
    },
    onSelect: () => {
      if (readings.length === stage.boxes.length) show(); // else they are about to be read
    },
  });

  function read(box) {
    const image = cut(ink, box);
    return image ? { image, ...readBox(model, image) } : EMPTY;
  }

  function begin() {
    stage.show(found.map((box) => ({ ...box })));
    readings = found.map(read);
    show();
  }

  /** By how much most of the boxes are to be turned: a photo lies on its side as a whole. */
  function mostTurned() {
    const counts = [1, 2, 3].map((turn) => readings.filter((each) => each.turn === turn).length);
    const most = Math.max(...counts);
    return { turn: counts.indexOf(most) + 1, count: most };
  }

  function show() {
    const { boxes, selected } = stage;
    stage.label(readings.map((reading) => labelOf(model, reading)));
    const order = inReadingOrder(boxes.map((box, i) => ({ ...box, i }))).map(({ i }) => i);
    const marks = order.map((i) => markOf(model, readings[i]));
    number.textContent = marks.join(model.labelNames.some((name) => name.length > 1) ? " " : "");
    note.textContent = boxes.length ? summaryOf(readings) : NOTHING;
    const { turn, count } = mostTurned();
    turnAll.hidden = count < 2 || 2 * count <= boxes.length;
    turnAll.textContent = `The photo lies ${QUARTERS[turn]}? Turn all`;
    for (const name of ["left", "right", "remove"]) buttons[name].disabled = selected < 0;
    while (list.children.length > order.length) list.lastChild.remove();
    order.forEach((i, at) => {
      const card = list.children[at] ?? list.appendChild(makeCard());
      showCard(card, i);
    });
  }

  function makeCard() {
    const picture = makePicture();
    const choose = makeButton("", () => {
      stage.select(Number(card.dataset.index));
      stage.focus(stage.selected);
    });
    choose.append(picture, make("strong"), make("span", { class: "sure" }));
    const turn = makeButton("", () => {
      const index = Number(card.dataset.index);
      stage.turn(readings[index].turn, index);
    });
    turn.className = "turn-it";
    const card = make("li", {}, choose, turn);
    return card;
  }

  function showCard(card, index) {
    const reading = readings[index];
    card.dataset.index = index;
    card.dataset.verdict = reading.verdict;
    card.toggleAttribute("data-selected", index === stage.selected);
    const [picture, name, sure] = card.firstChild.children;
    describe(picture, "");
    paint(picture, reading.image, ink_);
    name.textContent = markOf(model, reading);
    name.style.setProperty("--of-digit", asCss(rgbOf(reading)));
    sure.textContent = sureOf(model, reading);
    const turn = card.lastChild;
    turn.hidden = !reading.turn;
    if (!reading.turn) return;
    const { label, probabilities } = reading.turned;
    const name_ = labelTitle(model, label);
    turn.textContent = `Turned: ${name_}, ${share(probabilities[label], 0)}`;
    turn.title = `It may lie ${QUARTERS[reading.turn]}: turn the box`;
  }

  root.addEventListener("transitionend", (event) => {
    if (event.target !== root) return;
    ink_ = inkRgb(root); // the theme has changed
    show();
  });
  begin();
  return {
    get boxes() {
      return stage.boxes;
    },
    destroy() {
      stage.destroy();
      root.remove();
    },
  };
}

/** What stands for a box in the number: its digit, or "?" where it is none. */
function markOf(model, { said, verdict }) {
  return verdict === "strange" || verdict === "empty" ? "?" : labelTitle(model, said.label);
}

function sureOf(model, { said, verdict }) {
  if (verdict === "empty") return "nothing in it";
  if (verdict === "strange") return "no digit to me";
  const text = share(said.probabilities[said.label], 0);
  return verdict === "unsure" ? `${text}, unsure` : text;
}

function labelOf(model, reading) {
  const mark = markOf(model, reading);
  const isKnown = reading.verdict === "sure" || reading.verdict === "unsure";
  const sure = isKnown ? share(reading.said.probabilities[reading.said.label], 0) : "";
  const turn = reading.turn
    ? ` Turned it would be ${labelTitle(model, reading.turned.label)}: press R ${reading.turn} times.`
    : "";
  return {
    mark,
    text: sure ? `${mark}  ${sure}` : mark,
    description: `${mark}, ${sureOf(model, reading)}.${turn}`,
    rgb: rgbOf(reading),
  };
}

function rgbOf({ said, verdict }) {
  return colourOf(verdict === "sure" || verdict === "unsure" ? said.label : -1);
}

function summaryOf(readings) {
  const count = (...verdicts) => readings.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const [none, unsure] = [count("strange", "empty"), count("unsure")];
  const turns = readings.filter(({ turn }) => turn).length;
  const parts = [
    none && `${none === 1 ? "One doesn't" : `${none} don't`} look like a digit to me: "?".`,
    unsure && `Of ${unsure === 1 ? "one" : unsure} I am not sure.`,
    turns && `${turns === 1 ? "One" : turns} may lie on ${turns === 1 ? "its" : "their"} side.`,
  ];
  return parts.filter(Boolean).join(" ");
}

function turnLabel(direction) {
  const name = `Turn the box by a quarter to the ${direction}`;
  return { "aria-label": name, title: name };
}
