// One loss of some lines over an axis: drawn, read by pointer and keys, and zoomed into.

import { make, makeButton } from "../pieces/elements.js";
import { draw, drawText } from "../pieces/svg.js";
import { digitsOf, logTicksOf, makeScale, ticksOf } from "../pieces/scales.js";
import { decimal } from "../pieces/words.js";
import { KINDS, nearest, thinned } from "./lines.js";
import { rangeOf } from "./statistics.js";

const EDGE = { left: 46, right: 16, top: 8, bottom: 38 };
const LEAST_DRAG = 6; // pixels, below which a drag is a click
const ROOM_X = 76; // pixels that a number needs along the axis
const ROOM_Y = 40;
const ZOOM = 0.5; // of the range, at a press of plus
const HELP =
  "Left and right read the curves, with Shift ten epochs at a time. Enter goes to that epoch, " +
  "plus and minus zoom, Escape shows all.";

let made = 0; // plots so far, for ids

/** A chart that its owner draws anew whenever something has changed. */
export class Plot {
  #svg = draw("svg", { tabindex: 0, role: "slider" });
  #marks = draw("g");
  #over = draw("g", { class: "over" }); // what moves with the pointer
  #note = make("span");
  #on;
  #shown = null;
  #title;
  #id = `curves-${made++}`;
  #drag = null; // {from, to}: pixels

  /**
   * @param {string} title
   * @param {object} on  what is called: onHover(x or null), onStep(epochs), onSeek(x, or null for
   *   where one reads), onZoom([from, to] or null), onZoomBy(factor), onAll(isAll)
   */
  constructor(title, on) {
    this.#on = on;
    this.#title = title;
    this.element = make(
      "figure",
      {},
      make("figcaption", {}, make("b", {}, title), ", nats an image", this.#note),
      this.#svg,
    );
    this.#svg.setAttribute("aria-description", HELP);
    this.#listen();
  }

  /**
   * @param {object} shown
   * @param {Line[]} shown.lines  that are not hidden
   * @param {string} shown.loss  one of LOSSES
   * @param {[number, number]} shown.range  of x
   * @param {{isLogX: boolean, isLogY: boolean, isAll: boolean}} shown.settings
   * @param {{unit: number, title: string}} shown.axis  what a number along it stands for
   * @param {number} width  in pixels
   * @param {number} height
   */
  show(shown, width, height) {
    this.#shown = { ...shown, width, height };
    const { lines, loss, range, settings, axis } = shown;
    const svg = this.#svg;
    svg.replaceChildren();
    setAll(svg, { width, height, viewBox: `0 0 ${width} ${height}` });
    const seen = lines.flatMap((line) =>
      KINDS.map((kind) => valuesWithin(line, loss, kind, range)),
    );
    const found = rangeOf(seen, settings.isLogY, settings.isAll);
    this.#say(found);
    const x = makeScale(range, [EDGE.left, width - EDGE.right], settings.isLogX);
    const y = makeScale(found?.range ?? [1, 2], [height - EDGE.bottom, EDGE.top], settings.isLogY);
    Object.assign(this.#shown, { x, y });
    const inside = draw("g", { "clip-path": `url(#${this.#id})` });
    svg.append(
      draw("defs", {}, draw("clipPath", { id: this.#id }, this.#frame())),
      this.#axes(found?.range ?? null, axis, settings),
      inside,
      this.#over,
    );
    for (const line of lines) inside.append(...this.#drawn(line));
    inside.append(this.#marks);
  }

  /** @param {{x: number, colour: string | null}[]} marks  where the slider is */
  mark(marks) {
    if (!this.#shown) return;
    const { x, height } = this.#shown;
    // On a logarithmic axis the beginning is nowhere.
    const seen = marks.filter((mark) => Number.isFinite(x.at(mark.x)));
    const lines = seen.map((mark) => vertical(x.at(mark.x), height, "mark", mark.colour));
    this.#marks.replaceChildren(...lines);
  }

  /**
   * Show where one reads.
   *
   * @param {number | null} at  on the axis
   * @param {{line: Line, index: number}[]} read  the epochs that are read
   * @param {string} said  what they say
   */
  hover(at, read, said) {
    const over = this.#over;
    over.replaceChildren();
    if (!this.#shown) return;
    const { x, y, loss, range, height } = this.#shown;
    setAll(this.#svg, { "aria-valuenow": at ?? range[1], "aria-valuetext": said });
    if (this.#drag) over.append(this.#selected());
    if (at === null) return;
    over.append(vertical(x.at(at), height, "cursor"));
    for (const { line, index } of read)
      for (const kind of KINDS) {
        const [cx, cy] = [x.at(line.x[index]), y.at(line.curves[loss][kind].values[index])];
        if (!this.#isInside(cx, cy)) continue;
        over.append(
          draw("circle", { cx, cy, r: 4, class: kind, style: `--colour: ${line.colour}` }),
        );
      }
  }

  #isInside(px, py) {
    const { width, height } = this.#shown;
    const isAcross = px >= EDGE.left - 1 && px <= width - EDGE.right + 1;
    return isAcross && py >= EDGE.top - 1 && py <= height - EDGE.bottom + 1;
  }

  #say(found) {
    const { range, settings, axis } = this.#shown;
    let words = "";
    if (!found) words = " · nothing to be seen";
    else if (found.isCut) words = " · what lies far off is cut. ";
    else if (settings.isAll) words = " · ";
    this.#note.replaceChildren(words);
    if (found?.isCut) this.#note.append(makeLink("See all", () => this.#on.onAll(true)));
    else if (found && settings.isAll)
      this.#note.append(makeLink("Cut what lies far off", () => this.#on.onAll(false)));
    setAll(this.#svg, {
      "aria-label": `${this.#title} over ${axis.title}`,
      "aria-valuemin": range[0],
      "aria-valuemax": range[1],
    });
  }

  #frame() {
    const { width, height } = this.#shown;
    return draw("rect", {
      ...{ x: EDGE.left, y: EDGE.top },
      width: Math.max(width - EDGE.left - EDGE.right, 0),
      height: Math.max(height - EDGE.top - EDGE.bottom, 0),
    });
  }

  #axes(range, axis, { isLogX, isLogY }) {
    const { width, height, x, y } = this.#shown;
    const [right, bottom] = [width - EDGE.right, height - EDGE.bottom];
    const group = draw("g", { class: "axes" });
    const across = this.#shown.range.map((value) => value / axis.unit);
    const most = (right - EDGE.left) / ROOM_X;
    const ticks = (isLogX ? logTicksOf : ticksOf)(across, most, axis.least);
    const digits = digitsOf(Math.min(...ticks.slice(1).map((tick, i) => tick - ticks[i])));
    for (const tick of ticks) {
      const place = x.at(tick * axis.unit);
      group.append(
        draw("line", { x1: place, x2: place, y1: bottom, y2: bottom + 4, class: "axis" }),
        drawText(place, bottom + 17, compact(tick, isLogX ? undefined : digits), "middle"),
      );
    }
    group.append(
      draw("line", { x1: EDGE.left, x2: right, y1: bottom, y2: bottom, class: "axis" }),
      drawText(right, height - 4, axis.title, "end", "title"),
    );
    if (!range) return group;
    const up = (isLogY ? logTicksOf : ticksOf)(range, (bottom - EDGE.top) / ROOM_Y);
    const upDigits = digitsOf(Math.min(...up.slice(1).map((tick, i) => tick - up[i])));
    for (const tick of up) {
      const place = y.at(tick);
      group.append(
        draw("line", { x1: EDGE.left, x2: right, y1: place, y2: place, class: "grid" }),
        drawText(EDGE.left - 6, place + 4, compact(tick, isLogY ? undefined : upDigits), "end"),
      );
    }
    return group;
  }

  #drawn(line) {
    const { x, y, loss } = this.#shown;
    const isSmoothed = this.#shown.settings.smoothing > 0;
    const style = `--colour: ${line.colour}`;
    const parts = [];
    const path = (values, kind) => {
      const d = pathOf(line.x, values, x, y);
      if (d) parts.push(draw("path", { d, style, class: kind }));
    };
    for (const kind of KINDS) {
      const { raw, values, sd } = line.curves[loss][kind];
      if (sd) {
        const d = bandOf(line.x, values, sd, x, y);
        parts.push(draw("path", { d, style, class: "band" }));
      }
      if (isSmoothed) path(raw, `raw ${kind}`);
      path(values, kind);
    }
    return parts;
  }

  #selected() {
    const { from, to } = this.#drag;
    const { height } = this.#shown;
    return draw("rect", {
      ...{ x: Math.min(from, to), width: Math.abs(to - from), class: "selected" },
      ...{ y: EDGE.top, height: height - EDGE.top - EDGE.bottom },
    });
  }

  #listen() {
    const svg = this.#svg;
    const placeOf = (event) => {
      const { left } = svg.getBoundingClientRect();
      const right = this.#shown.width - EDGE.right;
      return Math.min(Math.max(event.clientX - left, EDGE.left), right);
    };
    const end = () => {
      this.#drag = null;
      this.#on.onHover(null);
    };
    svg.addEventListener("pointerdown", (event) => {
      if (event.button || !event.isPrimary || !this.#shown) return;
      svg.setPointerCapture(event.pointerId);
      const at = placeOf(event);
      this.#drag = { from: at, to: at };
    });
    svg.addEventListener("pointermove", (event) => {
      if (!event.isPrimary || !this.#shown) return;
      const at = placeOf(event);
      if (this.#drag) this.#drag.to = at;
      this.#on.onHover(this.#shown.x.from(at));
    });
    svg.addEventListener("pointerup", () => {
      if (!this.#drag) return;
      const { from, to } = this.#drag;
      const [low, high] = [from, to].sort((one, other) => one - other).map(this.#shown.x.from);
      const isClick = Math.abs(to - from) < LEAST_DRAG;
      end();
      if (!isClick) this.#on.onZoom([low, high]);
      else {
        this.#on.onHover(high);
        this.#on.onSeek(high);
      }
    });
    // A finger that scrolls the page after all.
    svg.addEventListener("pointercancel", end);
    svg.addEventListener("pointerleave", ({ pointerType }) => {
      // What was tapped goes on to be read.
      if (!this.#drag && pointerType !== "touch") this.#on.onHover(null);
    });
    svg.addEventListener("dblclick", () => this.#on.onZoom(null));
    svg.addEventListener("blur", () => this.#on.onHover(null));
    svg.addEventListener("keydown", (event) => {
      const keys = {
        ArrowLeft: () => this.#on.onStep(event.shiftKey ? -10 : -1),
        ArrowRight: () => this.#on.onStep(event.shiftKey ? 10 : 1),
        Home: () => this.#on.onStep(-Infinity),
        End: () => this.#on.onStep(Infinity),
        Enter: () => this.#on.onSeek(null),
        Escape: () => (this.#drag ? end() : this.#on.onZoom(null)),
        "+": () => this.#on.onZoomBy(ZOOM),
        "-": () => this.#on.onZoomBy(1 / ZOOM),
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation(); // the arrow keys of the page around move its slider
      keys[event.key]();
    });
  }
}

function makeLink(text, onclick) {
  return makeButton(text, onclick, { class: "link" });
}

function setAll(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

function vertical(at, height, kind, colour) {
  const place = { x1: at, x2: at, y1: EDGE.top, y2: height - EDGE.bottom, class: kind };
  return draw("line", colour ? { ...place, style: `--colour: ${colour}` } : place);
}

// What of a line is within a range of x.
function valuesWithin({ x, curves }, loss, kind, [from, to]) {
  const { values } = curves[loss][kind];
  return values.filter((_, i) => x[i] >= from - 1e-9 && x[i] <= to + 1e-9);
}

function pathOf(places, values, x, y) {
  const pieces = [[]];
  places.forEach((place, i) => {
    const point = [x.at(place), y.at(values[i])];
    if (point.every(Number.isFinite)) pieces.at(-1).push(point);
    else if (pieces.at(-1).length) pieces.push([]);
  });
  return pieces
    .map((points) =>
      thinned(points)
        // A point alone is seen by its round ends.
        .flatMap((point, i, all) => (all.length === 1 ? [point, point] : [point]))
        .map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`)
        .join(""),
    )
    .join("");
}

function bandOf(places, values, sd, x, y) {
  const [upper, lower] = [[], []];
  places.forEach((place, i) => {
    const [above, below] = [values[i] + sd[i], values[i] - sd[i]].map((value) => y.at(value));
    if (!Number.isFinite(above) || !Number.isFinite(x.at(place))) return;
    upper.push([x.at(place), above]);
    // On a logarithmic axis what reaches down to zero has no end.
    lower.push([x.at(place), Number.isFinite(below) ? below : 1e5]);
  });
  const path = (points) => points.map((point) => point.map((value) => value.toFixed(1)).join(" "));
  const around = [...path(thinned(upper)), ...path(thinned(lower)).reverse()];
  return around.length ? `M${around.join("L")}Z` : "";
}

// What stands beside an axis: "1200", "20K", "0.5".
function compact(value, digits) {
  if (Math.abs(value) >= 1e4)
    return value.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 });
  if (digits === undefined) return String(Number(value.toPrecision(3)));
  return decimal(value, digits);
}
