// The clusters of the joint stage: the starts that are tried for them, and what they decode to.

import { asCss } from "../pieces/colours.js";
import { coloursOf } from "./filmmap.js";
import { decimal } from "../pieces/words.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { make } from "../pieces/elements.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [320, 128];
const EDGE = 6;
const [OVER, UNDER] = [26, 16]; // what is left free above the dots, and below the axis
const MEANINGS = {
  information: "the higher its dot, the more its clusters say of an image.",
  likelihood: "the higher its dot, the better its clusters fit.",
};
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
   * @param {object[]} headers  of the frames up to it
   * @param {{header: object, frames: object[]}} film
   */
  show(frame, headers, film) {
    const { header, componentImages, componentLabels } = frame;
    this.#labelNames = film.header.label_names;
    const startsOf = (frames) => frames.findLast(({ kind }) => kind === "start")?.starts ?? [];
    const tried = startsOf(headers);
    const { title, dots, said } = this.#parts;
    title.textContent = "Clusters";
    dots.toggleAttribute("hidden", tried.length === 0);
    if (tried.length) this.#plot(tried, startsOf(film.frames));
    said.textContent = sentenceOf(header, tried, film.header);
    this.#paint(componentImages, componentLabels);
  }

  /** Draw the pictures again, in the ink of the page. */
  paint() {
    const ink = inkRgb(this.#parts.means);
    this.#pictures.forEach((picture, k) => {
      paint(picture, this.#images.subarray(784 * k, 784 * (k + 1)), ink);
    });
  }

  // The best so far is a line that rises; those that are still to come have their place.
  #plot(tried, all) {
    const { dots } = this.#parts;
    const [low, high] = [Math.min(...all.filter(isKnown)), Math.max(...all.filter(isKnown))];
    const [left, right, bottom] = [EDGE, WIDTH - EDGE, HEIGHT - UNDER];
    const x = (i) => left + EDGE + ((right - left - 2 * EDGE) * i) / Math.max(all.length - 1, 1);
    const y = (value) => bottom - EDGE - ((bottom - OVER) * (value - low)) / (high - low || 1);
    let best = -Infinity;
    const way = [];
    tried.forEach((value, i) => {
      if (!isKnown(value)) return;
      if (way.length) way.push(`H${x(i)}`);
      if (value > best) way.push(`${way.length ? "V" : `M${x(i)} `}${y(value)}`);
      best = Math.max(best, value);
    });
    const first = tried.indexOf(best);
    const dot = (value, i) => {
      const isBest = i === first;
      const look = { r: isBest ? 4 : 2.75, class: isBest ? "best" : "" };
      return isKnown(value) ? [part("circle", { cx: x(i), cy: y(value), ...look })] : [];
    };
    const told = `${decimal(best)} nats`;
    dots.replaceChildren(
      part("path", { d: `M${left} ${bottom}H${right}`, class: "axis" }),
      part("path", { d: way.join("") }),
      ...tried.flatMap(dot),
      text(left, HEIGHT - 3, "start 1", "start"),
      text(right, HEIGHT - 3, `${all.length}`, "end"),
      ...(first < 0 ? [] : [text(Math.min(x(first) + 8, right - 52), y(best) - 7, told, "start")]),
    );
    dots.setAttribute("aria-label", `${tried.length} starts; the best: ${told}`);
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

function sentenceOf({ kind, epoch, arrays }, tried, film) {
  const meaning = MEANINGS[film.starts_by] ?? MEANINGS.information;
  if (kind === "start") return `Start ${tried.length}: ${meaning} Pictures: the best one’s clusters.`;
  const first = film.epochs - film.joint_epochs + 1;
  if (!arrays.means && epoch < first) return `They come in epoch ${first}, once latents are learned.`;
  return tried.length ? `The best of ${tried.length} starts, trained on.` : "";
}

function isKnown(value) {
  return Number.isFinite(value);
}

function part(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function text(x, y, said, anchor) {
  return part("text", { x, y, "text-anchor": anchor }, said);
}
