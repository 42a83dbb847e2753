// The smallest change of a drawing that changes its answer: looked for while the page stays alive,
// shown in colour, and played back and forth.

import { createBars } from "../pieces/answer.js";
import { make, makeButton } from "../pieces/elements.js";
import { labelTitle, nounOf, share } from "../pieces/words.js";
import { SIZES, applyChange, breakDrawing } from "../model/breaking.js";
import { readStrokes } from "../model/reading.js";
import { asLines, boundsOf } from "../model/strokes.js";
import { createScrubber } from "./scrubber.js";

const SLICE = 5; // ms of a frame that the search has; what it has begun then it ends
const MARGIN = 0.14; // of the paper's side
const PEN = 0.045; // of the paper's side
const WAYS = [
  ...["to the right", "down to the right", "down", "down to the left"],
  ...["to the left", "up to the left", "up", "up to the right"],
];
const BARS = ["level bar", "falling bar", "upright bar", "rising bar"];
const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"];

/**
 * Show how little it takes to make another digit of a drawing. rest.css and pieces.css belong to
 * it.
 *
 * @param {HTMLElement} element
 * @param {{model: Model}} options  its components have names
 * @returns {{show: (strokes: number[][][], reader?: Model) => void, destroy: () => void}}  strokes:
 *   the drawing; reader: the model as it reads now, where it has learned since
 */
export function createBreakIt(element, { model }) {
  const noun = nounOf(model);
  const start = makeButton("Break it", () => (search ? invite() : begin()), { class: "main" });
  const note = make("p", { class: "said", role: "status" });
  const progress = make("progress", { max: SIZES.length, value: 0, "aria-label": "Sizes tried" });
  const paper = make("canvas", { class: "paper", role: "img" });
  const bars = make("div", { class: "answer" });
  const slider = make("div", { class: "slider" });
  const body = make("div", { class: "body" }, paper, bars, slider);
  const root = make(
    "div",
    { class: "break-it pieces rest" },
    make("div", { class: "head" }, start, make("div", {}, progress, note)),
    body,
  );
  element.append(root);
  const shown = createBars(bars, { model });
  const scrubber = createScrubber(slider, {
    label: "From the drawing to the changed one",
    onPlace: (place) => go(place),
  });
  const sizes = new ResizeObserver(() => found && paint());
  sizes.observe(paper);
  let [strokes, reader] = [[], model];
  let [search, frame, found, at] = [null, 0, null, 1];

  function reset(text) {
    cancelAnimationFrame(frame);
    scrubber.stop();
    [search, found] = [null, null];
    body.hidden = progress.hidden = true;
    start.hidden = false;
    start.textContent = "Break it";
    start.disabled = strokes.length === 0;
    note.textContent = text;
  }

  function invite() {
    reset(
      strokes.length
        ? `Find the smallest change that makes another ${noun} of this drawing.`
        : `Draw a ${noun} to see how little it takes to make another of it.`,
    );
  }

  function begin() {
    reset("Moving ends, adding and taking away ink, a little more each time …");
    search = breakDrawing(reader, strokes);
    start.textContent = "Stop";
    [progress.hidden, progress.value] = [false, 0];
    frame = requestAnimationFrame(step);
  }

  function step() {
    const end = performance.now() + SLICE;
    try {
      do {
        const { done, value } = search.next();
        if (done) return finish(value);
        progress.value = SIZES.indexOf(value);
      } while (performance.now() < end);
    } catch (error) {
      return reset(error.message.includes("dot") ? "This is only a dot. Draw a line." : error.message);
    }
    frame = requestAnimationFrame(step);
  }

  function finish(result) {
    if (!result) {
      reset(`No change of up to half of its size makes another ${noun} of it: it is a clear one.`);
      return;
    }
    reset(sentence(model, strokes, result));
    found = result;
    body.hidden = false;
    start.hidden = true; // it would find the same
    scrubber.go(1);
    go(1);
  }

  function go(place) {
    at = place;
    const drawn = changedTo(place);
    shown.show(place === 1 ? found.after : readStrokes(reader, drawn));
    paint();
  }

  function changedTo(place) {
    const lines = asLines(strokes);
    const amount = place * found.size * boundsOf(lines).extent;
    return amount > 0 ? (applyChange(lines, found.change, amount) ?? lines) : lines;
  }

  function paint() {
    const box = paper.getBoundingClientRect();
    if (!box.width) return;
    const side = Math.round(box.width * (window.devicePixelRatio || 1));
    if (paper.width !== side) paper.width = paper.height = side;
    const context = paper.getContext("2d");
    context.clearRect(0, 0, side, side);
    const lines = asLines(strokes);
    const { low, high, extent } = boundsOf([...lines, ...found.strokes]);
    const scale = (side * (1 - 2 * MARGIN)) / extent;
    const place = ([x, y]) => [
      (x - (low[0] + high[0]) / 2) * scale + side / 2,
      (y - (low[1] + high[1]) / 2) * scale + side / 2,
    ];
    const style = getComputedStyle(root);
    const draw = (drawn, colour, opacity) => {
      context.strokeStyle = colour;
      context.globalAlpha = opacity;
      context.lineWidth = PEN * side;
      context.lineCap = context.lineJoin = "round";
      for (const line of drawn) {
        context.beginPath();
        line.map(place).forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
        context.stroke();
      }
      context.globalAlpha = 1;
    };
    const { kept, gone, made } = inkOf(lines, changedTo(at), found.change, at * found.size);
    const accent = style.getPropertyValue("--accent");
    draw(gone, style.color, 0.22);
    draw(kept, style.color, 1);
    draw(made, accent, 1);
    paper.setAttribute("aria-label", `The changed drawing. ${note.textContent}`);
  }

  root.addEventListener("transitionend", (event) => {
    if (event.target === root && found) paint(); // the theme has changed
  });
  invite();
  return {
    show(drawn, as = model) {
      [strokes, reader] = [drawn ?? [], as];
      invite();
    },
    destroy() {
      reset("");
      sizes.disconnect();
      root.remove();
    },
  };
}

/**
 * Tell a change in one sentence.
 *
 * @param {Model} model
 * @param {number[][][]} strokes  before it
 * @param {object} found  what `breakDrawing` returned
 */
export function sentence(model, strokes, { change, size, before, after }) {
  const { kind, stroke, place, direction } = change;
  const which = strokes.length > 1 ? `the ${ORDINALS[stroke] ?? "last"} stroke` : "the stroke";
  const end = place === 0 ? "beginning" : "end";
  const amount = `${share(size, 0)} of the drawing's size`;
  const [from, to] = [before.label, after.label].map((label) => labelTitle(model, label));
  const outcome = `makes the ${from} ${article(to)} ${to} (${share(after.probabilities[after.label], 0)})`;
  switch (kind) {
    case "cut":
      return `Taking away the ${end} of ${which}, ${amount}, ${outcome}.`;
    case "move":
      return `Moving the ${end} of ${which} ${WAYS[direction]} by ${amount} ${outcome}.`;
    case "add":
      return `Drawing on from the ${end} of ${which} ${WAYS[direction]}, ${amount}, ${outcome}.`;
    default: {
      const where = place < 0.5 ? "near the beginning" : place > 0.5 ? "near the end" : "in the middle";
      return `A ${BARS[direction]} ${where} of ${which}, ${amount} long, ${outcome}.`;
    }
  }
}

function article(name) {
  return /^(8|11|18|[aeiou])/i.test(name) ? "an" : "a";
}

/** Which ink of a changed drawing was there before, which is gone, and which is new. */
function inkOf(lines, changed, { kind, stroke, place }, amount) {
  const others = lines.filter((_, i) => i !== stroke);
  const [line, now] = [lines[stroke], changed[stroke]];
  if (amount === 0) return { kept: lines, gone: [], made: [] };
  switch (kind) {
    case "bar":
      return { kept: lines, gone: [], made: changed.slice(lines.length) };
    case "add":
      return { kept: lines, gone: [], made: [place === 0 ? now.slice(0, 2) : now.slice(-2)] };
    case "cut":
      return { kept: [...others, now], gone: [line], made: [] };
    default: {
      const isMoved = line.map((point, i) => point[0] !== now[i][0] || point[1] !== now[i][1]);
      const n = isMoved.filter(Boolean).length;
      const [tail, rest] =
        place === 0 ? [[0, n + 1], [n]] : [[-n - 1], [0, line.length - n]];
      const still = now.slice(...rest);
      const kept = still.length > 1 ? [...others, still] : others;
      return { kept, gone: [line.slice(...tail)], made: [now.slice(...tail)] };
    }
  }
}
