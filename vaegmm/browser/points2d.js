// Draws points on a plain canvas, where the browser has no WebGL 2. It looks as `WebGLPoints` does,
// from nearer: squares for discs, and fewer of them.

import { mix } from "./motion.js";

export class CanvasPoints {
  static capacity = 20000;

  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.order = null;
  }

  restore() {}

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
    const { context, canvas, to, from, colourTo, colourFrom, order } = this;
    const ratio = canvas.width / camera.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    if (!to || !colourTo) return;
    const points = from === to || glide === 1 ? to : mix(from, to, glide);
    const screen = camera.project(points);
    const n = to.length / 3;
    for (let drawn = 0; drawn < n; drawn++) {
      const i = order ? order[drawn] : drawn;
      const [x, y] = [screen[3 * i], screen[3 * i + 1]];
      if (!(x > -size && x < camera.width + size && y > -size && y < camera.height + size)) continue;
      const at = 4 * i;
      const channel = (c) => colourFrom[at + c] + (colourTo[at + c] - colourFrom[at + c]) * blend;
      const alpha = (channel(3) / 255) * opacity;
      if (alpha === 0) continue;
      context.fillStyle = `rgba(${channel(0)},${channel(1)},${channel(2)},${alpha})`;
      context.fillRect(x - size / 2, y - size / 2, size, size);
    }
  }

  destroy() {}
}
