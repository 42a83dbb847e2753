// From one drawing to another: decoded images of the way, and what the model calls each place.

import { createBars } from "../pieces/answer.js";
import { asCss, colourOf } from "../pieces/colours.js";
import { make, makeButton } from "../pieces/elements.js";
import { describe, inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { labelTitle } from "../pieces/words.js";
import { readPlace } from "../model/reading.js";
import { alongWay, denseWay, straightWay } from "../model/walk.js";
import { createScrubber } from "./scrubber.js";

const N_IMAGES = 9;
const N_PLACES = 33; // of a way
const SIDE = 28;
const WAYS = {
  straight: ["straight", straightWay, "The straight line between the two."],
  dense: ["where digits are", denseWay, "Bent so that it keeps to where the training images lie."],
};

/**
 * Show the way between two drawings. rest.css and pieces.css belong to it.
 *
 * @param {HTMLElement} element
 * @param {{model: Model}} options
 * @returns {{show: (one: ?object, other: ?object) => void, destroy: () => void}}  one and other:
 *   what `readStrokes` says of them, or anything with z, (D,); null: not chosen yet
 */
export function createBetween(element, { model }) {
  const hint = make("p", { class: "hint" }, "Keep two drawings to walk from one to the other.");
  const picture = makePicture("The place on the way, decoded");
  const bars = make("div", { class: "answer" });
  const strip = make("canvas", { class: "picture strip" });
  [strip.width, strip.height] = [N_IMAGES * SIDE, SIDE];
  const mark = make("i");
  const sheet = make("div", { class: "sheet" }, strip, mark);
  const names = make("ol", { class: "names", "aria-hidden": "true" });
  const slider = make("div");
  const said = make("p", { class: "note" });
  const choices = Object.entries(WAYS).map(([kind, [title, , about]]) =>
    makeButton(title, () => choose(kind), { title: about, "data-kind": kind }),
  );
  const choice = make("div", { class: "choices", role: "group", "aria-label": "Way" }, choices);
  const body = make(
    "div",
    { class: "body" },
    make("div", { class: "here" }, picture, bars),
    make("div", { class: "along" }, sheet, model.names && names, slider, choice, said),
  );
  const root = make("div", { class: "between pieces rest" }, hint, body);
  element.append(root);
  const shown = model.names && createBars(bars, { model });
  const scrubber = createScrubber(slider, {
    label: "Place on the way from one drawing to the other",
    onPlace: (place) => go(place),
  });
  let [ends, kind, way, at] = [null, "straight", null, 0];

  function choose(which) {
    kind = which;
    draw();
  }

  function draw() {
    hint.hidden = ends !== null;
    body.hidden = ends === null;
    if (!ends) return;
    const [, walk, about] = WAYS[kind];
    way = walk(model, ...ends, N_PLACES).z;
    for (const button of choices)
      button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    said.textContent = about;
    const ink = inkRgb(root);
    const called = [];
    for (let i = 0; i < N_IMAGES; i++) {
      const z = alongWay(way, model.dimension, i / (N_IMAGES - 1));
      paint(strip, model.decode(z), ink, i * SIDE);
      if (model.names) called.push(greatest(readPlace(model, z).probabilities));
    }
    names.replaceChildren(
      ...called.map((label) => {
        const swatch = make("i", { class: "swatch", style: `background: ${asCss(colourOf(label))}` });
        return make("li", {}, swatch, labelTitle(model, label));
      }),
    );
    const titles = called.map((label) => labelTitle(model, label)).join(", ");
    describe(strip, `${N_IMAGES} decoded images of the way${titles && `, called ${titles}`}`);
    go(at);
  }

  function go(place) {
    at = place;
    mark.style.left = `${(100 * (0.5 + place * (N_IMAGES - 1))) / N_IMAGES}%`;
    const z = alongWay(way, model.dimension, place);
    paint(picture, model.decode(z), inkRgb(root));
    shown?.show(readPlace(model, z));
  }

  const drag = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    if (event.type === "pointerdown" && event.isTrusted) strip.setPointerCapture(event.pointerId);
    const box = strip.getBoundingClientRect();
    const half = box.width / N_IMAGES / 2; // the first image's middle is one end
    const place = (event.clientX - box.left - half) / (box.width - 2 * half);
    at = Math.min(Math.max(place, 0), 1);
    scrubber.go(at);
    go(at);
  };
  strip.addEventListener("pointerdown", drag);
  strip.addEventListener("pointermove", drag);
  root.addEventListener("transitionend", (event) => {
    if (event.target === root) draw(); // the theme has changed
  });
  draw();
  return {
    show(one, other) {
      ends = one && other ? [one.z, other.z] : null;
      at = 0;
      scrubber.go(0);
      draw();
    },
    destroy() {
      scrubber.stop();
      root.remove();
    },
  };
}

function greatest(values) {
  return values.indexOf(Math.max(...values));
}
