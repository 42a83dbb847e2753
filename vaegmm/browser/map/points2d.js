// Draws points with nothing but arithmetic, where WebGL 2 is missing or is itself only arithmetic:
// then it is several times as fast, since a graphics pipeline costs most where each shape is small.
// It looks as `WebGLPoints` does.

import { mix } from "./motion.js";

const FINE = 4; // places between two pixels, along each axis, that a disc is drawn for
const SIZES = 4; // sizes a pixel, likewise
const LARGEST = 40; // pixels across; a disc that comes nearer grows no more

/** A drawing of points on a canvas, with the calls of `WebGLPoints`. */
export class CanvasPoints {
  static capacity = 100000;

  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true }); // keeps it in memory
    this.order = null;
    this.discs = new Map();
  }

  setPoints(to, from) {
    Object.assign(this, { to, from });
  }

  setColours(colourTo, colourFrom) {
    Object.assign(this, { colourTo, colourFrom });
  }

  setOrder(order) {
    this.order = order;
  }

  draw(camera, { glide, blend, size, opacity }) {
    const { to, from, colourTo, colourFrom, canvas } = this;
    const { image, pixels, stride } = this.#cleared();
    if (to && colourTo && colourTo.length / 4 === to.length / 3) {
      const ratio = canvas.width / camera.width;
      const screen = camera.project(from === to || glide === 1 ? to : mix(from, to, glide));
      const isStill = colourFrom === colourTo || blend === 1;
      const colours = isStill ? colourTo : mix(colourFrom, colourTo, blend);
      this.#splat(pixels, stride, screen, colours, ratio, size * ratio, opacity, camera.eye);
      unmultiply(pixels);
    }
    this.context.putImageData(image, -LARGEST, -LARGEST);
  }

  destroy() {}

  // An empty image with a margin, so that no disc has to be cut at the edge.
  #cleared() {
    const [width, height] = [this.canvas.width + 2 * LARGEST, this.canvas.height + 2 * LARGEST];
    if (this.image?.width !== width || this.image?.height !== height) {
      this.image = new ImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.discs.clear(); // they are made for a width
    } else this.pixels.fill(0);
    return { image: this.image, pixels: this.pixels, stride: width };
  }

  // Each pixel is ABGR in 32 bits, multiplied by its opacity; two channels are blended at a time.
  #splat(pixels, stride, screen, colours, ratio, size, opacity, eye) {
    const { width, height } = this.canvas;
    const strength = Math.round(256 * opacity);
    const rgba = new Uint32Array(colours.buffer, colours.byteOffset, colours.length / 4);
    for (let drawn = 0; drawn < rgba.length; drawn++) {
      const i = this.order ? this.order[drawn] : drawn;
      const x = screen[3 * i] * ratio;
      const y = screen[3 * i + 1] * ratio;
      const colour = rgba[i];
      if (!(x > -2 && x < width + 2 && y > -2 && y < height + 2) || colour >>> 24 === 0) continue;
      const depth = screen[3 * i + 2];
      const w = 1 - depth / eye;
      const near = depth === 0 ? 1 : Math.min(Math.max(1.35 / w - 0.35, 0.25), 1);
      const alpha = ((colour >>> 24) * strength * near) >>> 8;
      const quarters = Math.min(Math.round((SIZES * size) / w), SIZES * (LARGEST - 4));
      const [column, row] = [Math.floor(x), Math.floor(y)];
      const disc = this.#disc(
        quarters,
        Math.floor((x - column) * FINE),
        Math.floor((y - row) * FINE),
        stride,
      );
      const { offsets, covers } = disc;
      const redBlue = colour & 0xff00ff;
      const green = (colour >>> 8) & 0xff;
      const at = (row + LARGEST) * stride + column + LARGEST;
      for (let j = 0; j < offsets.length; j++) {
        const a = (covers[j] * alpha) >>> 8;
        const rest = 256 - a;
        const under = pixels[at + offsets[j]];
        const rb = (Math.imul(redBlue, a) >>> 8) & 0xff00ff;
        const ag = (a << 16) | ((green * a) >>> 8);
        const underRb = (Math.imul(under & 0xff00ff, rest) >>> 8) & 0xff00ff;
        const underAg = (Math.imul((under >>> 8) & 0xff00ff, rest) >>> 8) & 0xff00ff;
        pixels[at + offsets[j]] = (rb + underRb) | ((ag + underAg) << 8);
      }
    }
  }

  // The pixels of a disc whose middle lies a fraction of a pixel right of and below a pixel's
  // corner: how far on in the image, and how much of each is covered, in 1/256.
  #disc(quarters, fineX, fineY, stride) {
    const key = (quarters * FINE + fineX) * FINE + fineY;
    const known = this.discs.get(key);
    if (known) return known;
    const radius = quarters / SIZES / 2;
    const [x, y] = [(fineX + 0.5) / FINE, (fineY + 0.5) / FINE];
    const reach = Math.ceil(radius + 1);
    const [offsets, covers] = [[], []];
    for (let row = -reach; row <= reach; row++)
      for (let column = -reach; column <= reach; column++) {
        const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
        const cover = Math.round(256 * Math.min(Math.max(radius - distance + 0.5, 0), 1));
        if (cover === 0) continue;
        offsets.push(row * stride + column);
        covers.push(cover);
      }
    const disc = { offsets: Int32Array.from(offsets), covers: Uint16Array.from(covers) };
    this.discs.set(key, disc);
    return disc;
  }
}

// Divide colours by their opacity: so the canvas takes them.
function unmultiply(pixels) {
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i];
    if (pixel === 0) continue;
    const alpha = pixel >>> 24;
    if (alpha === 255) continue;
    const by = 255 / alpha;
    const r = Math.min((pixel & 0xff) * by, 255);
    const g = Math.min(((pixel >>> 8) & 0xff) * by, 255);
    const b = Math.min(((pixel >>> 16) & 0xff) * by, 255);
    pixels[i] = (alpha << 24) | (b << 16) | (g << 8) | r;
  }
}
