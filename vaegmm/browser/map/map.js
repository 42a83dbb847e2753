// A map of points that one can touch. It knows points, colours and shapes, and nothing of a model:
// what it shows is given to it, and what a person does with it is told by calls of `onHover`,
// `onPick`, `onSelect`, `onView` and `onMove`.

import { appearance, drawingOrder, masked } from "./appearance.js";
import { between, Camera, extentOf } from "./camera.js";
import { listen } from "./gestures.js";
import { Glide, GLIDE, GlidingArray } from "./motion.js";
import { drawBackdrop, Overlay } from "./overlay.js";
import { nextTowards, PointIndex } from "./picking.js";
import { CanvasPoints } from "./points2d.js";
import { hasGraphicsCard, WebGLPoints } from "./points.js";
import { createStage, placeTooltip, themeOf } from "./stage.js";

const REACH = 10; // pixels from the pointer to a point that it means
const TOUCH_REACH = 18; // a finger is wider
const ARROW = 0.15; // of the shorter side, a pan by a key
const ORBIT = 0.008; // radians a pixel
const ORBIT_KEY = 0.2; // radians
const LEAST_STEP = 6; // pixels to the next point by a key: nearer ones look like the same
const SETTLED = 150; // milliseconds without a change, after which a view counts as chosen
const TOLD = 1800; // milliseconds for which a hint stands
const BEHIND_POINTS = 0.6; // of the points' opacity is left over images
const PLAIN = 140; // grey of points without colours
const POINTER = 16; // pixels that a pointer covers
const RING = 12; // pixels that a point's ring takes

/**
 * Make a map that fills an element.
 *
 * @param {HTMLElement} element  it sets the size, and by the properties `--ink`, `--paper` and
 *   `--accent` the colours of everything but the points
 * @param {{label: string, renderer?: "webgl" | "canvas"}} options  label: what the map shows, for
 *   screen readers; renderer: left out, WebGL 2 where a graphics card is behind it, else a canvas
 * @returns {PointMap}
 */
export function createMap(element, { label, renderer }) {
  return new PointMap(element, label, renderer);
}

class PointMap {
  /** Called with `{index, place, x, y}` of the nearest point, its data coordinates and its place in
   * pixels; over empty space with index -1 and the pointer's; with null when nothing is meant. */
  onHover = null;
  /** Called with the same, `by`: "pointer" or "keyboard", and `at`: where the pointer was, in
   * pixels; with null when a person lets go. */
  onPick = null;
  /** Called with `{indices, polygon}`: the undimmed points in a drawn outline, rising, and the
   * outline in data coordinates, (M, 2), or null in a solid view. */
  onSelect = null;
  /** Called with `{view, bounds, isSettled}` in each frame that shows another view, and once more
   * when it has come to rest; bounds: what of the data a flat view shows. */
  onView = null;
  /** Called with `{ellipse, place, isDone}` while a movable ellipse is dragged. */
  onMove = null;

  #root;
  #canvases;
  #texts;
  #points;
  #overlay;
  #camera = new Camera();
  #dimension = 2;
  #places = new GlidingArray(new Float32Array(0));
  #given = new Uint8Array(0); // colours as they were set
  #colours = new GlidingArray(new Uint8Array(0)); // the same under the mask
  #mask = null;
  #pickable = null;
  #labels = { items: [], places: new GlidingArray(new Float32Array(0)) };
  #ellipses = { items: [], places: new GlidingArray(new Float32Array(0)) };
  #marks = { pinned: -1, neighbours: [], places: [] };
  #trail = new Float32Array(0);
  #backdrop = [];
  #trace = null;
  #hovered = -1;
  #carried = -1;
  #pointer = null;
  #index = null; // of the data in a flat view, of their places on the screen in a solid one
  #glide = new Glide(); // of the camera
  #from = null;
  #goal = null;
  #look = { size: 3, opacity: 0.5 };
  #lookFrom = null;
  #isHome = true;
  #mode = "pan";
  #frame = 0;
  #stale = { points: false, overlay: false, view: false, order: false };
  #settling = 0;
  #hint = 0;
  #fault = "";
  #stop = new AbortController();
  #sizes;

  constructor(element, label, renderer) {
    const { root, canvases, texts } = createStage(element, label);
    this.#root = root;
    this.#canvases = canvases;
    this.#texts = texts;
    this.setMode("pan");
    this.#overlay = new Overlay(canvases.overlay);
    this.#points = this.#drawing(renderer);
    this.#sizes = new ResizeObserver(() => this.#resize(true));
    this.#sizes.observe(root);
    this.#resize(false);
    this.#watchDensity();
    this.#listen();
  }

  /** An element beside the pointed place; what is put into it is shown while the map is hovered. */
  get tooltip() {
    return this.#texts.tooltip;
  }

  /** The number of points. */
  get length() {
    return this.#places.to.length / 3;
  }

  /**
   * Show points, and let those there are glide to their new places. Zoom and what is in the middle
   * stay: the pinned point, or else the one nearest to the middle, keeps its place on the screen.
   * If their number changes, colours, mask, pin and neighbours are to be set anew.
   *
   * @param {Float32Array} positions  (N, dimension), row by row
   * @param {{dimension?: 2 | 3, glide?: boolean}} options
   */
  setPoints(positions, { dimension = 2, glide = true } = {}) {
    if (dimension !== 2 && dimension !== 3)
      throw new RangeError(`dimension must be 2 or 3; got dimension=${dimension}.`);
    const places = inSpace(positions, dimension);
    const now = performance.now();
    const isSame = places.length === this.#places.to.length;
    const anchor = this.#isHome || !isSame ? -1 : this.#anchor();
    const held = anchor < 0 ? null : this.#screen(this.#point(anchor, now));
    const { turn, tilt } = this.#camera.state;
    const zoom = this.#zoom;
    const duration = glide && isSame ? this.#duration : 0;
    this.#lookFrom = this.#look;
    this.#places.set(places, now, duration);
    this.#points.setPoints(this.#places.to, this.#places.from);
    this.#index = null;
    if (!isSame) this.#forget();
    const angles = dimension === 3 && this.#dimension === 3 ? { turn, tilt } : {};
    this.#dimension = dimension;
    this.#camera.extent = extentOf(places, dimension === 2);
    this.#stale.order = true;
    let goal = this.#camera.stateOf(anchor < 0 ? angles : { ...angles, zoom });
    if (held) {
      const place = [...places.subarray(3 * anchor, 3 * anchor + 3)];
      goal = this.#camera.stateHolding(goal, place, held[0], held[1]);
    }
    if (anchor < 0) this.#isHome = true;
    this.#moveTo(goal, duration);
    this.#invalidate("points", "overlay", "view");
  }

  /**
   * Colour the points.
   *
   * @param {Uint8Array} rgba  (N, 4); the map multiplies the opacity by its own
   */
  setColours(rgba, { glide = true } = {}) {
    if (rgba.length !== 4 * this.length)
      throw new RangeError(
        `colours must be RGBA of ${this.length} points; got ${rgba.length} numbers.`,
      );
    this.#given = rgba;
    this.#recolour(glide ? this.#duration : 0);
  }

  /**
   * Dim or hide points; they are not found by pointer, outline or key until the mask is lifted.
   *
   * @param {Uint8Array | null} mask  (N,): 0 shown, 1 dimmed, 2 hidden; null: all are shown
   */
  setDimmed(mask) {
    if (mask && mask.length !== this.length)
      throw new RangeError(`the mask must have ${this.length} entries; got ${mask.length}.`);
    this.#mask = mask;
    this.#recolour(this.#duration);
  }

  /**
   * Draw ellipses of covariances.
   *
   * @param {object[]} ellipses  `{x, y, z?, xx, xy, yy, xz?, yz?, zz?, radius?, colour?, label?,
   *   isStrong?, isFaint?, isMovable?, from?}`: mean, covariance, standard deviations to the line
   *   (2), whether it can be dragged by its mean, and a place from which an arrow leads to the mean
   */
  setEllipses(ellipses, { glide = true } = {}) {
    const numbers = ellipses.flatMap(({ x, y, z = 0, xx, xy, yy, xz = 0, yz = 0, zz = 0 }) => [
      ...[x, y, z],
      ...[xx, xy, yy, xz, yz, zz],
    ]);
    this.#ellipses.items = ellipses;
    this.#setShapes(this.#ellipses, numbers, glide);
  }

  /** Write names on the map: `{x, y, z?, text, colour?}`, what matters most first. */
  setLabels(labels, { glide = true } = {}) {
    this.#labels.items = labels;
    this.#setShapes(this.#labels, labels.flatMap(({ x, y, z = 0 }) => [x, y, z]), glide);
  }

  /**
   * Ring points and mark places.
   *
   * @param {object} marks  pinned: an index or -1; neighbours: indices; places: `{x, y, z?,
   *   colour?, text?}`, text being a letter or two. What is left out is taken away.
   */
  setMarks({ pinned = -1, neighbours = [], places = [] } = {}) {
    this.#marks = { pinned: pinned ?? -1, neighbours, places };
    this.#invalidate("overlay");
  }

  /** Draw a way, oldest place first: (M, dimension). An empty one takes it away. */
  setTrail(positions, { dimension = this.#dimension } = {}) {
    this.#trail = inSpace(positions, dimension);
    this.#invalidate("overlay");
  }

  /**
   * Put images behind the points of a flat view: `{image, left, right, bottom, top}`, their edges
   * in data coordinates. `onView` tells when others are due. An empty list takes them away.
   */
  setBackdrop(images) {
    this.#backdrop = images;
    this.#canvases.backdrop.hidden = images.length === 0;
    this.#invalidate("points");
  }

  /** What a drag does: "pan", or draw a "box" or a "lasso". */
  setMode(mode) {
    if (!["pan", "box", "lasso"].includes(mode))
      throw new RangeError(`mode must be "pan", "box" or "lasso"; got ${mode}.`);
    this.#mode = mode;
    this.#canvases.overlay.dataset.mode = mode;
  }

  /** Tell a screen reader. */
  say(text) {
    this.#texts.said.textContent = text;
  }

  /** `{x, y, zoom}`, or `{x, y, z, zoom, turn, tilt}` of points in space: the middle in data
   * coordinates, and 1 where everything fits; while it glides, where to. */
  get view() {
    return this.#camera.viewOf(this.#goal ?? this.#camera.state);
  }

  set view(view) {
    this.goTo(view, { glide: false });
  }

  /** Go to a view; what it leaves out is as in the view that fits. */
  goTo(view, { glide = true } = {}) {
    this.#isHome = false;
    this.#moveTo(this.#camera.stateOf(view), glide ? this.#duration : 0);
  }

  /** Show everything. */
  fit({ glide = true } = {}) {
    this.goTo({}, { glide });
    this.#isHome = true;
  }

  /** Bring a point into view, without a zoom; one that is in view stays where it is. */
  reveal(index, { glide = true } = {}) {
    const { width, height } = this.#camera;
    const [x, y] = this.#screen(this.#point(index, Infinity));
    const edge = 0.08 * Math.min(width, height);
    if (x > edge && x < width - edge && y > edge && y < height - edge) return;
    const [px, py, pz] = this.#point(index, Infinity);
    this.goTo({ ...this.view, x: px, y: py, z: pz }, { glide });
  }

  /** Return the place on the screen, in CSS pixels, of data coordinates. */
  toScreen(place) {
    return this.#screen([place[0], place[1], place[2] ?? 0]).slice(0, 2);
  }

  /** Return the data coordinates of a place on the screen, in CSS pixels. */
  toData(x, y) {
    return this.#camera.unproject(x, y).slice(0, this.#dimension);
  }

  /** Take the map out of the page; it cannot be used afterwards. */
  destroy() {
    this.#stop.abort();
    this.#sizes.disconnect();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#settling);
    clearTimeout(this.#hint);
    this.#points.destroy();
    this.#root.remove();
  }

  get #duration() {
    return matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : GLIDE;
  }

  get #zoom() {
    return (this.#goal ?? this.#camera.state).scale / this.#camera.unit;
  }

  #drawing(renderer) {
    const { points } = this.#canvases;
    renderer ??= hasGraphicsCard() ? "webgl" : "canvas";
    if (renderer === "canvas") return new CanvasPoints(points);
    try {
      return new WebGLPoints(points);
    } catch {
      return new CanvasPoints(points);
    }
  }

  // Of how many points one is drawn.
  get #thinning() {
    return Math.max(Math.ceil(this.length / this.#points.constructor.capacity), 1);
  }

  // Other points: what was said of the ones before does not hold for them.
  #forget() {
    this.#mask = null;
    this.#marks = { ...this.#marks, pinned: -1, neighbours: [] };
    this.#given = new Uint8Array(4 * this.length).fill(PLAIN);
    for (let at = 3; at < this.#given.length; at += 4) this.#given[at] = 255;
    this.#recolour(0);
  }

  #recolour(duration) {
    const { colours, pickable } = masked(this.#given, this.#mask, this.#thinning);
    this.#pickable = pickable;
    this.#colours.set(colours, performance.now(), duration);
    this.#points.setColours(this.#colours.to, this.#colours.from);
    this.#stale.order = true;
    const shown = Math.ceil(this.length / this.#thinning);
    const few = `Without a graphics card the map shows ${shown} of ${this.length} points.`;
    this.#complain(this.#thinning > 1 ? few : "");
    this.#invalidate("points");
  }

  #setShapes(shapes, numbers, glide) {
    const duration = glide ? this.#duration : 0;
    shapes.places.set(Float32Array.from(numbers), performance.now(), duration);
    this.#invalidate("overlay");
  }

  // Where a point is on its way at a time.
  #point(index, now) {
    const { from, to } = this.#places;
    const share = this.#places.share(now);
    return [0, 1, 2].map((axis) => {
      const at = 3 * index + axis;
      return from[at] + (to[at] - from[at]) * share;
    });
  }

  #screen(place) {
    return [...this.#camera.project(place)];
  }

  // The point that stays where it is while the others glide.
  #anchor() {
    const { pinned } = this.#marks;
    const { width, height } = this.#camera;
    if (pinned >= 0 && pinned < this.length) {
      const [x, y] = this.#screen(this.#point(pinned, performance.now()));
      if (x >= 0 && x <= width && y >= 0 && y <= height) return pinned;
    }
    return this.#nearest(width / 2, height / 2, Math.hypot(width, height));
  }

  #nearest(x, y, reach) {
    const index = this.#searched();
    if (this.#dimension === 3) return index.nearest(x, y, reach, this.#pickable);
    const [px, py] = this.#camera.unproject(x, y);
    return index.nearest(px, py, reach / this.#camera.state.scale, this.#pickable);
  }

  #searched() {
    const points = () =>
      this.#dimension === 3 ? this.#camera.project(this.#places.to) : this.#places.to;
    return (this.#index ??= new PointIndex(points(), 3));
  }

  #hit(x, y, reach) {
    const index = this.#nearest(x, y, reach);
    if (index < 0) return { index, place: this.toData(x, y), x, y };
    const place = this.#point(index, performance.now());
    const [px, py] = this.#screen(place);
    return { index, place: place.slice(0, this.#dimension), x: px, y: py };
  }

  #moveTo(goal, duration) {
    this.#from = this.#camera.state;
    this.#goal = goal;
    this.#hovered = -1;
    this.#showTooltip(null);
    this.#glide.start(performance.now(), duration);
    if (duration === 0) this.#arrive();
    this.#changed();
  }

  #arrive() {
    this.#camera.state = this.#goal ?? this.#camera.state;
    this.#goal = null;
    this.#glide.stop();
  }

  // A hand on the map stops what glides under it.
  #take() {
    this.#goal = null;
    this.#glide.stop();
  }

  #changed() {
    if (this.#dimension === 3) this.#index = null;
    this.#stale.order = true;
    this.#invalidate("points", "overlay", "view");
  }

  #invalidate(...what) {
    for (const name of what) this.#stale[name] = true;
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const now = performance.now();
    const isGoing = this.#goal !== null;
    if (isGoing) {
      this.#camera.state = between(this.#from, this.#goal, this.#glide.share(now));
      if (!this.#glide.isMoving(now)) this.#arrive();
      if (this.#dimension === 3) this.#index = null;
    }
    const stale = this.#stale;
    this.#stale = { points: false, overlay: false, view: false, order: false };
    if (stale.points || isGoing) this.#drawPoints(now, stale.order || isGoing);
    if (stale.overlay || isGoing) this.#drawOverlay(now);
    if (stale.view || isGoing) this.#tellView();
    const isGliding = [this.#places, this.#colours].some((part) => part.isMoving(now));
    const isShifting = [this.#labels, this.#ellipses].some((part) => part.places.isMoving(now));
    if (isGliding || this.#goal) this.#invalidate("points");
    if (isShifting || this.#places.isMoving(now)) this.#invalidate("overlay");
  }

  #drawPoints(now, isReordered) {
    const camera = this.#camera;
    const isSolid = this.#dimension === 3;
    if (isReordered) {
      const screen = isSolid ? camera.project(this.#places.to) : null;
      this.#points.setOrder(drawingOrder(this.length, screen, this.#pickable));
    }
    const n = this.length / this.#thinning;
    const look = appearance(n, camera.width * camera.height, camera.zoom);
    const share = this.#places.share(now);
    const start = share < 1 && this.#lookFrom ? this.#lookFrom : look;
    const mix = (name) => start[name] + (look[name] - start[name]) * share;
    this.#look = { size: mix("size"), opacity: mix("opacity") };
    const behind = this.#backdrop.length && !isSolid ? BEHIND_POINTS : 1;
    this.#points.draw(camera, {
      ...{ size: this.#look.size, opacity: this.#look.opacity * behind },
      ...{ glide: share, blend: this.#colours.share(now) },
    });
    if (this.#backdrop.length) {
      const { backdrop } = this.#canvases;
      drawBackdrop(backdrop.getContext("2d"), camera, isSolid ? [] : this.#backdrop);
    }
  }

  #drawOverlay(now) {
    const isThere = (index) => index >= 0 && index < this.length;
    const at = (index) => (isThere(index) ? this.#point(index, now) : null);
    const means = this.#ellipses.places.now(now);
    const ellipses = this.#ellipses.items.map((ellipse, i) => ({
      ...{ radius: 2, ...ellipse },
      ...{ at: means.slice(9 * i, 9 * i + 3), covariance: means.slice(9 * i + 3, 9 * i + 9) },
    }));
    const places = this.#labels.places.now(now);
    const labels = this.#labels.items.map(({ text, colour }, i) => ({
      ...{ text, colour, at: places.slice(3 * i, 3 * i + 3) },
    }));
    const named = ellipses.filter(({ label }) => label);
    this.#overlay.draw(
      this.#camera,
      {
        ellipses,
        labels: [...labels, ...named.map(({ label, colour, at }) => ({ text: label, colour, at }))],
        trail: this.#trail,
        neighbours: Array.from(this.#marks.neighbours).filter(isThere).map(at),
        pinned: at(this.#marks.pinned),
        hovered: this.#hovered === this.#marks.pinned ? null : at(this.#hovered),
        places: this.#marks.places.map((place) => ({
          ...{ ...place, at: [place.x, place.y, place.z ?? 0] },
        })),
        trace: this.#trace,
        size: this.#look.size,
      },
      themeOf(this.#canvases.overlay),
    );
  }

  #tellView() {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      this.#emitView(true);
      if (this.#pointer) this.#hover(...this.#pointer); // another point lies there now
    }, SETTLED);
    this.#emitView(false);
  }

  #emitView(isSettled) {
    const bounds = this.#dimension === 2 ? this.#camera.bounds : null;
    this.onView?.({ view: this.view, bounds, isSettled });
  }

  #resize(isLater) {
    const { width, height } = this.#root.getBoundingClientRect();
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    const size = [Math.round(width * ratio), Math.round(height * ratio)];
    for (const canvas of Object.values(this.#canvases))
      if (canvas.width !== size[0] || canvas.height !== size[1])
        [canvas.width, canvas.height] = size;
    const goal = this.#goal ? this.view : null;
    this.#camera.resize(width, height);
    if (goal) this.#goal = this.#camera.stateOf(goal);
    this.#changed();
    // A resized canvas is blank: wait for the next frame, and the map flickers.
    if (isLater) this.#draw();
  }

  // On another screen a pixel of CSS may be another number of pixels.
  #watchDensity() {
    const density = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    const change = () => {
      this.#resize(true);
      this.#watchDensity();
    };
    density.addEventListener("change", change, { once: true, signal: this.#stop.signal });
  }

  #complain(sentence) {
    this.#fault = sentence;
    this.#texts.notice.textContent = sentence;
  }

  #hintAt(sentence) {
    this.#texts.notice.textContent = sentence;
    clearTimeout(this.#hint);
    this.#hint = setTimeout(() => (this.#texts.notice.textContent = this.#fault), TOLD);
  }

  #showTooltip(hit) {
    const gap = hit?.index < 0 ? POINTER : this.#look.size / 2 + RING;
    placeTooltip(this.#texts.tooltip, hit && { x: hit.x, y: hit.y, gap }, this.#camera);
  }

  #hover(x, y) {
    this.#pointer = [x, y];
    const hit = this.#hit(x, y, REACH);
    const isOver = this.#mode === "pan" && (hit.index >= 0 || this.#meanAt(x, y) >= 0);
    this.#canvases.overlay.toggleAttribute("data-over", isOver);
    if (hit.index !== this.#hovered) {
      this.#hovered = hit.index;
      this.#invalidate("overlay");
    }
    this.onHover?.(hit);
    this.#showTooltip(hit);
  }

  #leave() {
    if (!this.#pointer) return;
    this.#pointer = null;
    this.#hovered = -1;
    this.#canvases.overlay.removeAttribute("data-over");
    this.#showTooltip(null);
    this.#invalidate("overlay");
    this.onHover?.(null);
  }

  #select(corners) {
    this.#trace = null;
    this.#invalidate("overlay");
    if (corners.length < 6) return;
    const isSolid = this.#dimension === 3;
    const polygon = isSolid ? corners : [];
    if (!isSolid)
      for (let at = 0; at < corners.length; at += 2)
        polygon.push(...this.toData(corners[at], corners[at + 1]));
    const indices = this.#searched().inside(polygon, this.#pickable);
    this.say(`${indices.length} points selected.`);
    this.onSelect?.({ indices, polygon: isSolid ? null : Float64Array.from(polygon) });
  }

  // By a key from the pinned point to the next one in a direction, or else a step of the view.
  #step(direction, isPan) {
    const { pinned } = this.#marks;
    if (!isPan && pinned >= 0 && pinned < this.length) {
      const screen = this.#camera.project(this.#places.to);
      const index = nextTowards(screen, pinned, direction, LEAST_STEP, this.#pickable);
      if (index < 0) return;
      this.reveal(index);
      this.#pick(index, "keyboard");
      return;
    }
    this.#take();
    if (this.#dimension === 3 && !isPan)
      this.#camera.orbit(-ORBIT_KEY * direction[0], ORBIT_KEY * direction[1]);
    else {
      const far = -ARROW * Math.min(this.#camera.width, this.#camera.height);
      this.#camera.pan(far * direction[0], far * direction[1]);
      this.#isHome = false;
    }
    this.#changed();
  }

  #pick(index, by) {
    const place = this.#point(index, Infinity);
    const [x, y] = this.#screen(place);
    this.onPick?.({ index, place: place.slice(0, this.#dimension), x, y, by, at: [x, y] });
  }

  // The movable ellipse whose mean lies there, or -1.
  #meanAt(x, y) {
    const means = this.#ellipses.places.to;
    return this.#ellipses.items.findIndex(({ isMovable }, i) => {
      if (!isMovable || this.#dimension === 3) return false;
      const [px, py] = this.#screen(means.subarray(9 * i, 9 * i + 3));
      return Math.hypot(px - x, py - y) <= REACH;
    });
  }

  #carry(x, y, isDone) {
    const place = this.toData(x, y);
    const ellipse = this.#carried;
    const items = this.#ellipses.items.map((item, i) =>
      i === ellipse ? { ...item, x: place[0], y: place[1] } : item,
    );
    this.setEllipses(items, { glide: false });
    this.onMove?.({ ellipse, place, isDone });
  }

  #listen() {
    const { overlay, points } = this.#canvases;
    const { signal } = this.#stop;
    let carried = null; // where an ellipse is held
    const act = {
      mode: () => this.#mode,
      isSolid: () => this.#dimension === 3,
      hover: (x, y) => this.#hover(x, y),
      leave: () => this.#leave(),
      tap: (x, y, isTouch) =>
        this.onPick?.({
          ...this.#hit(x, y, isTouch ? TOUCH_REACH : REACH),
          ...{ by: "pointer", at: [x, y] },
        }),
      drag: (dx, dy, isAlternative) => {
        this.#take();
        if (this.#dimension === 3 && !isAlternative) this.#camera.orbit(dx * ORBIT, -dy * ORBIT);
        else {
          this.#camera.pan(dx, dy);
          this.#isHome = false;
        }
        this.#changed();
      },
      zoom: (x, y, factor) => {
        const before = this.#camera.state.scale;
        this.#take();
        this.#camera.zoomAt(x, y, factor);
        if (this.#camera.state.scale === before) return false;
        this.#isHome = false;
        this.#changed();
        if (this.#pointer) this.#hover(...this.#pointer);
        return true;
      },
      trace: (corners) => {
        this.#trace = corners;
        this.#invalidate("overlay");
      },
      traced: (corners) => this.#select(corners),
      step: (direction, isPan) => this.#step(direction, isPan),
      grab: (x, y) => (this.#carried = this.#meanAt(x, y)) >= 0,
      carry: (x, y) => {
        carried = [x, y];
        this.#carry(x, y, false);
      },
      drop: () => {
        if (carried) this.#carry(...carried, true);
        carried = null;
      },
      pickMiddle: () => {
        const { width, height } = this.#camera;
        const index = this.#nearest(width / 2, height / 2, Math.hypot(width, height));
        if (index >= 0) this.#pick(index, "keyboard");
      },
      letGo: () => this.onPick?.(null),
      fit: () => this.fit(),
      refused: () => this.#hintAt("Tap the map to move it with one finger."),
    };
    listen(overlay, act, signal);
    // A change of theme changes these colours, and a transition of theirs tells so.
    overlay.addEventListener("transitionend", () => this.#invalidate("overlay"), { signal });
    const lost = (event) => {
      event.preventDefault(); // or else it does not come back
      points.style.visibility = "hidden"; // browsers draw a broken picture there
      this.#complain("The graphics card is busy elsewhere; the map waits for it.");
    };
    points.addEventListener("webglcontextlost", lost, { signal });
    points.addEventListener(
      "webglcontextrestored",
      () => {
        this.#points.restore();
        points.style.visibility = "";
        this.#complain("");
        this.#invalidate("points");
      },
      { signal },
    );
  }
}

// Rows of two or three numbers as rows of three.
function inSpace(positions, dimension) {
  const n = positions.length / dimension;
  if (!Number.isInteger(n))
    throw new RangeError(
      `positions must have rows of ${dimension}; got ${positions.length} numbers.`,
    );
  const places = new Float32Array(3 * n);
  for (let i = 0; i < n; i++)
    for (let axis = 0; axis < dimension; axis++) {
      const value = positions[i * dimension + axis];
      if (!Number.isFinite(value))
        throw new RangeError(`positions must be finite; got ${value} in row ${i}.`);
      places[3 * i + axis] = value;
    }
  return places;
}
