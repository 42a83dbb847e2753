// A pad to draw on. It holds the strokes, in units of its height, y downwards, and tells of them
// while the pen moves and at the end of each stroke; what they mean is not its business.

const MOST_STROKE_POINTS = 20_000; // on a pad: what a hand draws has some hundreds
const NEAREST_STEP = 0.002; // of the height; points nearer than this to the last say nothing new
const PRECISION = 1e4; // steps of a height
const PEN = { width: 5, least: 2, most: 9, step: 0.5 }; // of the height, in per cent

const PAD_STYLE = `
.pad { position: relative; width: 100%; color: var(--ink, CanvasText); }
.pad .sheet { position: relative; background: var(--field, transparent);
  border-radius: var(--radius, 4px); }
.pad .drawing { position: relative; display: block; width: 100%; box-sizing: border-box;
  border: 1px solid var(--line, GrayText); border-radius: var(--radius, 4px);
  cursor: crosshair;
  touch-action: none; user-select: none; -webkit-user-select: none;
  -webkit-touch-callout: none; -webkit-tap-highlight-color: transparent;
  transition: color 1ms; }
.pad .drawing:focus-visible { outline: 2px solid var(--accent, Highlight); outline-offset: 2px; }
.pad .backdrop { position: absolute; inset: 0; }
.pad [hidden] { display: none; }
.pad .hint { position: absolute; inset: auto 0 0 0; padding: 0 8px 10px; text-align: center;
  pointer-events: none; color: var(--quiet, GrayText); font-size: 0.9em; }
.pad .tools { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; margin-top: 6px; }
.pad button { font: inherit; font-size: 0.9em; min-width: 40px; min-height: 40px; padding: 0 10px;
  color: inherit; background: var(--paper, Canvas); cursor: pointer;
  border: 1px solid var(--line, GrayText); border-radius: var(--radius, 4px); }
.pad button:hover:enabled { border-color: var(--accent, Highlight); }
.pad button:focus-visible { outline: 2px solid var(--accent, Highlight); outline-offset: 2px; }
.pad button:disabled { opacity: 0.4; cursor: default; }
.pad label { display: flex; align-items: center; gap: 8px; flex: 1 1 110px; font-size: 0.9em; }
/* By hand: a browser's own track is white on a dark page, too. */
.pad input { flex: 1; min-width: 60px; height: 24px; margin: 0; appearance: none; background: none;
  cursor: pointer; }
.pad input::-webkit-slider-runnable-track { height: 4px; border-radius: 2px;
  background: var(--line, GrayText); }
.pad input::-moz-range-track { height: 4px; border-radius: 2px; background: var(--line, GrayText); }
.pad input::-webkit-slider-thumb { width: 16px; height: 16px; margin-top: -6px; border-radius: 50%;
  appearance: none; background: var(--accent, Highlight); }
.pad input::-moz-range-thumb { width: 16px; height: 16px; border: none; border-radius: 50%;
  background: var(--accent, Highlight); }
.pad input:focus-visible { outline: 2px solid var(--accent, Highlight); outline-offset: 2px; }
`;

/**
 * Make a pad that is as wide as an element.
 *
 * Its colours are the properties `--ink`, `--paper`, `--field`, `--line`, `--quiet` and `--accent`;
 * `--aspect` goes before the option.
 * A stroke is an array of points [x, y]. Strokes that are handed out must not be changed.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {number[][][]} [options.strokes]  on it from the beginning
 * @param {number} [options.aspect]  width over height
 * @param {string} [options.label]  for those who cannot see the pad
 * @param {string} [options.hint]  on the empty pad
 * @param {boolean} [options.hasWidth]  whether the pen's width can be chosen; it changes only how
 *   the drawing looks here
 * @param {HTMLElement} [options.backdrop]  what is seen through the empty pad
 * @param {(strokes: number[][][]) => void} [options.onMove]  called once a frame in which the pen
 *   has moved, with the stroke that is being drawn
 * @param {(strokes: number[][][]) => void} [options.onEnd]  called at the end of a stroke, and when
 *   strokes are taken back, put back or cleared
 * @param {() => void} [options.onKeep]  called by the Enter key on a drawing
 * @returns {Pad}
 */
export function createPad(element, options = {}) {
  return new Pad(element, options);
}

class Pad {
  #root;
  #canvas;
  #hint;
  #backdrop;
  #tools;
  #act;
  #strokes;
  #undone = []; // strokes taken back, the last one last
  #cleared = null; // what was there before Clear
  #current = null;
  #pointer = null;
  #width = PEN.width;
  #frame = 0;
  #hasMoved = false;
  #sizes;
  #stop = new AbortController();

  constructor(element, options) {
    const { strokes = [], aspect = 1, label = "Drawing pad", hint = "Draw here" } = options;
    const { onMove, onEnd, onKeep, hasWidth = true, backdrop = null } = options;
    this.#act = { onMove, onEnd, onKeep };
    this.#strokes = structuredClone(strokes);
    this.#build(element, { aspect, label, hint, hasWidth, backdrop });
    this.#listen();
    this.#sizes = new ResizeObserver(() => this.redraw());
    this.#sizes.observe(this.#canvas);
    this.redraw();
  }

  /** What is on the pad, with the stroke that is being drawn. */
  get strokes() {
    return this.#current ? [...this.#strokes, this.#current] : this.#strokes;
  }

  /** Put other strokes there, without a call of `onEnd`; there is nothing to take back then. */
  set strokes(strokes) {
    this.#strokes = structuredClone(strokes);
    [this.#undone, this.#cleared] = [[], null];
    this.#current = this.#pointer = null;
    this.redraw();
  }

  /** The element that takes pen and keys. */
  get canvas() {
    return this.#canvas;
  }

  /** Its width in units of its height, as it is seen. */
  get aspect() {
    const { clientWidth, clientHeight } = this.#canvas;
    return clientHeight ? clientWidth / clientHeight : 1;
  }

  /** Take the last stroke back, or what Clear took away. */
  undo() {
    if (this.#cleared && !this.#strokes.length) {
      const strokes = this.#cleared;
      this.#cleared = null;
      this.#change(strokes);
    } else if (this.#strokes.length) {
      this.#undone.push(this.#strokes.at(-1));
      this.#change(this.#strokes.slice(0, -1));
    }
  }

  /** Put back the stroke that was taken back last. */
  redo() {
    if (this.#undone.length) this.#change([...this.#strokes, this.#undone.pop()]);
  }

  /** Start afresh. */
  clear() {
    if (!this.#strokes.length) return;
    [this.#cleared, this.#undone] = [this.#strokes, []];
    this.#change([]);
  }

  /** Draw again, in the colours that the page has now. */
  redraw() {
    const canvas = this.#canvas;
    const box = canvas.getBoundingClientRect();
    const isBlank = this.strokes.length === 0;
    this.#hint.hidden = !isBlank;
    this.#backdrop.hidden = !isBlank;
    this.#tools.undo.disabled = isBlank && !this.#cleared;
    this.#tools.redo.disabled = this.#undone.length === 0;
    this.#tools.clear.disabled = isBlank;
    if (!box.width) return;
    const ratio = window.devicePixelRatio || 1;
    const size = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    const context = canvas.getContext("2d");
    const unit = canvas.height;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
    context.lineWidth = (this.#width / 100) * unit;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) {
      const [first, ...rest] = stroke.map(([x, y]) => [x * unit, y * unit]);
      if (!first) continue;
      context.beginPath();
      if (!rest.length) {
        context.arc(...first, context.lineWidth / 2, 0, 2 * Math.PI);
        context.fill();
        continue;
      }
      context.moveTo(...first);
      for (const point of rest) context.lineTo(...point);
      context.stroke();
    }
  }

  /** Take the pad out of the page; it cannot be used afterwards. */
  destroy() {
    this.#stop.abort();
    this.#sizes.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#root.remove();
  }

  #build(element, { aspect, label, hint, hasWidth, backdrop }) {
    const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);
    const style = make("style", { textContent: PAD_STYLE });
    this.#root = make("div", { className: "pad" });
    this.#canvas = make("canvas", { className: "drawing", tabIndex: 0 });
    this.#canvas.style.aspectRatio = `var(--aspect, ${aspect})`;
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", label);
    this.#hint = make("div", { className: "hint", textContent: hint });
    this.#hint.setAttribute("aria-hidden", "true");
    this.#backdrop = make("div", { className: "backdrop" });
    if (backdrop) this.#backdrop.append(backdrop);
    const sheet = make("div", { className: "sheet" });
    sheet.append(this.#backdrop, this.#canvas, this.#hint);
    const button = (text, name, title) => {
      const made = make("button", { type: "button", textContent: text, title });
      made.setAttribute("aria-label", name);
      return made;
    };
    this.#tools = {
      undo: button("↶", "Undo", "Take the last stroke back (Ctrl+Z)"),
      redo: button("↷", "Redo", "Put it back (Ctrl+Y)"),
      clear: button("Clear", "Clear", "Start afresh (Delete)"),
    };
    const tools = make("div", { className: "tools" });
    tools.append(...Object.values(this.#tools));
    if (hasWidth) {
      const { width, least, most, step } = PEN;
      const input = make("input", { type: "range", min: least, max: most, step, value: width });
      input.setAttribute("aria-label", "Pen width");
      const pen = make("label", { textContent: "Pen " });
      pen.title = "How thick the pen is here; the model always gets the same pen";
      pen.append(input);
      tools.append(pen);
      this.#tools.width = input;
    }
    this.#root.append(style, sheet, tools);
    element.append(this.#root);
  }

  #listen() {
    const canvas = this.#canvas;
    const { undo, redo, clear, width } = this.#tools;
    const on = (target, type, handle) =>
      target.addEventListener(type, handle, { signal: this.#stop.signal });
    on(canvas, "pointerdown", (event) => this.#begin(event));
    on(canvas, "pointermove", (event) => this.#draw(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"])
      on(canvas, type, (event) => this.#end(event));
    on(canvas, "contextmenu", (event) => event.preventDefault());
    on(canvas, "transitionend", () => this.redraw()); // the theme has changed
    on(undo, "click", () => this.undo());
    on(redo, "click", () => this.redo());
    on(clear, "click", () => this.clear());
    if (width)
      on(width, "input", () => {
        this.#width = Number(width.value);
        this.redraw();
      });
    on(this.#root, "keydown", (event) => this.#press(event));
  }

  #press(event) {
    const key = event.key.toLowerCase();
    const isCommand = event.ctrlKey || event.metaKey;
    if (event.target === this.#tools.width) return;
    if (isCommand && (key === "y" || (key === "z" && event.shiftKey))) this.redo();
    else if (isCommand && key === "z") this.undo();
    else if (key === "delete" || key === "backspace") this.clear();
    else if (key === "enter" && event.target === this.#canvas && this.#strokes.length)
      this.#act.onKeep?.();
    else return;
    event.preventDefault();
  }

  #begin(event) {
    // A second finger, or another button than the first, does not draw.
    if (this.#pointer !== null || (event.pointerType === "mouse" && event.button !== 0)) return;
    event.preventDefault();
    this.#canvas.focus({ preventScroll: true });
    if (event.isTrusted) this.#canvas.setPointerCapture(event.pointerId);
    this.#pointer = event.pointerId;
    this.#current = [this.#place(event)];
    this.#move();
  }

  #draw(event) {
    if (event.pointerId !== this.#pointer || !this.#current) return;
    const drawn = this.strokes.reduce((sum, stroke) => sum + stroke.length, 0);
    if (drawn >= MOST_STROKE_POINTS) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) {
      const [x, y] = this.#place(each);
      const [lastX, lastY] = this.#current.at(-1);
      if (Math.hypot(x - lastX, y - lastY) >= NEAREST_STEP) this.#current.push([x, y]);
    }
    this.#move();
  }

  #end(event) {
    if (event.pointerId !== this.#pointer) return;
    const stroke = this.#current;
    this.#current = this.#pointer = null;
    if (!stroke) return;
    [this.#undone, this.#cleared] = [[], null];
    this.#change([...this.#strokes, stroke]);
  }

  #change(strokes) {
    this.#strokes = strokes;
    this.#hasMoved = false;
    this.redraw();
    this.#act.onEnd?.(strokes);
  }

  // Pointers report more often than the screen shows.
  #move() {
    this.#hasMoved = true;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (!this.#hasMoved) return;
      this.#hasMoved = false;
      this.redraw();
      this.#act.onMove?.(this.strokes);
    });
  }

  #place(event) {
    const { left, top, height } = this.#canvas.getBoundingClientRect();
    return [(event.clientX - left) / height, (event.clientY - top) / height].map(
      (value) => Math.round(value * PRECISION) / PRECISION,
    );
  }
}
