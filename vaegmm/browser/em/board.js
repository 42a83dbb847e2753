// One fit on a map, at a half step: 0 is the start, 2 t + 1 the E-step of iteration t + 1, and
// 2 t + 2 its M-step.

import { asCss, componentColours } from "../pieces/colours.js";
import { createMap } from "../map/map.js";
import { make } from "../pieces/elements.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { labelTitle, share } from "../pieces/words.js";

const GREY = [140, 140, 140, 255]; // of points that have not been asked
/** More components than this are not all drawn strongly, nor can all be dragged. */
export const MANY = 24;
const FIRST = 8; // of many: the largest, which are drawn more strongly than the rest
const ON_MEAN = 12; // pixels from a mean to a click that means its component
const ON_LINE = 5; // pixels from an ellipse's line

/** Which frame's parameters a half step shows. */
export function frameOf(half) {
  return Math.floor(half / 2);
}

/** Under which frame's parameters the points have their colours at a half step; -1: none. */
export function askedAt(half) {
  return Math.ceil(half / 2) - 1;
}

export class Board {
  /** Called with `{component, isOnMean, point, place}` of a click: a component or null, whether
   * its mean was meant, a point or -1, and data coordinates. */
  onPick = null;
  /** Called with `{component, place, isDone}` while a mean is dragged. */
  onMove = null;
  fit = null;
  half = 0;
  component = 0;
  point = -1;
  colours = [];
  names = new Int32Array(0);

  #map;
  #sample;
  #shown = [];
  #order = "";
  #large = new Set();
  #marked = [];

  /**
   * @param {HTMLElement} element
   * @param {Sample} sample
   * @param {string} label  for screen readers
   */
  constructor(element, sample, label) {
    this.element = element;
    this.#sample = sample;
    this.#map = createMap(element, { label });
    this.#map.setPoints(sample.places, { glide: false });
    const picture = makePicture();
    const called = make("span");
    this.#map.onHover = (hit) => {
      if (!hit || hit.index < 0) return this.#map.tooltip.replaceChildren();
      this.#map.tooltip.replaceChildren(picture, called);
      called.textContent = this.#said(hit.index);
      paint(picture, sample.model.decode(sample.latent(hit.index)), inkRgb(element));
    };
    this.#map.onPick = (hit) => hit && this.onPick?.(this.#meant(hit));
    this.#map.onMove = ({ ellipse, place, isDone }) =>
      this.onMove?.({ component: this.#shown[ellipse].component, place, isDone });
  }

  /** Show another fit; its components' colours follow from their names. */
  setFit(fit) {
    this.fit = fit;
    if (fit) this.component = Math.min(this.component, fit.nComponents - 1);
    this.recolour();
  }

  recolour() {
    const { fit } = this;
    if (!fit) return;
    const asked = () => (fit.lastHalf ? fit.expectation(fit.last, this.#sample.z).components : []);
    this.names = fit.names ?? this.#sample.namesOf(asked(), fit.nComponents);
    this.colours = componentColours(this.names);
    const { weights } = fit.frame(fit.last);
    const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a]);
    this.#large = new Set(order.slice(0, FIRST));
  }

  /** Choose other axes: points and ellipses glide there. */
  look() {
    this.#map.setPoints(this.#sample.places);
    this.show(this.half, { isMoving: true });
  }

  /**
   * @param {number} half
   * @param {{isMoving?: boolean}} options  whether colours and ellipses glide there
   */
  show(half, { isMoving = true } = {}) {
    this.half = half;
    if (!this.fit) {
      this.#map.setEllipses([]);
      this.#paintGrey(isMoving);
      return;
    }
    const frame = this.fit.frame(frameOf(half));
    const isMoved = half > 0 && half % 2 === 0;
    this.#outline(frame, isMoved ? this.fit.frame(frameOf(half) - 1) : null, isMoving);
    if (askedAt(half) < 0) this.#paintGrey(isMoving);
    else this.#blend(this.fit.expectation(askedAt(half), this.#sample.z), isMoving);
    this.mark();
  }

  /** Ring a point, and others with it. */
  mark(neighbours = this.#marked) {
    this.#marked = neighbours;
    this.#map.setMarks({ pinned: this.point, neighbours });
  }

  /** Where the means are on the screen, in pixels from the map's corner, by component. */
  get means() {
    const places = [];
    for (const { component, x, y } of this.#shown) places[component] = this.#map.toScreen([x, y]);
    return places;
  }

  say(text) {
    this.#map.say(text);
  }

  /** What a component is called: "4", or a number where it has no name. */
  titleOf(component) {
    const name = this.names[component];
    return name >= 0 ? labelTitle(this.#sample.model, name) : `cluster ${component}`;
  }

  destroy() {
    this.#map.destroy();
  }

  #said(point) {
    const asked = askedAt(this.half);
    if (!this.fit || asked < 0) return "not asked yet";
    const { responsibilities, components } = this.fit.expectation(asked, this.#sample.z);
    const k = components[point];
    return `${this.titleOf(k)}: ${share(responsibilities[point * this.fit.nComponents + k])}`;
  }

  #outline(frame, before, isMoving) {
    const { projection } = this.#sample;
    const isFew = this.fit.nComponents <= MANY;
    // The chosen one on top, the faint ones below.
    const rank = (c) => (c === this.component ? 2 : isFew || this.#large.has(c) ? 1 : 0);
    this.#shown = [...frame.weights.keys()]
      .sort((a, b) => rank(a) - rank(b) || a - b)
      .map((component) => {
        const isChosen = component === this.component;
        const from = before && projection.ellipse(component, before);
        return {
          ...projection.ellipse(component, frame),
          component,
          colour: asCss(this.colours[component]),
          radius: isFew ? 2 : 1,
          isStrong: isChosen,
          isFaint: rank(component) === 0,
          isMovable: isFew || isChosen,
          from: from && [from.x, from.y],
        };
      });
    // They glide by their place in the list: only where each is the same component as before.
    const order = this.#shown.map(({ component }) => component).join();
    this.#map.setEllipses(this.#shown, { glide: isMoving && order === this.#order });
    this.#order = order;
  }

  #paintGrey(isMoving) {
    const rgba = new Uint8Array(4 * this.#sample.length);
    for (let i = 0; i < this.#sample.length; i++) rgba.set(GREY, 4 * i);
    this.#map.setColours(rgba, { glide: isMoving });
  }

  // Each point is the blend of the colours of the components that it may come from.
  #blend({ responsibilities }, isMoving) {
    const k = this.fit.nComponents;
    const n = this.#sample.length;
    const rgba = new Uint8Array(4 * n);
    for (let i = 0; i < n; i++) {
      let [red, green, blue] = [0, 0, 0];
      for (let c = 0; c < k; c++) {
        const r = responsibilities[i * k + c];
        if (r === 0) continue;
        red += r * this.colours[c][0];
        green += r * this.colours[c][1];
        blue += r * this.colours[c][2];
      }
      rgba.set([red, green, blue, 255], 4 * i);
    }
    this.#map.setColours(rgba, { glide: isMoving });
  }

  // A click means a mean, or an ellipse's line, or else the nearest point.
  #meant({ index, at: [x, y] }) {
    let [component, least] = [null, ON_MEAN];
    for (const ellipse of this.#shown) {
      const [px, py] = this.#map.toScreen([ellipse.x, ellipse.y]);
      const far = Math.hypot(px - x, py - y);
      if (far < least && !ellipse.isFaint) [component, least] = [ellipse.component, far];
    }
    const isOnMean = component !== null;
    component ??= this.#lineAt(x, y);
    const place = this.#map.toData(x, y);
    return { component, isOnMean, point: component === null ? index : -1, place };
  }

  #lineAt(x, y) {
    const place = this.#map.toData(x, y);
    const [ox] = this.#map.toScreen([0, 0]);
    const unit = this.#map.toScreen([1, 0])[0] - ox; // pixels
    let [found, least] = [null, ON_LINE];
    for (const { component, isFaint, radius, xx, xy, yy, x: mx, y: my } of this.#shown) {
      if (isFaint) continue;
      const [dx, dy] = [place[0] - mx, place[1] - my];
      const determinant = xx * yy - xy * xy;
      if (!(determinant > 0)) continue;
      const deviations = Math.sqrt((yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / determinant);
      // Along the ray from the mean the line lies at this share of the way.
      const far = Math.abs(1 - radius / deviations) * Math.hypot(dx, dy) * unit;
      if (far < least) [found, least] = [component, far];
    }
    return found;
  }
}
