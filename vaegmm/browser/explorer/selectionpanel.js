// What lies in a box or a lasso: how many of what, their images, and as files to take along.

import { colourOf, componentColours } from "../pieces/colours.js";
import { download, make, makeButton } from "../pieces/elements.js";
import { bars, tile } from "./inspector.js";
import { toNpz } from "../model/npz.js";
import { arraysOf, composition, toCsv } from "./selection.js";
import { componentTitle, countOf, labelTitle } from "../pieces/words.js";

const A_PAGE = 60; // images
const MOST_ROWS = 10; // labels or clusters
const MOST_WITH_IMAGES = 5000; // points whose images go into the file: decoding takes its time

/** It tells `onPin(index)` and `onLetGo()`. */
export class SelectionPanel {
  element = make("div", { class: "selection", hidden: true });
  onPin = null;
  onLetGo = null;
  #space;
  #indices = null;

  constructor(space) {
    this.#space = space;
  }

  /** @param {Uint32Array | null} indices  the points; null: none are selected */
  show(indices) {
    this.#indices = indices;
    this.element.hidden = indices === null;
    if (indices === null) return this.element.replaceChildren();
    const { model, scores, palette, noun } = this.#space;
    const away = makeButton("×", () => this.onLetGo?.(), {
      ...{ class: "away", title: "Let go (Escape)", "aria-label": "Let go of the selection" },
    });
    const head = make(
      "header",
      {},
      make(
        "div",
        {},
        make("h3", {}, countOf(indices.length, "point")),
        make("p", { class: "what" }, "in the outline"),
      ),
      away,
    );
    if (!indices.length) return this.element.replaceChildren(head);
    const { labels, components } = composition(indices, { model, scores });
    const section = (title, ...children) => make("section", {}, make("h4", {}, title), ...children);
    const n = indices.length;
    const table = (counts, key, length, name, colour) => {
      const shares = new Float64Array(length);
      for (const part of counts) if (part[key] >= 0) shares[part[key]] = part.count / n;
      const rows = bars(shares, name, colour, MOST_ROWS);
      const rest = counts.length - rows.length;
      return make("div", { class: "bars" }, rows, rest > 0 ? `and ${countOf(rest)} more` : null);
    };
    const colours = componentColours(model.componentNames, palette);
    const grid = make("div", { class: "grid" });
    const more = makeButton("more", () => this.#extend(grid, more), { class: "quiet" });
    this.element.replaceChildren(
      head,
      model.names
        ? section(
            `By ${noun}`,
            table(
              ...[labels, "label", model.labelNames.length],
              (label) => labelTitle(model, label),
              (label) => colourOf(label, palette),
            ),
          )
        : "",
      section(
        "By cluster",
        table(
          ...[components, "component", model.nComponents],
          (component) => componentTitle(model, component),
          (component) => colours[component],
        ),
      ),
      section("Their images", grid, more),
      make(
        "p",
        { class: "files" },
        makeButton("Download .npz", () => this.#saveNpz()),
        makeButton("CSV", () => this.#saveCsv()),
      ),
    );
    this.#extend(grid, more);
  }

  // Some from everywhere in the selection, and then some more: those that were left out.
  #extend(grid, more) {
    const { sheets, model } = this.#space;
    const indices = this.#indices;
    const from = grid.childElementCount;
    const end = Math.min(from + A_PAGE, indices.length);
    const order = this.#spread(indices.length);
    const shown = Array.from(order.subarray(from, end), (at) => indices[at]);
    sheets?.want(shown.map((index) => model.latents.row(index)));
    grid.append(...shown.map((index) => tile(this.#space, index, () => this.onPin?.(index))));
    more.hidden = end === indices.length;
  }

  /** 0 to n - 1 in an order that is even at every length: steps by the golden ratio. */
  #spread(n) {
    let step = Math.max(Math.round(n * 0.618), 1);
    const divisor = (a, b) => (b ? divisor(b, a % b) : a);
    while (divisor(n, step) !== 1) step++;
    return Uint32Array.from({ length: n }, (_, i) => (i * step) % n);
  }

  #saveNpz() {
    const { model, zOf, sheets } = this.#space;
    const indices = this.#indices;
    const arrays = arraysOf(indices, this.#space);
    if (indices.length <= MOST_WITH_IMAGES) {
      const n = indices.length;
      const rows = Array.from(indices, (index) => model.latents.row(index));
      const isHere = sheets?.has(rows) ?? false;
      const data = new Uint8Array(n * 784);
      indices.forEach((index, at) => {
        const pixels = isHere ? sheets.image(rows[at]) : model.decode(zOf(index));
        data.set(isHere ? pixels : pixels.map((value) => 255 * value), at * 784);
      });
      arrays[isHere ? "images" : "decoded"] = { data, shape: [n, 28, 28] };
    }
    download(this.element, "points.npz", toNpz(arrays), "application/zip");
  }

  #saveCsv() {
    const text = toCsv(this.#indices, this.#space);
    download(this.element, "points.csv", text, "text/csv");
  }
}
