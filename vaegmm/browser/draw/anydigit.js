// Every digit in the style of the one that was drawn.

import { asCss, colourOf } from "../pieces/colours.js";
import { make } from "../pieces/elements.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { labelTitle, nounOf } from "../pieces/words.js";
import { Styles } from "../model/style.js";

const N_PIXELS = 784;

/**
 * Show what the other digits would look like in the style of one. rest.css and pieces.css belong
 * to it.
 *
 * @param {HTMLElement} element
 * @param {{model: Model}} options  its components have names
 * @returns {{show: (said: ?object) => void, destroy: () => void}}  said: what `readStrokes` says of
 *   a drawing, or anything with z, (D,), and label; null: there is none
 */
export function createAnyDigit(element, { model }) {
  const styles = new Styles(model);
  const noun = nounOf(model);
  const cells = styles.labels.map((label) => {
    const picture = makePicture();
    const swatch = make("i", { class: "swatch", style: `background: ${asCss(colourOf(label))}` });
    const name = make("figcaption", {}, swatch, labelTitle(model, label));
    return { label, picture, cell: make("figure", {}, picture, name) };
  });
  const row = make("div", { class: "digits" }, ...cells.map(({ cell }) => cell));
  const note = make("p", { class: "note" });
  const root = make("div", { class: "any-digit pieces rest" }, row, note);
  element.append(root);
  let said = null;

  function draw() {
    const isKnown = said !== null && styles.labels.includes(said.label);
    row.hidden = !isKnown;
    note.textContent = isKnown
      ? `Where your ${labelTitle(model, said.label)} lies among all of its kind, each of the others ` +
        "is put among its own: slant, thickness and width come along."
      : `Draw a ${noun} to see all the others in its style.`;
    if (!isKnown) return;
    const images = model.decode(styles.latents(said.z, said.label));
    const ink = inkRgb(root);
    cells.forEach(({ label, picture, cell }, i) => {
      paint(picture, images.subarray(i * N_PIXELS, (i + 1) * N_PIXELS), ink);
      cell.toggleAttribute("data-own", label === said.label);
    });
  }

  root.addEventListener("transitionend", (event) => {
    if (event.target === root) draw(); // the theme has changed
  });
  draw();
  return {
    show(drawn) {
      said = drawn;
      draw();
    },
    destroy: () => root.remove(),
  };
}
