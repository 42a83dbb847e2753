// Ways from A to B as strips of decoded images, with log p(z) above them, to be dragged along.

import { make, makeButton } from "../pieces/elements.js";
import { describe, paint } from "../pieces/pictures.js";
import { alongWay, denseWay, straightWay } from "../model/walk.js";
import { decimal } from "../pieces/words.js";

const N_STEPS_OF_WAY = 65; // places that log p is drawn of; images are some of them
const N_IMAGES = 9;
const IMAGE_PIXELS = 28;
const CURVE = { width: 252, height: 40 }; // units of its drawing
const TITLES = { straight: "straight", dense: "where images are" };
const SVG = "http://www.w3.org/2000/svg";

/** It tells `onMove(z, trail)` as one drags along a way, and `onForget()`. */
export class Ways {
  element = make("section", { class: "ways", hidden: true });
  onMove = null;
  onForget = null;
  #space;
  #ways = {};
  #key = "";

  constructor(space) {
    this.#space = space;
  }

  /** @param {View} view  whose a and b are the ends */
  show(view) {
    const { a, b } = view;
    this.element.hidden = a === null && b === null;
    if (this.element.hidden) {
      this.#key = "";
      return;
    }
    const key = JSON.stringify([a, b, this.#space.ink()]);
    if (key === this.#key) return;
    this.#key = key;
    const forget = makeButton("forget both", () => this.onForget?.(), { class: "quiet" });
    const head = make("header", {}, make("h4", {}, "From A to B"), forget);
    if (a === null || b === null) {
      const other = a === null ? "A" : "B";
      const hint = `Pin another point, and make it ${other}.`;
      this.element.replaceChildren(head, make("p", { class: "hint" }, hint));
      return;
    }
    const { model, zOf } = this.#space;
    const ends = [zOf(a), zOf(b)];
    this.#ways = {
      straight: straightWay(model, ...ends, N_STEPS_OF_WAY),
      dense: denseWay(model, ...ends, N_STEPS_OF_WAY),
    };
    const all = Object.values(this.#ways).flatMap(({ logLikelihood }) => [...logLikelihood]);
    const range = [Math.min(...all), Math.max(...all)];
    const strips = Object.keys(this.#ways).map((kind) => this.#strip(kind, range));
    this.element.replaceChildren(head, ...strips);
  }

  #strip(kind, range) {
    const { model, ink } = this.#space;
    const { z, logLikelihood } = this.#ways[kind];
    const d = model.dimension;
    const canvas = make("canvas", { class: "picture strip" });
    canvas.width = N_IMAGES * IMAGE_PIXELS;
    canvas.height = IMAGE_PIXELS;
    for (let i = 0; i < N_IMAGES; i++) {
      const pixels = model.decode(alongWay(z, d, i / (N_IMAGES - 1)));
      paint(canvas, pixels, ink(), i * IMAGE_PIXELS);
    }
    describe(canvas, `${N_IMAGES} decoded images from A to B, ${TITLES[kind]}`);
    const said = make("output");
    const input = make("input", {
      ...{ type: "range", min: 0, max: 1, step: 1 / (4 * (N_STEPS_OF_WAY - 1)), value: 0 },
      "aria-label": `Place on the way from A to B, ${TITLES[kind]}`,
      oninput: () => go(Number(input.value)),
    });
    const trail = Array.from(logLikelihood, (_, i) => z.subarray(i * d, (i + 1) * d));
    const go = (place) => {
      input.value = place;
      const here = alongWay(z, d, place);
      said.textContent = `log p(z) = ${decimal(model.logLikelihood(here)[0])} nats`;
      this.onMove?.(here, trail);
    };
    const drag = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      if (event.type === "pointerdown" && event.isTrusted)
        canvas.setPointerCapture(event.pointerId);
      const box = canvas.getBoundingClientRect();
      const half = box.width / N_IMAGES / 2; // the first image's middle is A, the last one's is B
      const place = (event.clientX - box.left - half) / (box.width - 2 * half);
      go(Math.min(Math.max(place, 0), 1));
    };
    canvas.addEventListener("pointerdown", drag);
    canvas.addEventListener("pointermove", drag);
    const lowest = Math.min(...logLikelihood);
    said.textContent = `lowest log p(z): ${decimal(lowest)} nats`;
    const title = make("p", {}, make("b", {}, TITLES[kind]), said);
    return make("div", { class: "way" }, title, curve(logLikelihood, range), canvas, input);
  }
}

/** A line of log p(z) over a way, between the least and the greatest of both ways. */
function curve(values, [low, high]) {
  const svg = document.createElementNS(SVG, "svg");
  const { width, height } = CURVE;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "curve");
  svg.setAttribute("aria-hidden", "true");
  const edge = width / N_IMAGES / 2;
  const points = Array.from(values, (value, i) => {
    const x = edge + ((width - 2 * edge) * i) / (values.length - 1);
    const y = height - 3 - ((height - 6) * (value - low)) / (high - low || 1);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const path = document.createElementNS(SVG, "polyline");
  path.setAttribute("points", points.join(" "));
  path.setAttribute("vector-effect", "non-scaling-stroke");
  svg.append(path);
  return svg;
}
