// What the map shows of a view: points in their colours, names, ellipses, marks and the trail.

import { colouring, pointColours } from "./colouring.js";
import { asCss, componentColours } from "../pieces/colours.js";
import { DIMMED, HIDDEN } from "../map/appearance.js";
import { middlesOf } from "../map/labels.js";
import { Projection } from "./axes.js";
import { Sheet } from "./sheet.js";
import { inkRgb } from "../pieces/pictures.js";
import { labelTitle } from "../pieces/words.js";

const FEW_CLUSTERS = 12; // that are named on the map where they have no labels
const MANY_CLUSTERS = 24; // whose ellipses are drawn at one standard deviation instead of two

/** It turns a view into calls of a map. */
export class Scene {
  #map;
  #space;
  #sheet;
  #bounds = null;
  #frame = 0;
  #dimmed = null;

  /**
   * @param {PointMap} map
   * @param {Space} space
   */
  constructor(map, space) {
    this.#map = map;
    this.#space = space;
    this.#sheet = new Sheet(map);
  }

  /**
   * @param {View} view
   * @param {Set<string>} changed  what of it is another, or "scores", "trail", "theme"
   */
  show(view, changed) {
    const has = (...names) => names.some((name) => changed.has(name));
    const space = this.#space;
    const isFirst = !space.projection;
    if (has("axes", "along")) {
      space.projection = new Projection(space.model, view.axes, view.along);
      space.places = space.projection.places();
      this.#map.setPoints(space.places, { dimension: space.projection.dimension, glide: !isFirst });
    }
    if (has("colour", "scores") && (space.scores.isReady || !needsScores(view.colour))) {
      space.colouring = colouring(view.colour, space);
      this.#map.setColours(pointColours(space.colouring), { glide: !isFirst });
    }
    if (has("filter", "search", "scores")) this.#map.setDimmed((this.#dimmed = this.#mask(view)));
    if (has("axes", "along", "scores", "filter")) this.#name(!isFirst);
    if (has("axes", "along", "outlines", "pin")) this.#outline(view, !isFirst);
    if (has("axes", "along", "pin", "a", "b", "trail")) this.#mark(view);
    if (has("axes", "along", "sheet", "pin", "theme")) {
      this.#sheet.forget();
      this.#lay(view);
    }
  }

  /** The map shows something else, or the same from nearer. */
  seen(view, { bounds, isSettled }) {
    this.#bounds = bounds;
    if (view.sheet && isSettled) this.#lay(view);
  }

  destroy() {
    this.#sheet.clear();
    cancelAnimationFrame(this.#frame);
  }

  // Hidden are the points of hidden groups, dimmed those that a search has not found.
  #mask(view) {
    const { model, results } = this.#space;
    if (!view.filter && !results?.isSelective) return null;
    const mask = new Uint8Array(model.latents.length);
    if (results?.isSelective) {
      mask.fill(DIMMED);
      for (const index of results.indices) mask[index] = 0;
    }
    if (view.filter) {
      const { groups } = colouring(view.filter.by, this.#space);
      const hidden = new Set(view.filter.hidden);
      groups.forEach((group, i) => {
        if (hidden.has(group)) mask[i] = HIDDEN;
      });
    }
    return mask;
  }

  #name(glide) {
    const { model, scores, projection, places } = this.#space;
    const isNamed = model.names !== null;
    const n = isNamed ? model.labelNames.length : model.nComponents;
    if (!isNamed && n > FEW_CLUSTERS) return this.#map.setLabels([]);
    // What has no label is a group without a name, behind the others.
    const groups = isNamed
      ? Uint16Array.from(scores.label, (label) => (label < 0 ? n : label))
      : model.latents.components;
    const middles = middlesOf(places, projection.dimension, groups, n + 1);
    const shown = new Uint8Array(n + 1);
    groups.forEach((group, i) => {
      if (this.#dimmed?.[i] !== HIDDEN) shown[group] = 1;
    });
    const labels = [];
    for (let group = 0; group < n; group++) {
      const [x, y, z = 0] = middles.subarray(
        group * projection.dimension,
        (group + 1) * projection.dimension,
      );
      if (Number.isNaN(x) || !shown[group]) continue;
      const text = isNamed ? labelTitle(model, group) : `cluster ${group}`;
      labels.push({ x, y, z, text });
    }
    this.#map.setLabels(labels, { glide });
  }

  #outline(view, glide) {
    const { model, projection, palette, zOf, reading } = this.#space;
    const strong = view.pin === null ? -1 : reading(zOf(view.pin)).component;
    const colours = componentColours(model.componentNames, palette);
    const ellipses = [];
    for (let k = 0; k < model.nComponents; k++)
      if (view.outlines || k === strong)
        ellipses.push({
          ...projection.ellipse(k),
          ...{ colour: asCss(colours[k]), isStrong: k === strong },
          radius: k === strong || model.nComponents <= MANY_CLUSTERS ? 2 : 1,
        });
    this.#map.setEllipses(ellipses, { glide: glide && view.outlines });
  }

  #mark(view) {
    const { projection, neighbours, trail, outline } = this.#space;
    const places = ["a", "b"]
      .filter((name) => view[name] !== null)
      .map((name) => ({ ...this.#at(view[name]), text: name.toUpperCase() }));
    if (Array.isArray(view.pin)) places.push(this.#at(view.pin));
    const pinned = typeof view.pin === "number" ? view.pin : -1;
    this.#map.setMarks({ pinned, neighbours, places });
    const walked = Float32Array.from(trail.flatMap((place) => [...place]));
    this.#map.setTrail(trail.length > 1 ? projection.project(walked) : outline);
  }

  // Where a place is on the map: a stored z where its point is.
  #at(place) {
    const { projection, places, zOf } = this.#space;
    const d = projection.dimension;
    const at =
      typeof place === "number"
        ? places.subarray(place * d, (place + 1) * d)
        : projection.project(zOf(place));
    return { x: at[0], y: at[1], z: at[2] ?? 0 };
  }

  // The sheet is laid once a frame at most, however fast a slider goes.
  #lay(view) {
    if (!view.sheet || !this.#bounds) {
      if (!view.sheet) this.#sheet.clear();
      return;
    }
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      const { model, projection, through, root, mapElement } = this.#space;
      const origin = through();
      const decode = (place) => model.decode(projection.unproject(place, origin));
      this.#sheet.show(this.#bounds, mapElement.clientWidth, decode, inkRgb(root));
    });
  }
}

/** Whether a colouring must wait for the scores of all points. */
export function needsScores(colour) {
  return !["cluster", "truth", "label"].includes(colour);
}
