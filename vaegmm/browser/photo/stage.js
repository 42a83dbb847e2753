// A photo with boxes on it that can be dragged, resized, turned, added and taken away.

import { asCss } from "../pieces/colours.js";
import {
  between,
  CORNERS,
  facing,
  LEAST_SIDE,
  moved,
  pulled,
  scaled,
  turned,
} from "./boxes.js";

const SVG = "http://www.w3.org/2000/svg";
const HANDLE = 9; // pixels of the screen: half of what a pen can take hold of by sight
const REACH = 22; // by a finger, which sees nothing under it
const STEM = 30; // between a box and the handle that turns it
const FONT = 17;
const ROOM = 84; // pixels of the screen that a name with its certainty takes
const STEP = 1 / 200; // of the photo's longer side, by one press of an arrow
const FAST = 5; // times as far with Shift
const GROWTH = 1.05;
const TURN = Math.PI / 36; // by one press
const NEW_BOX = 0.25; // of the photo's shorter side, where a box is put by a button

/**
 * Show a photo with boxes.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {string} options.address  of the photo
 * @param {number} options.width  of the photo in pixels, in which boxes are measured
 * @param {number} options.height
 * @param {?number[][]} options.sheet  corners of the sheet of paper, or null
 * @param {(boxes: object[], changed: number) => void} options.onChange  called once a frame while
 *   boxes change; changed: which one, or -1 where their number changed
 * @param {(selected: number) => void} options.onSelect  -1: none
 * @returns {Stage}
 */
export function createStage(element, options) {
  return new Stage(element, options);
}

class Stage {
  #svg;
  #layer;
  #options;
  #boxes = [];
  #labels = [];
  #selected = -1;
  #drag = null;
  #frame = 0;
  #stop = new AbortController();
  #sizes;

  constructor(element, options) {
    this.#options = options;
    const { address, width, height, sheet } = options;
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, class: "stage" });
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", "Photo with a box around each digit");
    svg.append(draw("image", { href: address, width, height }));
    if (sheet) svg.append(draw("polygon", { class: "sheet-edge", points: sheet.join(" ") }));
    this.#layer = draw("g", {});
    svg.append(this.#layer);
    this.#svg = svg;
    element.append(svg);
    const on = (target, type, handle) =>
      target.addEventListener(type, handle, { signal: this.#stop.signal });
    on(svg, "pointerdown", (event) => this.#begin(event));
    on(svg, "pointermove", (event) => this.#move(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"])
      on(svg, type, (event) => this.#end(event));
    // Beside the boxes a finger scrolls; parts of an SVG cannot forbid it by their style.
    const hold = (event) => indexOf(event.target) >= 0 && event.preventDefault();
    svg.addEventListener("touchstart", hold, { passive: false, signal: this.#stop.signal });
    on(svg, "keydown", (event) => this.#press(event));
    on(svg, "focusin", (event) => {
      const index = indexOf(event.target);
      if (index >= 0) this.select(index);
    });
    this.#sizes = new ResizeObserver(() => this.#redraw());
    this.#sizes.observe(svg);
  }

  get boxes() {
    return this.#boxes;
  }

  get selected() {
    return this.#selected;
  }

  /** Put other boxes there, without a call of `onChange`. */
  show(boxes, selected = -1) {
    this.#boxes = boxes;
    this.#labels = [];
    this.#selected = selected;
    this.#redraw();
  }

  /** Say what each box holds: `{mark, text, description, rgb}`; the text where it has room. */
  label(labels) {
    this.#labels = labels;
    this.#redraw();
  }

  select(index) {
    if (this.#selected === index) return;
    this.#selected = index;
    this.#redraw();
    this.#options.onSelect(index);
  }

  focus(index) {
    this.#layer.children[index]?.focus({ preventScroll: true });
  }

  /** Put a box in the middle of the photo. */
  add() {
    const { width, height } = this.#options;
    const side = NEW_BOX * Math.min(width, height);
    this.#add({ x: width / 2, y: height / 2, width: side, height: side, angle: 0 });
    this.focus(this.#selected);
  }

  remove(index) {
    this.#boxes = this.#boxes.filter((_, i) => i !== index);
    this.#labels = this.#labels.filter((_, i) => i !== index);
    this.#selected = Math.min(index, this.#boxes.length - 1);
    this.#change(-1);
    this.focus(this.#selected);
  }

  /** Turn one box, or all of them around the places where they are, by quarter turns. */
  turn(turn, index = -1) {
    const isIt = (i) => index < 0 || i === index;
    this.#boxes = this.#boxes.map((box, i) => (isIt(i) ? turned(box, turn) : box));
    this.#change(index);
  }

  destroy() {
    this.#stop.abort();
    this.#sizes.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#svg.remove();
  }

  #add(box) {
    this.#boxes = [...this.#boxes, box];
    this.#selected = this.#boxes.length - 1;
    this.#change(-1);
  }

  #set(index, box) {
    this.#boxes = this.#boxes.map((before, i) => (i === index ? box : before));
    this.#change(index);
  }

  // Pointers report more often than the screen shows.
  #change(changed) {
    this.#redraw();
    this.#pending = this.#frame && this.#pending !== changed ? -1 : changed;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#options.onChange(this.#boxes, this.#pending);
    });
  }
  #pending = -1;

  /** Pixels of the photo in one of the screen. */
  get #unit() {
    return this.#options.width / (this.#svg.getBoundingClientRect().width || this.#options.width);
  }

  #redraw() {
    const unit = this.#unit;
    while (this.#layer.children.length > this.#boxes.length) this.#layer.lastChild.remove();
    this.#boxes.forEach((box, i) => {
      const group = this.#layer.children[i] ?? this.#layer.appendChild(makeGroup());
      drawBox(group, box, this.#labels[i], i === this.#selected, unit);
    });
  }

  #place(event) {
    const { left, top } = this.#svg.getBoundingClientRect();
    return [(event.clientX - left) * this.#unit, (event.clientY - top) * this.#unit];
  }

  #begin(event) {
    if (this.#drag || (event.pointerType === "mouse" && event.button !== 0)) return;
    const place = this.#place(event);
    const index = indexOf(event.target);
    const part = event.target.dataset.part ?? "";
    // A finger beside the boxes scrolls the page.
    if (index < 0 && event.pointerType === "touch") return this.select(-1);
    event.preventDefault();
    if (event.isTrusted) this.#svg.setPointerCapture(event.pointerId);
    this.#drag = { pointer: event.pointerId, part, index, place, box: this.#boxes[index] };
    this.select(index);
    this.focus(index);
  }

  #move(event) {
    if (event.pointerId !== this.#drag?.pointer) return;
    const { part, index, place, box } = this.#drag;
    const [x, y] = this.#place(event);
    if (index < 0) {
      const drawn = between(place, [x, y]);
      if (Math.min(drawn.width, drawn.height) < Math.max(LEAST_SIDE, 2 * HANDLE * this.#unit))
        return;
      this.#add(drawn);
      Object.assign(this.#drag, { index: this.#selected, part: "new" });
    } else if (part === "new") this.#set(index, between(place, [x, y]));
    else if (part === "turn") this.#set(index, facing(box, x, y));
    else if (part.startsWith("corner")) {
      const corner = CORNERS[Number(part.slice(-1))];
      // The corner goes where the pointer goes, from where it was taken hold of.
      const [u, v] = cornerOf(box, corner);
      this.#set(index, pulled(box, corner, x - place[0] + u, y - place[1] + v));
    } else this.#set(index, moved(box, x - place[0], y - place[1], this.#options));
  }

  #end(event) {
    if (event.pointerId === this.#drag?.pointer) this.#drag = null;
  }

  #press(event) {
    const index = indexOf(event.target);
    if (index < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const box = this.#boxes[index];
    const { width, height } = this.#options;
    const step = STEP * Math.max(width, height) * (event.shiftKey ? FAST : 1);
    const [right, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ] ?? [0, 0];
    const key = event.key.toLowerCase();
    if (right || down) this.#set(index, moved(box, right * step, down * step, this.#options));
    else if (key === "+" || key === "=") this.#set(index, scaled(box, GROWTH));
    else if (key === "-") this.#set(index, scaled(box, 1 / GROWTH));
    else if (key === "r") this.turn(event.shiftKey ? 3 : 1, index);
    else if (key === "[" || key === "]")
      this.#set(index, { ...box, angle: box.angle + (key === "[" ? -TURN : TURN) });
    else if (key === "delete" || key === "backspace") this.remove(index);
    else return;
    event.preventDefault();
  }
}

/** Which box an element is part of; -1: none. */
function indexOf(element) {
  const group = element.closest?.(".box");
  return group ? [...group.parentNode.children].indexOf(group) : -1;
}

function cornerOf({ x, y, width, height, angle }, [right, down]) {
  const [u, v] = [(right * width) / 2, (down * height) / 2];
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return [x + u * cosine - v * sine, y + u * sine + v * cosine];
}

function draw(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function makeGroup() {
  const group = draw("g", { class: "box", tabindex: 0, role: "button" });
  group.append(draw("rect", { class: "outline" }), draw("rect", { class: "frame" }));
  const handles = draw("g", { class: "handles" });
  handles.append(draw("line", { class: "stem" }));
  for (const part of ["turn", ...CORNERS.keys()].map((name, i) => (i ? `corner${name}` : name)))
    for (const kind of ["reach", "handle"]) {
      const circle = draw("circle", { class: `${kind} ${part}` });
      circle.dataset.part = part;
      handles.append(circle);
    }
  const name = draw("g", { class: "name" });
  name.append(draw("rect", {}), draw("text", {}));
  group.append(handles, name);
  return group;
}

function drawBox(group, box, label, isSelected, unit) {
  const { x, y, width, height, angle } = box;
  const set = (selector, attributes) => {
    for (const element of group.querySelectorAll(selector))
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  };
  const degrees = (angle * 180) / Math.PI;
  group.setAttribute("transform", `translate(${x} ${y}) rotate(${degrees})`);
  group.toggleAttribute("data-selected", isSelected);
  group.setAttribute("aria-label", label?.description ?? "A box");
  group.style.setProperty("--of-digit", label ? asCss(label.rgb) : "");
  const rectangle = { x: -width / 2, y: -height / 2, width, height };
  set(".outline, .frame", rectangle);
  set(".stem", { x1: 0, x2: 0, y1: -height / 2, y2: -height / 2 - STEM * unit });
  // Smaller on a small box, which they would cover.
  const radius = Math.max(HANDLE / 2, Math.min(HANDLE, Math.min(width, height) / unit / 6));
  set(".handle", { r: radius * unit });
  set(".reach", { r: Math.max(HANDLE * unit, Math.min(REACH * unit, Math.min(width, height) / 4)) });
  set(".turn", { cx: 0, cy: -height / 2 - STEM * unit });
  CORNERS.forEach(([right, down], i) =>
    set(`.corner${i}`, { cx: (right * width) / 2, cy: (down * height) / 2 }),
  );
  // The name stands upright beside a box that does not.
  const hasRoom = isSelected || width > ROOM * unit;
  const text = (hasRoom ? label?.text : label?.mark) ?? "";
  const size = FONT * unit;
  const wide = (text.length * 0.62 + 0.6) * size;
  const below = (Math.abs(width * Math.sin(angle)) + Math.abs(height * Math.cos(angle))) / 2;
  set(".name", { transform: `rotate(${-degrees})` });
  set(".name rect", { x: -wide / 2, y: below + 4 * unit, width: wide, height: 1.35 * size, rx: 3 * unit });
  set(".name text", { x: 0, y: below + 4 * unit + size, "font-size": size });
  const said = group.querySelector("text");
  if (said.textContent !== text) said.textContent = text;
}
