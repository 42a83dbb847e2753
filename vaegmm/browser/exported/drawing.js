// A pad with its answer beside it: what the model says while the pen moves.

import { createBars, createClusters, createVerdict } from "../pieces/answer.js";
import { make } from "../pieces/elements.js";
import { createPad } from "../pieces/pad.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { createPlaceMap } from "../pieces/placemap.js";
import { readStrokes } from "../model/reading.js";

/**
 * Make a pad with its answer in an element. overview.css belongs to it.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {number[][][]} [options.strokes]  on the pad from the beginning
 * @param {(strokes: number[][][]) => void} [options.onStrokes]  called at the end of each stroke
 * @returns {{strokes: number[][][], destroy: () => void}}
 */
export function createDrawing(element, { model, strokes = [], onStrokes }) {
  const boxes = Object.fromEntries(
    ["paper", "sure", "answer", "within", "map-of"].map((name) => [
      name,
      make("div", { class: name }),
    ]),
  );
  const sees = makePicture("What the model sees");
  const copy = makePicture("What it makes of it");
  const pictures = make(
    "div",
    { class: "pictures" },
    make("figure", {}, sees, make("figcaption", {}, "What it sees")),
    make("figure", {}, copy, make("figcaption", {}, "What it makes of it")),
  );
  const root = make(
    "div",
    { class: "overview" },
    make(
      "div",
      { class: "columns" },
      ["paper", "sure", "answer", "within"].map((name) => boxes[name]),
      make("div", { class: "side" }, pictures, boxes["map-of"]),
    ),
  );
  element.append(root);
  const verdict = createVerdict(boxes.sure, { model });
  const bars = model.names && createBars(boxes.answer, { model });
  const clusters = createClusters(boxes.within, { model });
  const map = createPlaceMap(boxes["map-of"], { model });
  const blank = new Uint8Array(sees.width * sees.height);
  let ink = inkRgb(root);
  let said = null;

  function show(isStart) {
    verdict.show(said);
    bars?.show(said);
    clusters.show(said, ink);
    map.show(said && said.z, isStart);
    paint(sees, said?.image ?? blank, ink);
    paint(copy, said?.reconstruction ?? blank, ink);
  }

  function read(drawn) {
    const isStart = said === null;
    try {
      said = readStrokes(model, drawn);
    } catch {
      if (drawn.length > 1) return; // a dot on a drawing
      said = null;
    }
    show(isStart);
  }

  const pad = createPad(boxes.paper, {
    ...{ strokes, label: "Pad: draw here", hint: "Draw here" },
    onMove: read,
    onEnd: (drawn) => {
      read(drawn);
      onStrokes?.(drawn);
    },
  });
  root.addEventListener("transitionend", (event) => {
    if (event.target !== root) return;
    ink = inkRgb(root); // the theme has changed
    show(false);
  });
  read(strokes);
  return {
    get strokes() {
      return pad.strokes;
    },
    destroy() {
      pad.destroy();
      map.destroy();
      root.remove();
    },
  };
}
