// Draws a stack of layers with what flows through it: bars as long as the layers are wide, lit
// where their units are active, and between them the connections that carry most.

const MOST_LIT = 10; // units of a layer whose strongest connections are drawn
const CONNECTIONS = 3; // of each
const THICKNESS = 10; // CSS pixels of a bar
const SHORTEST = 4; // CSS pixels of a bar
const MARGIN = 14; // CSS pixels before the first bar and behind the last
const ARROW_HEAD = 7; // CSS pixels
const WORDS = 18; // CSS pixels for a layer's size
const APART = 4; // CSS pixels between two sizes
const MOST_FANNED = 16; // numbers that are drawn as ends of their own

/**
 * Where the layers of a stack lie.
 *
 * @param {number[]} sizes  units of each layer
 * @param {{along: number, across: number}} room  in pixels, along the flow and across it
 * @returns {{at: number, start: number, length: number}[]}  of each bar: its middle along the flow,
 *   and where it begins and how long it is across
 */
export function layersIn(sizes, { along, across }) {
  const most = Math.max(...sizes);
  const step = sizes.length > 1 ? (along - 2 * MARGIN) / (sizes.length - 1) : 0;
  return sizes.map((size, i) => {
    const length = Math.max((across * size) / most, Math.min(SHORTEST, across));
    return { at: MARGIN + i * step, start: (across - length) / 2, length };
  });
}

/**
 * The connections that carry most between two layers.
 *
 * @param {ArrayLike<number>} from  activations, (A,)
 * @param {ArrayLike<number>} to  activations, (B,)
 * @param {Float32Array} weight  (A, B)
 * @returns {{from: number, to: number, strength: number}[]}  of the units of `to` that are most
 *   active, what adds most to each; strengths relative to the greatest
 */
export function strongest(from, to, weight) {
  const links = [];
  for (const j of greatest(to.length, MOST_LIT, (unit) => Math.abs(to[unit]))) {
    const carried = (i) => Math.abs(from[i] * weight[i * to.length + j]);
    for (const i of greatest(from.length, CONNECTIONS, carried)) {
      const strength = carried(i);
      if (strength > 0) links.push({ from: i, to: j, strength });
    }
  }
  const most = links.reduce((largest, { strength }) => Math.max(largest, strength), 0);
  return links.map((link) => ({ ...link, strength: link.strength / most }));
}

function greatest(n, count, valueOf) {
  const best = []; // [value, index], the least first
  for (let i = 0; i < n; i++) {
    const value = valueOf(i);
    if (best.length === count && value <= best[0][0]) continue;
    best.push([value, i]);
    best.sort((a, b) => a[0] - b[0]);
    if (best.length > count) best.shift();
  }
  return best.map(([, i]) => i);
}

/** A picture of layers. */
export class Flow {
  /**
   * @param {HTMLElement} element  the picture fills it; where its property `--flow` is "down", the
   *   flow goes down, else to the right
   * @param {object} layers
   * @param {number[]} layers.sizes
   * @param {Float32Array[]} layers.weights  between one layer and the next
   * @param {"first" | "last"} layers.fanned  which layer are the latents: they end, where there is
   *   room, as one line each
   * @param {string} layers.label  for screen readers
   */
  constructor(element, { sizes, weights, fanned, label }) {
    Object.assign(this, { sizes, weights, fanned, activations: null, share: 1 });
    this.links = [];
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    element.append(this.canvas);
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(element);
  }

  /** Show what the layers hold: activations of each, (units,). */
  show(activations) {
    this.activations = activations;
    this.share = 1;
    this.links = this.weights.map((weight, i) =>
      strongest(activations[i], activations[i + 1], weight),
    );
    this.draw();
  }

  /** Show how far along the stack what it holds has come, in [0, 1]. */
  advance(share) {
    if (share === this.share) return;
    this.share = share;
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const { width, height } = canvas.getBoundingClientRect();
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    const size = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const { color, fontFamily, outlineColor } = style;
    const isDown = style.getPropertyValue("--flow").trim() === "down";
    const room = isDown
      ? { along: height, across: width - 2 * WORDS }
      : { along: width, across: height - WORDS };
    const layers = layersIn(this.sizes, room);
    const latents = this.fanned === "first" ? 0 : layers.length - 1;
    const isFanned = !isDown && this.sizes[latents] <= MOST_FANNED;
    if (isFanned) {
      const at = latents ? room.along : 0;
      layers[latents] = { at, start: 0, length: room.across, isFan: true };
    }
    // From here on x goes along the flow, y across it.
    context.setTransform(
      ...(isDown ? [0, ratio, ratio, 0, 0, 0] : [ratio, 0, 0, ratio, 0, 0]),
    );
    context.clearRect(0, 0, room.along, Math.max(width, height));
    const lit = { ink: color, light: outlineColor };
    for (let i = 0; i + 1 < layers.length; i++) this.#between(context, layers, i, lit);
    layers.forEach((layer, i) => layer.isFan || this.#bar(context, layer, i, lit));
    this.#arrows(context, layers, room, lit);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.globalAlpha = 0.7;
    context.fillStyle = color;
    context.font = `11px ${fontFamily}`;
    context.textAlign = isDown ? "left" : "center";
    context.textBaseline = "middle";
    let end = -Infinity; // of the last size beside: one that would touch it is left out
    layers.forEach(({ at, isFan }, i) => {
      if (isFan) return;
      if (isDown) return context.fillText(this.sizes[i], room.across + 6, at);
      const half = context.measureText(this.sizes[i]).width / 2;
      if (at - half < end + APART) return;
      context.fillText(this.sizes[i], at, height - WORDS / 2 + 2);
      end = at + half;
    });
    context.globalAlpha = 1;
  }

  destroy() {
    this.resizing.disconnect();
    this.canvas.remove();
  }

  #hasReached(layer) {
    return layer / Math.max(this.sizes.length - 1, 1) <= this.share;
  }

  #bar(context, { at, start, length }, i, { ink, light }) {
    const left = at - THICKNESS / 2;
    context.fillStyle = ink;
    context.globalAlpha = 0.1;
    context.fillRect(left, start, THICKNESS, length);
    const values = this.activations?.[i];
    if (!values || !this.#hasReached(i)) return;
    const nCells = Math.min(values.length, Math.max(Math.round(length), 1));
    const cells = new Float64Array(nCells);
    let most = 0;
    for (let unit = 0; unit < values.length; unit++) {
      const cell = Math.floor((unit * nCells) / values.length);
      cells[cell] = Math.max(cells[cell], Math.abs(values[unit]));
      most = Math.max(most, cells[cell]);
    }
    context.fillStyle = light;
    const side = length / nCells;
    cells.forEach((value, cell) => {
      if (value < 0.02 * most || most === 0) return;
      context.globalAlpha = Math.sqrt(value / most);
      context.fillRect(left, start + cell * side, THICKNESS, side);
    });
    context.globalAlpha = 1;
  }

  // Where the flow enters the first bar and leaves the last, and where it reaches each number.
  #arrows(context, layers, { along, across }, { ink, light }) {
    const heads = layers[0].isFan ? [] : [[MARGIN - THICKNESS / 2 - 1, across / 2]];
    const last = layers.at(-1);
    if (!last.isFan) heads.push([along - 1, across / 2]);
    const n = this.sizes.at(-1);
    for (let i = 0; last.isFan && i < n; i++) heads.push([along, ((i + 0.5) / n) * across]);
    context.globalAlpha = last.isFan ? 0.9 : 0.6;
    for (const [x, y] of heads) {
      context.fillStyle = x === along ? light : ink;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x - ARROW_HEAD, y - ARROW_HEAD / 2);
      context.lineTo(x - ARROW_HEAD, y + ARROW_HEAD / 2);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  #between(context, layers, i, { ink, light }) {
    const [a, b] = [layers[i], layers[i + 1]];
    const inset = (layer, sign) => layer.at + (layer.isFan ? 0 : (sign * THICKNESS) / 2);
    const [left, right] = [inset(a, 1), inset(b, -1)];
    context.globalAlpha = 0.04;
    context.fillStyle = ink;
    context.beginPath();
    context.moveTo(left, a.start);
    context.lineTo(right, b.start);
    context.lineTo(right, b.start + b.length);
    context.lineTo(left, a.start + a.length);
    context.fill();
    if (!this.activations || !this.#hasReached(i + 1)) return;
    const place = (layer, unit, n) => layer.start + ((unit + 0.5) / n) * layer.length;
    context.strokeStyle = light;
    for (const { from, to, strength } of this.links[i]) {
      const [y0, y1] = [place(a, from, this.sizes[i]), place(b, to, this.sizes[i + 1])];
      context.globalAlpha = 0.12 + 0.68 * strength;
      context.lineWidth = 0.5 + 1.2 * strength;
      context.beginPath();
      context.moveTo(left, y0);
      const bend = (right - left) / 2;
      context.bezierCurveTo(left + bend, y0, right - bend, y1, right, y1);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}

/**
 * What the layers of a network hold after it has encoded an image, or decoded a latent.
 *
 * @param {Network} network
 * @param {"encoder" | "decoder"} part
 * @param {Float64Array} input  pixels, or z
 * @returns {Float64Array[]}  copies
 */
export function activationsOf(network, part, input) {
  if (part === "encoder") network.encodeMean(input);
  else network.decode(input);
  const last = part === "encoder" ? network.mean : network.output;
  const layers = [...network[part], last];
  return [Float64Array.from(input), ...layers.map(({ output }) => Float64Array.from(output))];
}

/** Sizes and weights of a network's encoder or decoder, for a Flow. */
export function layersOf(network, part) {
  const last = part === "encoder" ? network.mean : network.output;
  const layers = [...network[part], last];
  const sizes = layers.map(({ active }) => active.length);
  return { sizes: [...sizes, last.output.length], weights: layers.map(({ weight }) => weight) };
}
