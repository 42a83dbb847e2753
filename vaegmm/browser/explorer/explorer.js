// The explorer of the latent space: the map, what one chooses of it, and the inspector beside it.
//
// All of it shows one view (address.js says what that is), and every act of a person is a change of
// that view. Nothing is asked of a server but sheets of images, in the background.

import { sensible } from "./address.js";
import { PALETTE } from "../pieces/colours.js";
import { make, makeButton } from "../pieces/elements.js";
import { buildParts } from "./parts.js";
import { paint } from "../pieces/pictures.js";
import { needsScores } from "./scene.js";
import { found, isSelective } from "./search.js";
import { limitsOf, makeSpace, statusOf } from "./space.js";
import { componentTitle, countOf, share } from "../pieces/words.js";

const TELL = 150; // milliseconds without a change, after which the view is told
const MOST_TRAIL = 300; // places of a walk that its trail remembers
const SEARCHES_AT_ONCE = ["row", "cluster"]; // the others wait for the scores of all points

/**
 * Make an explorer that fills the width of an element. explorer.css is its style.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {?{url: (sheet: number) => string}} options.images  where the training images are: sheets
 *   of 1,000 as PNG; null: there are none, and everything is decoded
 * @param {?Uint8Array} options.truth  true labels of the stored z, (N,)
 * @param {?View} options.view  to begin with
 * @param {?(view: View) => void} options.onView  called when another view has come to rest
 * @param {?(component: number) => void} options.onCluster  called with a cluster whose card a person
 *   wants to see; left out, clusters are no links
 * @param {string[]} options.palette  a colour a label
 * @param {"webgl" | "canvas"} options.renderer  of the map; left out: what suits
 * @returns {Explorer}
 */
export function createExplorer(element, options) {
  return new Explorer(element, options);
}

class Explorer {
  /** Resolves when all points are scored, and with them all colourings and searches are there. */
  ready;

  #space;
  #parts;
  #root = make("div", { class: "explorer" });
  #view;
  #onView;
  #telling = 0;
  #homeZoom = null; // the map's view that fits, where it is known

  constructor(element, options) {
    const { model, images, truth, view, onView, onCluster, palette = PALETTE, renderer } = options;
    this.#onView = onView ?? null;
    this.#space = makeSpace({
      ...{ model, images: images ?? null, truth: truth ?? null, palette, root: this.#root },
      mapElement: make("div", { class: "mapped" }),
      view: () => this.#view,
    });
    element.append(this.#root);
    this.#parts = buildParts(this.#space, renderer);
    this.#parts.inspector.onCluster = onCluster ?? null;
    this.#listenToParts();
    this.#listenToMap();
    this.#listenToRoot();
    this.#view = this.#sensible(view);
    this.#show(new Set([...Object.keys(this.#view), "theme"]));
    if (this.#view.zoom) this.#parts.map.view = this.#view.zoom;
    this.ready = this.#compute();
  }

  /** What is looked at, and how; setting it goes there. */
  get view() {
    return structuredClone(this.#view);
  }

  set view(view) {
    this.#space.trail = [];
    this.#change(this.#sensible(view), "trail");
    if (this.#view.zoom) this.#parts.map.goTo(this.#view.zoom);
    else this.#fit();
  }

  /** The map, to ask where things are on it; what it tells is for the explorer. */
  get map() {
    return this.#parts.map;
  }

  /** Hold on to a stored z, by its index, or to a place in the latent space, (D,); null: let go. */
  pin(place) {
    this.#space.trail = [];
    this.#change({ pin: this.#sensible({ pin: place }).pin }, "trail");
  }

  /** Take the explorer out of the page. */
  destroy() {
    clearTimeout(this.#telling);
    this.#space.scores.stop();
    this.#space.sheets?.stop();
    this.#parts.scene.destroy();
    this.#parts.map.destroy();
    this.#root.remove();
  }

  #sensible(view) {
    return sensible(view ?? {}, limitsOf(this.#space));
  }

  // Show another view; what else is another is named in `changed`.
  #change(part, ...changed) {
    const before = this.#view;
    this.#view = { ...before, ...part };
    const others = Object.keys(this.#view).filter(
      (name) => JSON.stringify(before[name]) !== JSON.stringify(this.#view[name]),
    );
    if (others.length + changed.length) this.#show(new Set([...others, ...changed]));
    if (!others.length) return;
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => this.#onView?.(this.view), TELL);
  }

  #show(changed) {
    const space = this.#space;
    const view = this.#view;
    const { map, toolbar, legend, inspector, ways, welcome, scene } = this.#parts;
    const has = (...names) => names.some((name) => changed.has(name));
    if (has("search", "scores")) this.#find();
    if (has("axes", "along")) space.outline = new Float32Array(0);
    if (has("pin", "theme", "scores")) this.#inspect();
    if (has("theme", "scores")) welcome.show(space);
    inspector.element.hidden = view.pin === null;
    welcome.element.hidden = view.pin !== null;
    if (has("a", "b", "theme")) ways.show(view);
    scene.show(view, changed);
    toolbar.show(view);
    if (has("axes", "along")) this.#homeZoom = view.zoom ? null : map.view;
    const hidden = view.filter?.by === view.colour ? view.filter.hidden : [];
    if (space.colouring && has("colour", "filter", "scores"))
      legend.show(space.colouring, hidden, space);
    this.#sayStatus();
  }

  #find() {
    const space = this.#space;
    const { search: query, pin } = this.#view;
    const isReady = space.scores.isReady || SEARCHES_AT_ONCE.includes(query?.kind);
    const indices = query && isReady ? found(query, space) : new Uint32Array(0);
    space.results = query && { indices, isSelective: isReady && isSelective(query) };
    this.#parts.search.show(query, indices.length, Math.max(indices.indexOf(pin), 0));
  }

  #inspect() {
    const space = this.#space;
    const { pin } = this.#view;
    if (typeof pin === "number") space.sheets?.want([space.model.latents.row(pin)]);
    space.neighbours = pin === null ? new Uint32Array(0) : this.#parts.inspector.show(pin);
  }

  #sayStatus() {
    const { status } = this.#parts;
    const { filter, colour } = this.#view;
    status.replaceChildren(statusOf(this.#space, needsScores(colour)));
    if (!filter) return;
    const all = makeButton("show all", () => this.#change({ filter: null }), { class: "quiet" });
    status.append(` · some are hidden by ${this.#space.titles[filter.by]} `, all);
  }

  async #compute() {
    const isDone = await this.#space.scores.compute();
    if (!isDone) return;
    this.#change({}, "scores");
    this.#space.sheets?.start();
  }

  #fit() {
    this.#parts.map.fit();
    this.#homeZoom = this.#parts.map.view;
  }

  // Pin what a person has chosen, and let the inspector be the first thing beside the map.
  #hold(place) {
    const { inspector, panel, ways, map } = this.#parts;
    const isFirst = panel.firstElementChild === ways.element;
    if (!isFirst) panel.prepend(ways.element, inspector.element);
    panel.scrollTop = 0;
    this.pin(place);
    if (typeof place === "number") map.reveal(place);
    this.#keepFocus();
  }

  #walk(z, trail) {
    const space = this.#space;
    const { pin } = this.#view;
    if (trail) space.trail = trail;
    else {
      if (!space.trail.length && pin !== null) space.trail.push(space.zOf(pin));
      space.trail = [...space.trail, Float32Array.from(z)].slice(-MOST_TRAIL);
    }
    this.#change({ pin: Array.from(z) }, "trail");
  }

  #select(indices, outline = []) {
    const { selection, panel } = this.#parts;
    this.#space.outline = Float32Array.from(outline);
    this.#change({}, "trail");
    selection.show(indices);
    if (!indices) return;
    panel.prepend(selection.element);
    panel.scrollTop = 0;
  }

  // What one has taken hold of last is let go first.
  #letGo() {
    if (!this.#parts.selection.element.hidden) this.#select(null);
    else if (this.#view.pin !== null) this.pin(null);
    else if (this.#view.search) this.#change({ search: null });
    this.#keepFocus();
  }

  // What had the focus may be gone: keys go on with the map then.
  #keepFocus() {
    const { activeElement } = this.#root.getRootNode();
    if (this.#root.contains(activeElement) && activeElement.checkVisibility()) return;
    this.#space.mapElement.querySelector("[tabindex]").focus({ preventScroll: true });
  }

  #listenToParts() {
    const { map, toolbar, legend, search, inspector, ways, selection, welcome } = this.#parts;
    const space = this.#space;
    toolbar.onChange = (part) => this.#change(this.#sensible({ ...this.#view, ...part }));
    toolbar.onMode = (mode) => map.setMode(mode);
    toolbar.onFit = () => this.#fit();
    legend.onFilter = (hidden) =>
      this.#change({ filter: hidden.length ? { by: this.#view.colour, hidden } : null });
    search.onSearch = (query) => {
      this.#change({ search: query });
      if (space.results?.indices.length) search.goTo(0);
    };
    search.onStep = (place) => this.#hold(space.results.indices[place]);
    inspector.onPin = welcome.onPin = selection.onPin = (index) => this.#hold(index);
    inspector.onMove = (z) => this.#walk(z, null);
    inspector.onEnd = (end) => this.#change({ [end]: this.#view.pin });
    inspector.onLetGo = () => {
      this.pin(null);
      this.#keepFocus();
    };
    ways.onMove = (z, trail) => this.#walk(z, trail);
    ways.onForget = () => this.#change({ a: null, b: null });
    selection.onLetGo = () => {
      this.#select(null);
      this.#keepFocus();
    };
    if (space.sheets) space.sheets.onSheet = () => this.#repaint();
  }

  #listenToMap() {
    const { map, card, scene } = this.#parts;
    const space = this.#space;
    map.onHover = (hit) => hit && card.show(hit);
    map.onSelect = ({ indices, polygon }) =>
      this.#select(indices, polygon ? [...polygon, ...polygon.subarray(0, 2)] : []);
    map.onView = (told) => {
      scene.seen(this.#view, told);
      if (told.isSettled) this.#change({ zoom: this.#zoomOf(told.view) });
    };
    map.onPick = (hit) => {
      if (!hit) return this.#letGo();
      const { index, place, by } = hit;
      if (index >= 0) this.#hold(index);
      else this.#hold(Array.from(space.projection.unproject(place, space.through())));
      if (by === "keyboard") map.say(this.#said(index));
    };
  }

  #listenToRoot() {
    this.#root.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const isText = event.composedPath()[0].matches?.("input[type=search]");
      if (event.key === "Escape") this.#letGo();
      else if (event.key === "/" && !isText) this.#parts.search.focus();
      else return;
      event.preventDefault();
    });
    // A change of theme changes this colour, and a transition of it tells so.
    this.#root.addEventListener("transitionend", (event) => {
      if (event.target !== this.#root) return;
      this.#space.ink(true);
      this.#change({}, "theme");
    });
  }

  // Images have come: what was decoded in their place can be shown as it is.
  #repaint() {
    const { imageOf, ink } = this.#space;
    for (const picture of this.#root.querySelectorAll("canvas[data-index]"))
      paint(picture, imageOf(Number(picture.dataset.index)).pixels, ink());
    const { pin } = this.#view;
    if (typeof pin === "number") this.#parts.inspector.refresh(pin);
    this.#sayStatus();
  }

  #said(index) {
    const { model, zOf, reading } = this.#space;
    const { component, responsibilities } = reading(zOf(index));
    const title = componentTitle(model, component);
    const row = countOf(model.latents.row(index));
    return `Image ${row}: ${title}, ${share(responsibilities[component])}`;
  }

  // The view that fits need not be said.
  #zoomOf(view) {
    const isSame = ([name, value]) => Math.abs(value - view[name]) < 1e-3 * (1 + Math.abs(value));
    return this.#homeZoom && Object.entries(this.#homeZoom).every(isSame) ? null : view;
  }
}
