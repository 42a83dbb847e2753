// The latents of a place as sliders, or its principal axes: what is read and what is walked with.

import { make, makeButton } from "../pieces/elements.js";
import { decimal } from "../pieces/words.js";

const BEYOND = 0.75; // of the usual range, that a slider goes beyond it on each side
const USUAL_DEVIATIONS = 1.645; // nine of ten of a normal distribution lie within
const N_STOPS = 400;

/** It tells `onMove(z, isDone)` while a slider is dragged. */
export class LatentSliders {
  element = make("div", { class: "sliders" });
  onMove = null;
  #model;
  #rows = make("div", { class: "rows" });
  #kinds;
  #kind = "latents";
  #sliders = [];
  #z = null;

  constructor(model) {
    this.#model = model;
    this.#kinds = ["latents", "principal axes"].map((kind) =>
      makeButton(kind, () => this.#choose(kind), { class: "quiet" }),
    );
    const choice = make("div", { class: "choice", role: "group", "aria-label": "Sliders of" });
    choice.append(...this.#kinds);
    if (model.dimension > 1) this.element.append(choice);
    this.element.append(this.#rows);
    this.#choose("latents");
  }

  /** @param {ArrayLike<number>} z  (D,) */
  show(z) {
    this.#z = Float32Array.from(z);
    const values = this.#valuesOf(this.#z);
    this.#sliders.forEach(({ input, number, range }, i) => {
      // A place may lie beyond what a slider has room for.
      input.min = Math.min(range.min, values[i]);
      input.max = Math.max(range.max, values[i]);
      input.step = (range.max - range.min) / N_STOPS || "any";
      const place = (value) => (100 * (value - input.min)) / (input.max - input.min || 1);
      input.style.setProperty("--low", `${place(range.low)}%`);
      input.style.setProperty("--high", `${place(range.high)}%`);
      if (document.activeElement !== input || Number(input.value) !== values[i])
        input.value = values[i];
      number.textContent = decimal(values[i]);
    });
  }

  #choose(kind) {
    this.#kind = kind;
    this.#kinds.forEach((button) =>
      button.setAttribute("aria-pressed", button.textContent === kind),
    );
    const name = kind === "latents" ? "z" : "PC ";
    this.#sliders = this.#ranges().map((range, i) => {
      const title = `${name}${i + 1}`;
      const input = make("input", {
        ...{ type: "range", step: "any", "aria-label": title },
        title: `nine of ten images: ${decimal(range.low)} to ${decimal(range.high)}`,
        oninput: () => this.#move(i, Number(input.value), false),
        onchange: () => this.#move(i, Number(input.value), true),
      });
      const number = make("output");
      const row = make("label", {}, make("span", {}, title), input, number);
      return { input, number, range, row };
    });
    this.#rows.replaceChildren(...this.#sliders.map(({ row }) => row));
    if (this.#z) this.show(this.#z);
  }

  #ranges() {
    const { usualRange, pca, dimension } = this.#model;
    return Array.from({ length: dimension }, (_, i) => {
      let [low, high] = [usualRange.low[i], usualRange.high[i]];
      if (this.#kind !== "latents") {
        high = USUAL_DEVIATIONS * Math.sqrt(pca.explainedVariance[i]);
        low = -high;
      }
      const room = BEYOND * (high - low || 1);
      return { low, high, min: low - room, max: high + room };
    });
  }

  #valuesOf(z) {
    return this.#kind === "latents" ? z : this.#model.project(this.#model.pca.components, z);
  }

  #move(i, value, isDone) {
    if (!this.#z) return;
    const z = this.#z.slice();
    if (this.#kind === "latents") z[i] = value;
    else {
      const d = this.#model.dimension;
      const step = value - this.#valuesOf(z)[i];
      for (let k = 0; k < d; k++) z[k] += step * this.#model.pca.components[i * d + k];
    }
    this.onMove?.(z, isDone);
  }
}
