// All components of the mixture as a wall of digits, and a card for the one that is open.

import { asCss, componentColours } from "../pieces/colours.js";
import { make, makeButton } from "../pieces/elements.js";
import { Sheets } from "../pieces/images.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { componentTitle, countOf, labelTitle, share } from "../pieces/words.js";
import { createCard } from "./card.js";
import { groupsOf } from "./members.js";

const PER_SHEET = 1000; // images

/**
 * Show the components of a model's mixture.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {?{url: (sheet: number) => string}} [options.images]  the training images, where they are
 * @param {number} [options.component]  the one to open; left out, the largest
 * @param {(component: number) => void} [options.onOpen]
 * @param {(component: number) => void} [options.onMembers]  called to see its members on the map
 * @param {(change: object) => void} [options.onEdit]  called with what a person wants to change:
 *   `{what: "rename", component, label}`, label -1 taking the name away, `{what: "merge",
 *   components}` or `{what: "split", component}`; left out, nothing can be changed
 * @returns {{open: (component: number) => void, destroy: () => void}}
 */
export function createComponents(element, { model, images, component, onOpen, onMembers, onEdit }) {
  const sheets = images && new Sheets(images.url, Math.ceil(model.latents.total / PER_SHEET));
  const colours = componentColours(model.componentNames);
  const wall = make("div", { class: "wall" });
  const side = make("aside", { "aria-live": "polite" });
  const root = make("div", { class: "components" }, make("div", { class: "layout" }, wall, side));
  element.append(root);
  let ink = inkRgb(root);
  const card = createCard(side, {
    ...{ model, sheets, colours, onOpen: open, onMembers, onEdit },
  });
  const tiles = new Map();
  for (const { label, members } of groupsOf(model)) wall.append(group(label, members));

  function group(label, members) {
    const total = members.reduce((sum, k) => sum + model.weights[k], 0);
    const title = model.names ? labelTitle(model, label) : "Clusters";
    const about = `${share(total)} in ${countOf(members.length, "cluster")}`;
    return make(
      "section",
      {},
      make("h3", {}, make("b", {}, title), ` ${about}`),
      make("div", { class: "tiles" }, members.map(tile)),
    );
  }

  function tile(k) {
    const picture = makePicture();
    const name = `${componentTitle(model, k)}: ${share(model.weights[k])} of the images`;
    const colour = `--colour: ${asCss(colours[k])}; --share: ${model.weights[k] / largest(model)}`;
    const button = makeButton("", () => open(k), { style: colour, title: name, "aria-label": name });
    button.append(picture, make("i"), make("small", {}, share(model.weights[k])));
    tiles.set(k, { button, picture, image: model.decode(meanOf(model, k)) });
    return button;
  }

  function paintAll() {
    for (const { picture, image } of tiles.values()) paint(picture, image, ink);
  }

  function open(k) {
    const shown = tiles.has(k) ? k : model.weights.indexOf(largest(model));
    for (const [other, { button }] of tiles)
      button.setAttribute("aria-pressed", String(other === shown));
    card.show(shown, ink);
    if (shown === k) onOpen?.(k);
  }

  root.addEventListener("transitionend", (event) => {
    if (event.target !== root) return;
    ink = inkRgb(root); // the theme has changed
    paintAll();
    card.refresh(ink);
  });
  if (sheets) sheets.onSheet = () => card.refresh(ink);
  paintAll();
  open(component ?? -1);
  return {
    open,
    destroy() {
      sheets?.stop();
      card.destroy();
      root.remove();
    },
  };
}

/** The mean of a component, (D,). */
export function meanOf({ means, dimension }, component) {
  return means.subarray(component * dimension, (component + 1) * dimension);
}

function largest({ weights }) {
  return Math.max(...weights);
}
