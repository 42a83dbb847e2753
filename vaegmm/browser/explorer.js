// The explorer of the latent space: the map, what one chooses of it, and the inspector beside it.
//
// All of it shows one view (address.js says what that is), and every act of a person is a change of
// that view. Nothing is asked of a server but sheets of images, in the background.

import { sensible } from "./address.js";
import { axisSets } from "./axes.js";
import { colourings } from "./colouring.js";
import { PALETTE } from "./colours.js";
import { make, makeButton } from "./elements.js";
import { HoverCard } from "./hovercard.js";
import { Sheets } from "./images.js";
import { Inspector } from "./inspector.js";
import { Legend } from "./legend.js";
import { createMap } from "./map.js";
import { inkRgb, paint } from "./pictures.js";
import { Scene, needsScores } from "./scene.js";
import { Scores, readingOf } from "./scores.js";
import { found, indexOfRow, isSelective } from "./search.js";
import { SearchBox } from "./searchbox.js";
import { SelectionPanel } from "./selectionpanel.js";
import { Toolbar } from "./toolbar.js";
import { Ways } from "./ways.js";
import { Welcome } from "./welcome.js";
import { componentTitle, countOf, nounOf, share } from "./words.js";

const TELL = 150; // milliseconds without a change, after which the view is told
const MOST_TRAIL = 300; // places of a walk that its trail remembers
const PER_SHEET = 1000; // images

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
  #map;
  #root;
  #view;
  #onView;
  #titles;
  #status = make("p", { class: "status" });
  #telling = 0;
  #homeZoom = null;

  constructor(element, options) {
    const { model, images = null, truth = null, palette = PALETTE, renderer } = options;
    this.#onView = options.onView ?? null;
    this.#titles = colourings(model, truth);
    this.#root = make("div", { class: "explorer" });
    const mapElement = make("div", { class: "mapped" });
    const sheets = images && new Sheets(images.url, Math.ceil(model.latents.total / PER_SHEET));
    this.#space = this.#makeSpace({ model, truth, palette, sheets, mapElement });
    const toolbar = new Toolbar(model, this.#titles);
    const [legend, search] = [new Legend(), new SearchBox(this.#space)];
    const [inspector, ways] = [new Inspector(this.#space), new Ways(this.#space)];
    const [selection, welcome] = [new SelectionPanel(this.#space), new Welcome()];
    const below = make("div", { class: "below" }, legend.element, this.#status);
    const stage = make("div", { class: "stage" }, toolbar.tools, mapElement, below);
    const panel = make("aside", { class: "panel", "aria-label": "Inspector" });
    panel.append(ways.element, inspector.element, selection.element, welcome.element);
    const bar = make("div", { class: "bar-above" }, toolbar.choices, search.element);
    this.#root.append(make("div", { class: "layout" }, bar, stage, panel));
    element.append(this.#root);
    const label = `Map of the latent space: ${countOf(model.latents.length, "point")}`;
    this.#map = createMap(mapElement, { label, renderer });
    const scene = new Scene(this.#map, this.#space);
    const card = new HoverCard(this.#map, this.#space);
    this.#parts = { toolbar, legend, search, inspector, ways, selection, welcome, scene, card };
    this.#parts.panel = panel;
    this.#listen();
    this.#view = this.#sensible(options.view);
    this.#show(new Set([...Object.keys(this.#view), "theme"]));
    if (this.#view.zoom) this.#map.view = this.#view.zoom;
    this.ready = this.#compute();
  }

  /** What is looked at, and how; setting it goes there. */
  get view() {
    return structuredClone(this.#view);
  }

  set view(view) {
    this.#change(this.#sensible(view));
    if (this.#view.zoom) this.#map.goTo(this.#view.zoom);
    else this.#map.fit();
  }

  /** Hold on to a stored z, by its index, or to a place in the latent space, (D,); null: let go. */
  pin(place) {
    this.#pin(place);
  }

  /** Take the explorer out of the page. */
  destroy() {
    clearTimeout(this.#telling);
    this.#space.scores.stop();
    this.#space.sheets?.stop();
    this.#parts.scene.destroy();
    this.#map.destroy();
    this.#root.remove();
  }

  // What all parts look at: the data, and what follows from the view.
  #makeSpace({ model, truth, palette, sheets, mapElement }) {
    const { latents, dimension } = model;
    let ink = null;
    const zOf = (place) =>
      typeof place === "number"
        ? latents.z.subarray(place * dimension, (place + 1) * dimension)
        : Float32Array.from(place);
    return {
      ...{ model, truth, palette, sheets, mapElement, root: this.#root, zOf },
      ...{ scores: new Scores(model), noun: nounOf(model), hasImages: sheets !== null },
      ...{ projection: null, places: null, colouring: null, results: null },
      ...{ neighbours: [], trail: [], outline: new Float32Array(0) },
      view: () => this.#view,
      through: () => (this.#view.pin === null ? model.pca.mean : zOf(this.#view.pin)),
      imageOf: (index) => {
        const pixels = sheets?.image(latents.row(index)) ?? null;
        return pixels
          ? { pixels, isDecoded: false }
          : { pixels: model.decode(zOf(index)), isDecoded: true };
      },
      reading: (z) => readingOf(model, z),
      ink: (isOther = false) => (ink = isOther || !ink ? inkRgb(this.#root) : ink),
    };
  }

  #sensible(view) {
    const { model, truth } = this.#space;
    const nAxes = Object.fromEntries(
      Object.entries(axisSets(model)).map(([set, { names }]) => [set, names.length]),
    );
    const most = {
      ...{ label: model.labelNames.length, cluster: model.nComponents, row: Infinity },
      ...{ strange: 1, uncertain: model.names ? 1 : 0, misread: model.names && truth ? 1 : 0 },
    };
    const isSearchable = ({ kind, value }) =>
      value < most[kind] && (kind !== "row" || indexOfRow(model.latents, value) >= 0);
    return sensible(view ?? {}, {
      ...{ nStored: model.latents.length, dimension: model.dimension, nAxes },
      ...{ colours: Object.keys(this.#titles), isSearchable },
    });
  }

  // Show another view; what else is another is named in `changed`.
  #change(part, ...changed) {
    const before = this.#view;
    this.#view = { ...before, ...part };
    const others = Object.keys(this.#view).filter(
      (name) => JSON.stringify(before[name]) !== JSON.stringify(this.#view[name]),
    );
    if (others.length + changed.length) this.#show(new Set([...others, ...changed]));
    if (others.length) this.#tell();
  }

  #show(changed) {
    const space = this.#space;
    const view = this.#view;
    const { toolbar, legend, search, inspector, ways, welcome, scene } = this.#parts;
    const has = (...names) => names.some((name) => changed.has(name));
    if (has("search", "scores")) {
      const isReady = space.scores.isReady || ["row", "cluster"].includes(view.search?.kind);
      const indices = view.search && isReady ? found(view.search, space) : new Uint32Array(0);
      const isNarrow = view.search !== null && isReady && isSelective(view.search);
      space.results = view.search && { indices, isSelective: isNarrow };
      const place = Math.max(indices.indexOf(view.pin), 0);
      search.show(view.search, indices.length, place);
    }
    toolbar.show(view);
    inspector.element.hidden = view.pin === null;
    welcome.element.hidden = view.pin !== null;
    if (has("axes", "along")) space.outline = new Float32Array(0);
    if (has("pin", "theme", "scores") && view.pin !== null) {
      if (typeof view.pin === "number") space.sheets?.want([space.model.latents.row(view.pin)]);
      space.neighbours = inspector.show(view.pin);
    } else if (view.pin === null) space.neighbours = [];
    if (has("theme", "scores")) welcome.show(space);
    if (has("a", "b", "theme")) ways.show(view);
    scene.show(view, changed);
    if (has("axes", "along")) this.#homeZoom = view.zoom ? null : this.#map.view;
    const hidden = view.filter?.by === view.colour ? view.filter.hidden : [];
    if (space.colouring && has("colour", "filter", "scores"))
      legend.show(space.colouring, hidden, space);
    this.#sayStatus();
  }

  #sayStatus() {
    const { model, scores, sheets, hasImages } = this.#space;
    const { latents } = model;
    const { filter, colour } = this.#view;
    const parts = [countOf(latents.length, "point")];
    if (latents.length < latents.total)
      parts[0] = `${countOf(latents.length)} of ${countOf(latents.total, "point")}, evenly chosen`;
    if (!scores.isReady && needsScores(colour)) parts.push("computing log p(z) …");
    if (!hasImages) parts.push("the images are not here: all are decoded");
    else if (sheets.fault) parts.push(sheets.fault);
    this.#status.replaceChildren(parts.join(" · "));
    if (!filter) return;
    const all = makeButton("show all", () => this.#change({ filter: null }), { class: "quiet" });
    this.#status.append(` · some hidden by ${this.#titles[filter.by]} `, all);
  }

  async #compute() {
    const isDone = await this.#space.scores.compute();
    if (!isDone) return;
    this.#change({}, "scores");
    this.#space.sheets?.start();
  }

  #tell() {
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => this.#onView?.(this.view), TELL);
  }

  #pin(place) {
    this.#space.trail = [];
    this.#change({ pin: this.#sensible({ pin: place }).pin }, "trail");
  }

  #walk(z, trail) {
    const space = this.#space;
    if (trail) space.trail = rowsOf(trail, space.model.dimension);
    else {
      const { pin } = this.#view;
      if (!space.trail.length && pin !== null) space.trail.push(space.zOf(pin));
      space.trail = [...space.trail, Float32Array.from(z)].slice(-MOST_TRAIL);
    }
    this.#change({ pin: Array.from(z) }, "trail");
  }

  // The last thing that one has taken hold of is let go first.
  #letGo() {
    if (!this.#parts.selection.element.hidden) this.#select(null);
    else if (this.#view.pin !== null) this.#pin(null);
    else if (this.#view.search) this.#change({ search: null });
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

  #hold(place) {
    const { inspector, panel, ways } = this.#parts;
    panel.prepend(ways.element, inspector.element);
    panel.scrollTop = 0;
    this.#pin(place);
  }

  #listen() {
    const { toolbar, legend, search, inspector, ways, selection, welcome, card, scene } =
      this.#parts;
    const map = this.#map;
    const space = this.#space;
    toolbar.onChange = (part) => this.#change(this.#sensible({ ...this.#view, ...part }));
    toolbar.onMode = (mode) => map.setMode(mode);
    toolbar.onFit = () => {
      map.fit();
      this.#homeZoom = map.view;
    };
    legend.onFilter = (hidden) =>
      this.#change({ filter: hidden.length ? { by: this.#view.colour, hidden } : null });
    search.onSearch = (query) => {
      this.#change({ search: query });
      if (space.results?.indices.length) search.onStep(0);
    };
    search.onStep = (place) => {
      const index = space.results.indices[place];
      this.#hold(index);
      map.reveal(index);
    };
    inspector.onPin = (index) => {
      this.#pin(index);
      map.reveal(index);
    };
    welcome.onPin = selection.onPin = (index) => {
      this.#hold(index);
      map.reveal(index);
    };
    inspector.onMove = (z) => this.#walk(z, null);
    inspector.onEnd = (end) => this.#change({ [end]: this.#view.pin });
    inspector.onLetGo = () => this.#pin(null);
    ways.onMove = (z, trail) => this.#walk(z, trail);
    ways.onForget = () => this.#change({ a: null, b: null });
    selection.onLetGo = () => this.#select(null);
    map.onHover = (hit) => hit && card.show(hit);
    map.onSelect = ({ indices, polygon }) =>
      this.#select(indices, polygon ? [...polygon, ...polygon.subarray(0, 2)] : []);
    map.onView = (told) => {
      scene.seen(this.#view, told);
      if (told.isSettled) this.#change({ zoom: this.#zoomOf(told.view) });
    };
    map.onPick = (hit) => {
      if (!hit) return this.#letGo();
      const z = () => Array.from(space.projection.unproject(hit.place, space.through()));
      this.#hold(hit.index >= 0 ? hit.index : z());
      if (hit.by === "keyboard") map.say(this.#said(hit.index));
    };
    if (space.sheets) space.sheets.onSheet = () => this.#repaint();
    this.#root.addEventListener("keydown", (event) => this.#key(event));
    // A change of theme changes this colour, and a transition of it tells so.
    this.#root.addEventListener("transitionend", (event) => {
      if (event.target !== this.#root) return;
      space.ink(true);
      this.#change({}, "theme");
    });
  }

  #key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const isText = event.composedPath()[0].matches?.("input[type=search]");
    if (event.key === "Escape") this.#letGo();
    else if (event.key === "/" && !isText) this.#parts.search.focus();
    else return;
    event.preventDefault();
  }

  // Images have come: what shows one decoded can show it as it is.
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
    return `Image ${countOf(model.latents.row(index))}: ${title}, ${share(responsibilities[component])}`;
  }

  // The view that fits need not be said.
  #zoomOf(view) {
    const isHome = Object.entries(this.#homeZoom ?? {}).every(
      ([name, value]) => Math.abs(value - view[name]) < 1e-3 * (1 + Math.abs(value)),
    );
    return isHome ? null : view;
  }
}

function rowsOf(z, dimension) {
  return Array.from({ length: z.length / dimension }, (_, i) =>
    z.slice(i * dimension, (i + 1) * dimension),
  );
}
