// The latents of a drawing: each on the range that the stored ones usually have.

import { make } from "../pieces/elements.js";
import { decimal } from "../pieces/words.js";

const ROOM = 0.5; // of the usual range, beyond it at either side

/**
 * @param {HTMLElement} element
 * @param {{model: Model}} options
 * @returns {{show: (z: ?Float32Array) => void}}  (D,); null: there is none
 */
export function createLatents(element, { model }) {
  const { low, high } = model.usualRange;
  const rows = Array.from({ length: model.dimension }, (_, d) => {
    const [dot, value] = [make("i"), make("span", { class: "value" })];
    const track = make("span", { class: "track" }, dot);
    return { dot, value, row: make("li", {}, make("span", {}, `z${d + 1}`), track, value) };
  });
  element.append(make("ol", { class: "latents" }, ...rows.map(({ row }) => row)));
  return {
    show(z) {
      rows.forEach(({ dot, value }, d) => {
        dot.hidden = !z;
        value.textContent = z ? decimal(z[d]) : "";
        if (!z) return;
        const place = (z[d] - low[d]) / (high[d] - low[d]);
        const share = (place + ROOM) / (1 + 2 * ROOM);
        dot.style.left = `${100 * Math.min(Math.max(share, 0), 1)}%`;
      });
    },
  };
}
