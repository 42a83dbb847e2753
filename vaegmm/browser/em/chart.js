// The likelihood over the iterations: all of them, to be gone through, and close up what an
// iteration does: the lower bound touches the likelihood at each E-step, and lifts at each M-step.

import { make } from "../pieces/elements.js";
import { digitsOf, makeScale, niceStep, ticksOf } from "../pieces/scales.js";
import { draw, drawText } from "../pieces/svg.js";
import { decimal } from "../pieces/words.js";

const [WIDTH, HEIGHT] = [340, 190];
const EDGE = { left: 54, right: 10, top: 10, bottom: 26 };
const NEAR = 3; // iterations on both sides that are seen close up
const MOST_TICKS = 7;

/** A chart of one or two fits. */
export class Chart {
  #svg;
  #legend;
  #onGo;

  /**
   * @param {HTMLElement} element
   * @param {(half: number) => void} onGo  called with a half step that was clicked
   */
  constructor(element, onGo) {
    this.#svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    this.#legend = make("p", { class: "key" });
    this.#onGo = onGo;
    element.append(this.#svg, this.#legend);
  }

  /**
   * @param {{fit: Fit, half: number}[]} shown  the second, where there is one, is dashed
   * @param {boolean} isClose  whether only the iterations around the first one's are seen
   */
  show(shown, isClose) {
    const svg = this.#svg;
    svg.replaceChildren();
    const [{ fit, half }] = shown;
    const now = whereAt(fit, half);
    let last = Math.max(...shown.map(({ fit }) => fit.number(fit.last)), 1);
    let first = 0;
    if (isClose) [first, last] = [Math.max(now.x - NEAR, 0), Math.max(now.x + NEAR, 2 * NEAR)];
    const lines = shown.map(({ fit }) => linesOf(fit, first, last));
    const heights = lines.flatMap(({ likelihood, bounds }) => [
      ...likelihood.map(([, y]) => y),
      ...(isClose ? bounds.flat().map(([, y]) => y) : []),
    ]);
    this.#legend.hidden = !isClose;
    if (!heights.length) return;
    const [low, high] = padded(Math.min(...heights), Math.max(...heights));
    const { at: x, from } = makeScale([first, last], [EDGE.left, WIDTH - EDGE.right]);
    const { at: y } = makeScale([low, high], [HEIGHT - EDGE.bottom, EDGE.top]);
    this.#axes(first, last, low, high, x, y);
    const path = (points) =>
      points.map(([px, py], i) => `${i ? "L" : "M"}${x(px)} ${y(py)}`).join("");
    lines.forEach(({ likelihood, bounds, touches }, i) => {
      const kind = i ? "line other" : "line";
      svg.append(draw("path", { d: path(likelihood), class: kind }));
      if (isClose && i === 0) {
        for (const bound of bounds) svg.append(draw("path", { d: path(bound), class: "bound" }));
        for (const [px, py] of touches)
          svg.append(draw("circle", { cx: x(px), cy: y(py), r: 3.5, class: "touch" }));
      }
    });
    shown.forEach(({ fit, half }, i) => {
      const at = whereAt(fit, half);
      if (at.x < first || at.x > last || Number.isNaN(at.y)) return;
      svg.append(
        draw("line", {
          x1: x(at.x),
          x2: x(at.x),
          y1: EDGE.top,
          y2: HEIGHT - EDGE.bottom,
          class: "now",
        }),
      );
      svg.append(
        draw("circle", { cx: x(at.x), cy: y(at.y), r: 5, class: i ? "dot other" : "dot" }),
      );
    });
    this.#legend.replaceChildren(
      make("span", { class: "of-line" }, "log-likelihood"),
      make(
        "span",
        { class: "of-bound" },
        "lower bound: E lifts it until it touches, M climbs on it",
      ),
    );
    const said = Number.isNaN(now.y) ? "not known yet" : `${decimal(now.y, 4)} nats a point`;
    svg.setAttribute("aria-label", `Log-likelihood, iteration ${now.x}: ${said}`);
    svg.onclick = (event) => {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * WIDTH;
      this.#onGo(halfOf(fit, Math.round(from(at))));
    };
  }

  #axes(first, last, low, high, x, y) {
    const bottom = HEIGHT - EDGE.bottom;
    for (const tick of ticksOf([first, last], MOST_TICKS, 1)) // whole iterations
      this.#svg.append(drawText(x(tick), bottom + 14, String(tick), "middle", "tick"));
    this.#svg.append(
      draw("line", {
        x1: EDGE.left,
        x2: WIDTH - EDGE.right,
        y1: bottom,
        y2: bottom,
        class: "axis",
      }),
      drawText(WIDTH - EDGE.right, bottom + 24, "iteration", "end"),
    );
    const digits = digitsOf(niceStep((high - low) / 3));
    for (const value of ticksOf([low, high], 3))
      this.#svg.append(
        draw("line", {
          x1: EDGE.left,
          x2: WIDTH - EDGE.right,
          y1: y(value),
          y2: y(value),
          class: "grid",
        }),
        drawText(EDGE.left - 6, y(value) + 3.5, decimal(value, digits), "end"),
      );
  }
}

/** The half step at which an iteration's E-step is done, of the frame nearest to it. */
export function halfOf(fit, iteration) {
  let frame = 0;
  while (frame < fit.last && fit.number(frame + 1) <= iteration) frame++;
  return 2 * frame + 1;
}

// After an E-step one stands on the likelihood, after an M-step on the bound: the likelihood of the
// new parameters is not known before the next E-step.
function whereAt(fit, half) {
  const frame = Math.floor(half / 2);
  const x = fit.number(frame);
  if (half % 2) return { x, y: fit.likelihoods[x] ?? NaN };
  return { x, y: half ? (fit.bounds[x - 1] ?? NaN) : NaN };
}

function linesOf(fit, first, last) {
  const [likelihood, bounds, touches] = [[], [], []];
  for (let t = first; t <= last; t++) {
    if (fit.likelihoods[t] === undefined) continue;
    likelihood.push([t, fit.likelihoods[t]]);
    touches.push([t, fit.likelihoods[t]]);
    if (t < last && Number.isFinite(fit.bounds[t]))
      bounds.push([
        [t, fit.likelihoods[t]],
        [t + 1, fit.bounds[t]],
      ]);
  }
  return { likelihood, bounds, touches };
}

function padded(low, high) {
  const room = 0.12 * (high - low || Math.abs(high) * 1e-3 || 1);
  return [low - room, high + room];
}
