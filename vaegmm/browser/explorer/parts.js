// The parts of the explorer, and how they lie beside each other.

import { make } from "../pieces/elements.js";
import { HoverCard } from "./hovercard.js";
import { Inspector } from "./inspector.js";
import { Legend } from "./legend.js";
import { createMap } from "../map/map.js";
import { Scene } from "./scene.js";
import { SearchBox } from "./searchbox.js";
import { SelectionPanel } from "./selectionpanel.js";
import { Toolbar } from "./toolbar.js";
import { Ways } from "./ways.js";
import { Welcome } from "./welcome.js";
import { countOf } from "../pieces/words.js";

/**
 * Build the parts into the root of a space, which is in the page already: a map needs its size.
 *
 * @param {Space} space
 * @param {"webgl" | "canvas" | undefined} renderer  of the map
 * @returns {object}  the parts by name
 */
export function buildParts(space, renderer) {
  const { model, root, mapElement } = space;
  const toolbar = new Toolbar(model, space.titles);
  const [legend, search] = [new Legend(), new SearchBox(space)];
  const [ways, inspector] = [new Ways(space), new Inspector(space)];
  const [selection, welcome] = [new SelectionPanel(space), new Welcome()];
  const status = make("p", { class: "status", role: "status" });
  const bar = make("div", { class: "bar-above" }, toolbar.choices, search.element);
  const below = make("div", { class: "below" }, legend.element, status);
  const stage = make("div", { class: "stage" }, toolbar.tools, mapElement, below);
  const panel = make(
    "aside",
    { class: "panel", "aria-label": "Inspector" },
    [ways, inspector, selection, welcome].map(({ element }) => element),
  );
  root.append(make("div", { class: "layout" }, bar, stage, panel));
  const label = `Map of the latent space: ${countOf(model.latents.length, "point")}`;
  const map = createMap(mapElement, { label, renderer });
  const [scene, card] = [new Scene(map, space), new HoverCard(map, space)];
  return {
    ...{ map, scene, card, toolbar, legend, status },
    ...{ search, panel, ways, inspector, selection, welcome },
  };
}
