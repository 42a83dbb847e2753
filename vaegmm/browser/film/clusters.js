// The clusters of the joint stage: the starts that are tried for them, and what they decode to.

import { asCss } from "../pieces/colours.js";
import { coloursOf } from "./filmmap.js";
import { decimal } from "../pieces/words.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { make } from "../pieces/elements.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [300, 92];
const EDGE = 6;
const MOST_PICTURES = 40;

/** A dot a start, and a picture a component. */
export class Clusters {
  #parts;
  #pictures = [];
  #images = null;
  #labelNames = [];

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#parts = {
      title: make("h4"),
      dots: document.createElementNS(SVG, "svg"),
      means: make("ul", { class: "means" }),
      said: make("p", { class: "quiet" }),
    };
    this.#parts.dots.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.#parts.dots.setAttribute("role", "img");
    element.append(...Object.values(this.#parts));
  }

  /**
   * @param {object} frame  as filmframe.js opens it
   * @param {{header: object, frames: object[]}} film
   */
  show(frame, film) {
    const { header, componentImages, componentLabels } = frame;
    this.#labelNames = film.header.label_names;
    const tried = triedBy(header, film.frames);
    const all = film.frames.findLast(({ kind }) => kind === "start")?.starts ?? [];
    const { title, dots, said } = this.#parts;
    const isTrying = header.kind === "start";
    title.textContent = isTrying ? `Start ${tried.length} of the clusters` : "Clusters";
    dots.toggleAttribute("hidden", tried.length === 0);
    if (tried.length) this.#plot(tried, all);
    said.textContent = sentenceOf(header, tried, componentImages);
    this.#paint(componentImages, componentLabels);
  }

  /** Draw the pictures again, in the ink of the page. */
  paint() {
    const ink = inkRgb(this.#parts.means);
    this.#pictures.forEach((picture, k) => {
      paint(picture, this.#images.subarray(784 * k, 784 * (k + 1)), ink);
    });
  }

  #plot(tried, all) {
    const { dots } = this.#parts;
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const x = (i) => 2 * EDGE + ((WIDTH - 4 * EDGE) * i) / Math.max(all.length - 1, 1);
    const y = (value) =>
      HEIGHT - 2 * EDGE - ((HEIGHT - 4 * EDGE) * (value - low)) / (high - low || 1);
    let best = -Infinity;
    const way = [];
    const children = tried.map((value, i) => {
      if (i) way.push(`H${x(i)}`);
      if (value > best) way.push(i ? `V${y(value)}` : `M${x(i)} ${y(value)}`);
      best = Math.max(best, value);
      return part("circle", { cx: x(i), cy: y(value), r: 3.2 });
    });
    children[tried.indexOf(best)].setAttribute("class", "best");
    children[tried.length - 1].setAttribute("r", 4.4);
    dots.replaceChildren(part("path", { d: way.join("") }), ...children);
    const said = `${tried.length} starts; the best tells ${decimal(best, 3)} nats`;
    dots.setAttribute("aria-label", said);
  }

  #paint(images, labels) {
    if (images === this.#images) return;
    this.#images = images;
    const { means } = this.#parts;
    const n = Math.min((images?.length ?? 0) / 784, MOST_PICTURES);
    const colours = coloursOf(labels, images ? images.length / 784 : 0);
    if (this.#pictures.length !== n) {
      this.#pictures = Array.from({ length: n }, () => makePicture());
      means.replaceChildren(
        ...this.#pictures.map((picture) =>
          make("li", {}, picture, make("span", { class: "swatch" }), make("small")),
        ),
      );
    }
    this.paint();
    [...means.children].forEach((item, k) => {
      item.children[1].style.background = asCss(colours[k]);
      const label = labels?.[k] ?? -1;
      item.children[2].textContent = label >= 0 ? (this.#labelNames[label] ?? label) : "";
    });
  }
}

/** The starts tried by a frame: its own, or those that came before it. */
export function triedBy(header, frames) {
  if (header.kind === "start") return header.starts;
  return frames.slice(0, frames.indexOf(header) + 1).findLast(({ kind }) => kind === "start")?.starts ?? [];
}

function sentenceOf(header, tried, images) {
  if (header.kind === "start")
    return "Each dot is a start, the higher the more its clusters tell. Below: the best so far.";
  if (!images) return "They come later: first the latents are learned without them.";
  return tried.length ? `The best of ${tried.length} starts, trained on.` : "";
}

function part(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
