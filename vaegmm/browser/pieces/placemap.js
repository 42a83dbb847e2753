// A small map for one place among the stored z: where it lies, and the way it came.

import { asCss, colourOf, componentColours } from "./colours.js";
import { make } from "./elements.js";
import { middlesOf } from "../map/labels.js";
import { createMap } from "../map/map.js";
import { inkRgb, makePicture, paint } from "./pictures.js";
import { labelTitle } from "./words.js";

const MOST_SHOWN = 8000; // of the stored z
const TRAIL = 48; // places of the way that are kept
const NEAR = 0.004; // of the map's width: places nearer than this say nothing new
const STRAGGLERS = 0.02; // share of points with the least log p(z) that lie on a line of one latent
const MOST_LETTERS = 14; // of a name on the map
const LEAST_GROUP = 0.01; // of the points; smaller groups get no name on the map

/**
 * Make a map of a model's stored z, in the plane in which its named clusters are furthest apart.
 *
 * @param {HTMLElement} element  as for `createMap`
 * @param {object} options
 * @param {Model} options.model
 * @param {(z: Float32Array) => void} [options.onPlace]  called with the latents of a place that
 *   was chosen: a stored z, or, between them, what the place in the plane stands for
 * @returns {PlaceMap}
 */
export function createPlaceMap(element, options) {
  return new PlaceMap(element, options);
}

class PlaceMap {
  #model;
  #map;
  #axes;
  #rows; // of the stored z that are shown
  #likelihoods; // bounds of log p(z), where it is the second axis
  #width;
  #trail = [];
  #z = null;
  #picked = -1;

  constructor(element, { model, onPlace }) {
    this.#model = model;
    const map = createMap(element, { label: "Map of the latent space" });
    this.#map = map;
    const n = Math.min(model.latents.length, MOST_SHOWN);
    this.#rows = Array.from({ length: n }, (_, i) => Math.floor((i * model.latents.length) / n));
    this.#axes = model.discriminantAxes.slice(0, Math.min(2, model.dimension) * model.dimension);
    const z = new Float32Array(n * model.dimension);
    this.#rows.forEach((row, i) => z.set(this.#stored(row), i * model.dimension));
    const points = this.#project(z);
    this.#width = extent(points.filter((_, i) => i % 2 === 0));
    map.setPoints(points, { glide: false });
    this.#colour();
    this.#nameClouds(points);
    const picture = makePicture();
    const called = make("span");
    map.onHover = (hit) => {
      if (!hit) return;
      map.tooltip.replaceChildren(picture, called);
      const label = hit.index < 0 ? null : this.#model.componentNames[this.#component(hit.index)];
      called.textContent = label === null ? "in between" : labelTitle(model, label);
      paint(picture, model.decode(this.#latentsAt(hit)), inkRgb(element));
    };
    map.onPick = (hit) => {
      if (!hit) return;
      const latents = this.#latentsAt(hit);
      this.#picked = hit.index;
      onPlace?.(latents);
    };
  }

  /**
   * Show where latents lie.
   *
   * @param {ArrayLike<number> | null} z  (D,); null: nowhere
   * @param {boolean} isStart  whether a new way begins there
   */
  show(z, isStart = false) {
    if (isStart || !z) this.#trail = [];
    this.#z = z && Float32Array.from(z);
    if (z) {
      const place = this.#project(this.#z);
      const last = this.#trail.at(-1);
      const far = last ? Math.hypot(place[0] - last[0], place[1] - last[1]) : Infinity;
      if (far > NEAR * this.#width) this.#trail.push([...place]);
      if (this.#trail.length > TRAIL) this.#trail.shift();
    }
    const now = z ? this.#project(this.#z) : null;
    const picked = this.#picked < 0 ? null : this.#stored(this.#rows[this.#picked]);
    if (!picked || !z || picked.some((value, d) => Math.abs(value - this.#z[d]) > 1e-6))
      this.#picked = -1;
    const way = this.#trail.length > 1 ? [...this.#trail, [...now]].flat() : [];
    this.#map.setTrail(Float32Array.from(way));
    const places = now && this.#picked < 0 ? [{ x: now[0], y: now[1] }] : [];
    this.#map.setMarks({ pinned: this.#picked, places });
  }

  /**
   * Mark several places without a way.
   *
   * @param {Float32Array} z  (N, D)
   */
  mark(z) {
    this.show(null);
    const along = this.#project(z);
    const places = Array.from({ length: z.length / this.#model.dimension }, (_, i) => ({
      ...{ x: along[2 * i], y: along[2 * i + 1] },
    }));
    this.#map.setMarks({ places });
  }

  /**
   * Light the stored z of one component, and draw its outline.
   *
   * @param {number | null} component  null: all are alike
   */
  light(component) {
    if (component === null) {
      this.#map.setDimmed(null);
      this.#map.setEllipses([]);
      return;
    }
    const mask = this.#rows.map((_, i) => (this.#component(i) === component ? 0 : 1));
    this.#map.setDimmed(Uint8Array.from(mask));
    const colours = componentColours(this.#model.componentNames);
    const outline = this.#outline(component);
    const style = { colour: asCss(colours[component]), isStrong: true };
    this.#map.setEllipses(outline ? [{ ...outline, ...style }] : [], { glide: false });
  }

  destroy() {
    this.#map.destroy();
  }

  // A component's mean and covariance on the map; null where one axis is no latent's.
  #outline(component) {
    const { dimension: d, means, covariances } = this.#model;
    if (d < 2) return null;
    const [x, y] = this.#project(means.subarray(component * d, (component + 1) * d));
    const sigma = covariances.subarray(component * d * d, (component + 1) * d * d);
    const across = (a, b) => {
      let sum = 0;
      for (let i = 0; i < d; i++)
        for (let j = 0; j < d; j++)
          sum += this.#axes[a * d + i] * sigma[i * d + j] * this.#axes[b * d + j];
      return sum;
    };
    return { x, y, xx: across(0, 0), xy: across(0, 1), yy: across(1, 1) };
  }

  #stored(row) {
    const { dimension, latents } = this.#model;
    return latents.z.subarray(row * dimension, (row + 1) * dimension);
  }

  #component(point) {
    return this.#model.latents.components[this.#rows[point]];
  }

  // One latent has no plane: what is likely lies higher up then.
  #project(z) {
    const model = this.#model;
    const along = model.project(this.#axes, z);
    if (model.dimension > 1) return along;
    const heights = model.logLikelihood(z);
    if (!this.#likelihoods) {
      const sorted = Float32Array.from(heights).sort();
      const least = sorted[Math.floor(STRAGGLERS * sorted.length)];
      this.#likelihoods = { least, scale: extent(along) / 2 / (sorted.at(-1) - least || 1) };
    }
    const { least, scale } = this.#likelihoods;
    const points = new Float32Array(2 * along.length);
    along.forEach((x, i) => points.set([x, Math.max(heights[i] - least, 0) * scale], 2 * i));
    return points;
  }

  #latentsAt({ index, place }) {
    if (index >= 0) return Float32Array.from(this.#stored(this.#rows[index]));
    const flat = this.#model.dimension > 1 ? place : place.slice(0, 1);
    return this.#model.unproject(flat, this.#axes, this.#z ?? this.#model.pca.mean);
  }

  #colour() {
    const names = this.#model.componentNames;
    const colours = this.#model.names
      ? componentColours(names)
      : Array.from(names, (_, k) => colourOf(k));
    const rgba = new Uint8Array(4 * this.#rows.length);
    this.#rows.forEach((_, i) => rgba.set([...colours[this.#component(i)], 255], 4 * i));
    this.#map.setColours(rgba, { glide: false });
  }

  #nameClouds(points) {
    const { labelNames } = this.#model;
    const groups = this.#rows.map((_, i) => this.#model.componentNames[this.#component(i)]);
    const counts = labelNames.map((_, label) => groups.filter((g) => g === label).length);
    const named = groups.flatMap((group, i) => (group >= 0 ? [i] : []));
    const places = Float32Array.from(named.flatMap((i) => [points[2 * i], points[2 * i + 1]]));
    const of = named.map((i) => groups[i]);
    const middles = middlesOf(places, 2, of, labelNames.length);
    const labels = labelNames.flatMap((name, label) => {
      if (counts[label] <= LEAST_GROUP * groups.length) return [];
      const [x, y] = middles.subarray(2 * label);
      return [{ x, y, text: short(name), count: counts[label] }];
    });
    this.#map.setLabels(labels.sort((a, b) => b.count - a.count), { glide: false });
  }
}

function short(name) {
  return name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS - 1)}…` : name;
}

function extent(values) {
  return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
}
