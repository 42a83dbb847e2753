// Draws what lies on the points: ellipses, a trail, rings, texts, and the outline being drawn.
// It is given data and a camera; colours and font are those of the page around it.

import { placeLabels } from "./labels.js";

const LABEL = 20; // pixels of a text at the map's usual size
const SMALL_MAP = 480; // pixels; on a narrower map texts are smaller
const LEAST_ARROW = 3; // pixels; a shorter way is not seen

/** A drawing on a transparent canvas over the points. */
export class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  /**
   * @param {Camera} camera
   * @param {object} scene  what the map was given, places in data coordinates (`Array`s of x, y, z)
   * @param {{ink: string, paper: string, accent: string, font: string}} theme
   */
  draw(camera, scene, theme) {
    const { context, canvas } = this;
    const ratio = canvas.width / camera.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    context.lineJoin = context.lineCap = "round";
    for (const ellipse of scene.ellipses) this.#ellipse(camera, ellipse, theme);
    if (scene.trail.length) this.#trail(camera, scene.trail, theme);
    this.#labels(camera, scene.labels, theme);
    for (const place of scene.neighbours) this.#ring(camera, place, scene.size / 2 + 3, theme, 1.5);
    if (scene.hovered) this.#ring(camera, scene.hovered, scene.size / 2 + 4, theme, 1.5);
    if (scene.pinned) this.#pin(camera, scene.pinned, scene.size / 2 + 5, theme);
    for (const place of scene.places) this.#place(camera, place, theme);
    if (scene.trace) this.#trace(scene.trace, theme);
  }

  #ellipse(camera, ellipse, theme) {
    const { at, covariance, radius, colour, isStrong, isMovable, isFaint, from } = ellipse;
    const { context } = this;
    const [x, y, depth] = camera.project(at);
    if (Number.isNaN(x)) return;
    const [xx, xy, yy] = camera.projectCovariance(covariance, depth);
    // Half axes are the roots of the eigenvalues of the 2 by 2 matrix.
    const middle = (xx + yy) / 2;
    const gap = Math.hypot((xx - yy) / 2, xy);
    const half = (eigenvalue) => radius * Math.sqrt(Math.max(eigenvalue, 0));
    const [long, short] = [half(middle + gap), half(middle - gap)];
    context.beginPath();
    context.ellipse(x, y, long, short, Math.atan2(2 * xy, xx - yy) / 2, 0, 2 * Math.PI);
    if (isFaint) this.#line(colour ?? theme.ink, 1, 0.45);
    else {
      const width = isStrong ? 2.25 : 1.25;
      this.#line(theme.paper, width + 1.5, 0.55);
      this.#line(colour ?? theme.ink, width, 0.95);
    }
    if (from) {
      const [fromX, fromY] = camera.project([from[0], from[1], from[2] ?? 0]);
      this.#arrow(fromX, fromY, x, y, theme, isFaint);
    }
    if (isMovable) this.#disc(x, y, 5.5, colour ?? theme.ink, theme.paper);
  }

  // To a mean, from where it was: it grows as the mean glides there.
  #arrow(fromX, fromY, x, y, theme, isFaint) {
    const length = Math.hypot(x - fromX, y - fromY);
    if (length < LEAST_ARROW) return;
    const { context } = this;
    const head = Math.min(isFaint ? 5 : 9, 0.6 * length);
    const turn = Math.atan2(y - fromY, x - fromX);
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(x, y);
    for (const side of [0.45, -0.45]) {
      context.moveTo(x, y);
      context.lineTo(x - head * Math.cos(turn + side), y - head * Math.sin(turn + side));
    }
    if (!isFaint) this.#line(theme.paper, 5, 0.8);
    this.#line(theme.ink, isFaint ? 1 : 2.25, isFaint ? 0.6 : 1);
  }

  #trail(camera, trail, theme) {
    const { context } = this;
    const screen = camera.project(trail);
    const n = screen.length / 3;
    const way = (from) => {
      context.beginPath();
      for (let i = from; i < n; i++) context.lineTo(screen[3 * i], screen[3 * i + 1]);
    };
    way(0);
    this.#line(theme.paper, 5, 0.8);
    // What is past fades: pieces of it are drawn with rising opacity.
    for (let i = 1; i < n; i++) {
      context.beginPath();
      context.moveTo(screen[3 * i - 3], screen[3 * i - 2]);
      context.lineTo(screen[3 * i], screen[3 * i + 1]);
      this.#line(theme.accent, 2, 0.3 + (0.7 * i) / (n - 1));
    }
    this.#disc(screen[3 * n - 3], screen[3 * n - 2], 4.5, theme.accent, theme.paper);
  }

  #labels(camera, labels, theme) {
    const { context } = this;
    const size = Math.min(camera.width, camera.height) < SMALL_MAP ? 0.75 * LABEL : LABEL;
    context.font = `650 ${size}px ${theme.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const boxes = labels.map(({ at, text }) => {
      const [x, y] = camera.project(at);
      return { x, y, width: context.measureText(text).width + 6, height: size + 3 };
    });
    const middles = placeLabels(boxes);
    labels.forEach(({ text, colour }, i) => {
      if (!middles[i]) return;
      const { x, y } = middles[i];
      // Two halos: a wide faint one calms the points around, a firm one carries the letters.
      for (const [width, alpha] of [
        [9, 0.35],
        [4.5, 0.9],
      ]) {
        context.globalAlpha = alpha;
        context.strokeStyle = theme.paper;
        context.lineWidth = width;
        context.strokeText(text, x, y);
      }
      context.globalAlpha = 1;
      context.fillStyle = colour ?? theme.ink;
      context.fillText(text, x, y);
    });
  }

  #ring(camera, at, radius, theme, width) {
    const [x, y] = camera.project(at);
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.#line(theme.paper, width + 2.5, 0.85);
    this.#line(theme.ink, width, 1);
  }

  #pin(camera, at, radius, theme) {
    const [x, y] = camera.project(at);
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.#line(theme.paper, 6, 0.95);
    this.#line(theme.accent, 2.75, 1);
  }

  #place(camera, { at, colour, text }, theme) {
    const { context } = this;
    const [x, y] = camera.project(at);
    this.#disc(x, y, text ? 9 : 5.5, colour ?? theme.accent, theme.paper);
    if (!text) return;
    context.font = `650 11px ${theme.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = theme.paper;
    context.fillText(text, x, y + 0.5);
  }

  #trace(trace, theme) {
    const { context } = this;
    context.beginPath();
    for (let at = 0; at < trace.length; at += 2) context.lineTo(trace[at], trace[at + 1]);
    context.closePath();
    context.globalAlpha = 0.1;
    context.fillStyle = theme.accent;
    context.fill("evenodd");
    this.#line(theme.paper, 3.5, 0.7);
    this.#line(theme.accent, 1.5, 1);
  }

  #disc(x, y, radius, colour, edge) {
    const { context } = this;
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    this.#line(edge, 2, 1);
  }

  #line(colour, width, alpha) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
    context.globalAlpha = 1;
  }
}

/**
 * Draw images behind the points.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Camera} camera
 * @param {{image: CanvasImageSource, left: number, right: number, bottom: number, top: number}[]}
 *   images  and where in the data they lie
 */
export function drawBackdrop(context, camera, images) {
  const ratio = context.canvas.width / camera.width;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, camera.width, camera.height);
  context.imageSmoothingEnabled = true;
  for (const { image, left, right, bottom, top } of images) {
    const [x, y, , toX, toY] = camera.project([left, top, 0, right, bottom, 0]);
    context.drawImage(image, x, y, toX - x, toY - y);
  }
}
