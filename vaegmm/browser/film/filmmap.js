// The map of a film: the same images at every moment, gliding as the training moves them.

import { asCss, colourOf, componentColours } from "../pieces/colours.js";
import { createMap } from "../map/map.js";
import { make } from "../pieces/elements.js";
import { middlesOf } from "../map/labels.js";
import { mix } from "../map/motion.js";

const PLAIN = [110, 140, 170]; // of points that have neither a label nor a component yet
const MOST_LETTERS = 14; // of a name on the map
const LEAST_WEIGHT = 0.02; // of a component; the outlines of smaller ones are faint

/** Points of validation images, and the components among them. */
export class FilmMap {
  #map;
  #film;
  #labelColours;
  #frame = null;
  #n = 0;

  /**
   * @param {HTMLElement} element
   * @param {Film} film
   */
  constructor(element, film) {
    this.#film = film;
    const map = createMap(element, { label: "Map of the latent space while it is trained" });
    this.#map = map;
    map.onHover = (hit) => {
      const said = hit && hit.index >= 0 ? this.#said(hit.index) : "";
      map.tooltip.replaceChildren(...(said ? [make("span", {}, said)] : []));
    };
  }

  /**
   * Show a frame, or what lies between two.
   *
   * @param {object} from  as filmframe.js opens it
   * @param {object} to  the next one, or the same
   * @param {number} share  of the way between them, in [0, 1)
   * @param {boolean} isGliding  whether points glide to where they are then
   */
  show(from, to, share, isGliding) {
    if (!from.places) return;
    const isBetween = share > 0 && to.places !== from.places;
    const places = isBetween ? mix(from.places, to.places, share) : from.places;
    this.#map.setPoints(places, { glide: isGliding });
    const isOther = this.#frame !== from;
    this.#frame = from;
    if (isOther) this.#colour(from, isGliding);
    this.#outline(from, isBetween ? to : from, share, isGliding);
    this.#name(from, places, isGliding);
  }

  destroy() {
    this.#map.destroy();
  }

  #said(point) {
    const { labels, header } = this.#film;
    const component = this.#frame.components?.[point];
    const cluster = component === undefined ? "" : this.#titleOf(component);
    if (!labels) return cluster;
    const label = header.label_names[labels[point]] ?? `${labels[point]}`;
    return cluster && cluster !== label ? `${label}, in cluster ${cluster}` : label;
  }

  #titleOf(component) {
    const label = this.#frame.componentLabels?.[component] ?? -1;
    return label >= 0 ? this.#film.header.label_names[label] : `${component}`;
  }

  // Labels stay what they are; components are others in each frame.
  #colour({ places, components, ellipses, componentLabels }, isGliding) {
    const n = places.length / 2;
    const { labels } = this.#film;
    const isNew = n !== this.#n;
    this.#n = n;
    if (labels && !isNew) return;
    const colours = labels
      ? null
      : components && coloursOf(componentLabels, ellipses?.length ?? 1 + Math.max(...components));
    const rgba = new Uint8Array(4 * n);
    for (let i = 0; i < n; i++) {
      const colour = labels ? colourOf(labels[i]) : (colours?.[components[i]] ?? PLAIN);
      rgba.set([...colour, 255], 4 * i);
    }
    this.#map.setColours(rgba, { glide: isGliding && !isNew });
  }

  #outline({ ellipses, componentLabels }, to, share, isGliding) {
    if (!ellipses?.some(({ xx }) => xx > 0)) return this.#map.setEllipses([]);
    const colours = coloursOf(componentLabels, ellipses.length);
    const along = (k, name) => {
      const start = ellipses[k][name];
      return start + ((to.ellipses ?? ellipses)[k][name] - start) * share;
    };
    const shown = ellipses.map(({ weight }, k) => ({
      ...{ x: along(k, "x"), y: along(k, "y") },
      ...{ xx: along(k, "xx"), xy: along(k, "xy"), yy: along(k, "yy") },
      colour: asCss(colours[k]),
      isFaint: weight < LEAST_WEIGHT,
    }));
    this.#map.setEllipses(shown, { glide: isGliding });
  }

  // The names that clusters have found, or else of the labels, where their points are.
  #name({ ellipses, componentLabels }, places, isGliding) {
    const names = this.#film.header.label_names;
    if (ellipses) {
      const order = [...ellipses.keys()].sort((a, b) => ellipses[b].weight - ellipses[a].weight);
      const named = order.filter((k) => componentLabels?.[k] >= 0);
      const texts = named.map((k) => [short(names[componentLabels[k]]), ellipses[k]]);
      this.#map.setLabels(
        texts.map(([text, { x, y }]) => ({ x, y, text })),
        { glide: isGliding },
      );
      return;
    }
    const { labels } = this.#film;
    if (!labels) return this.#map.setLabels([]);
    const middles = middlesOf(places, 2, labels, names.length);
    const there = names
      .map((name, label) => ({ x: middles[2 * label], y: middles[2 * label + 1], text: short(name) }))
      .filter(({ x }) => Number.isFinite(x));
    this.#map.setLabels(there, { glide: isGliding });
  }
}

/** The colours of components, in shades of their labels' where they have some. */
export function coloursOf(componentLabels, nComponents) {
  return componentColours(componentLabels ?? new Int32Array(nComponents).fill(-1));
}

function short(name) {
  return name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS - 1)}…` : name;
}
