// The two formulas, with the numbers that a step has just put into them.

import { asCss } from "../pieces/colours.js";
import { askedAt, frameOf, MANY } from "./board.js";
import { countOf, decimal, share } from "../pieces/words.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { make } from "../pieces/elements.js";
import { mixtureOf } from "../model/em.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const FIRST = 4; // components of a point that are listed

/** What stands beside the map: the E-step of a point, or the M-step of a component. */
export class Formulas {
  #element;
  #sample;
  #onComponent;

  /**
   * @param {HTMLElement} element
   * @param {Sample} sample
   * @param {(component: number) => void} onComponent  called with one that was chosen from the list
   */
  constructor(element, sample, onComponent) {
    this.#element = element;
    this.#sample = sample;
    this.#onComponent = onComponent;
  }

  /** @param {Board} board */
  show(board) {
    const { fit, half } = board;
    if (!fit || half === 0) return this.#element.replaceChildren(...this.#beginning(fit));
    this.#element.replaceChildren(
      ...(half % 2 ? this.#expectation(board) : this.#maximization(board)),
    );
  }

  #beginning(fit) {
    if (!fit) return [];
    const k = countOf(fit.nComponents, "cluster");
    const { nAxes, model } = this.#sample.projection;
    const seen =
      nAxes < model.dimension ? `, as ${nAxes} of ${model.dimension} dimensions show it` : "";
    const width = fit.nComponents > MANY ? "one standard deviation" : "two standard deviations";
    return [
      make("p", {}, `${k}, ${countOf(fit.nPoints, "image")}. Grey: no point has been asked yet.`),
      make("p", { class: "quiet" }, `An ellipse: ${width} of a cluster${seen}.`),
    ];
  }

  #expectation(board) {
    const { fit, half, point } = board;
    const frame = fit.frame(askedAt(half));
    const { responsibilities, logLikelihoods } = fit.expectation(askedAt(half), this.#sample.z);
    const shares = responsibilities.subarray(
      point * fit.nComponents,
      (point + 1) * fit.nComponents,
    );
    const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]).slice(0, FIRST);
    if (!order.includes(board.component)) order[order.length - 1] = board.component;
    const mixture = mixtureOf(frame);
    mixture.at(this.#sample.z, point); // sets the point whose density is asked below
    const density = (c) => mixture.logJoint(c, -Infinity) - Math.log(frame.weights[c]);
    const picture = makePicture("The chosen point, decoded");
    paint(picture, this.#sample.model.decode(this.#sample.latent(point)), inkRgb(this.#element));
    return [
      math(
        sub("r", "nk"),
        mo("="),
        fraction([sub("π", "k"), normal("k")], [over("∑", "j"), sub("π", "j"), normal("j")]),
      ),
      make("div", { class: "asked" }, picture, this.#shares(board, frame, shares, order, density)),
      make(
        "p",
        { class: "quiet" },
        `log p(z) = ${decimal(logLikelihoods[point], 2)} nats. Click another point.`,
      ),
    ];
  }

  #shares(board, frame, shares, order, density) {
    const rows = order.map((c) =>
      make(
        "tr",
        {
          "aria-selected": c === board.component ? "true" : null,
          onclick: () => this.#onComponent(c),
        },
        make("td", {}, swatch(board.colours[c]), nameOf(board, c)),
        make("td", {}, share(frame.weights[c], 1)),
        make("td", {}, "e", make("sup", {}, decimal(density(c), 1))),
        make("td", { class: "share" }, bar(shares[c], board.colours[c]), share(shares[c], 1)),
      ),
    );
    const head = ["cluster", "π", "𝒩", "r"].map((name) => make("th", {}, name));
    return make("table", {}, make("thead", {}, make("tr", {}, head)), make("tbody", {}, rows));
  }

  #maximization(board) {
    const { fit, half, component: k } = board;
    const { model } = this.#sample;
    const i = frameOf(half);
    const [before, after] = [fit.frame(i - 1), fit.frame(i)];
    const d = fit.dimension;
    const mean = (frame) => frame.means.subarray(k * d, (k + 1) * d);
    const moved = Math.hypot(...mean(after).map((value, j) => value - mean(before)[j]));
    const pictures = [before, after].map((frame) => {
      const picture = makePicture("");
      paint(picture, model.decode(mean(frame)), inkRgb(this.#element));
      return picture;
    });
    const begun = fit.begun(i);
    const count = after.weights[k] * fit.nPoints;
    const vector = Array.from(mean(after), (value) => decimal(value, 2)).join(", ");
    const spread = (frame) => this.#spread(frame, k);
    const said = begun.includes(k)
      ? `${nameOf(board, k)} had lost its points: it begins again at the one explained worst.`
      : begun.length
        ? `${begun.map((c) => nameOf(board, c)).join(", ")} had lost all points, and begins again.`
        : "";
    const row =
      (kind) =>
      (formula, ...numbers) =>
        make("div", { class: kind }, formula, make("span", {}, numbers));
    const [line, long] = [row("line"), row("long")];
    return [
      make(
        "p",
        { class: "whose" },
        swatch(board.colours[k]),
        make("b", {}, nameOf(board, k)),
        pictures[0],
        "→",
        pictures[1],
      ),
      line(
        math(sub("N", "k"), mo("="), over("∑", "n"), sub("r", "nk")),
        `${countOf(Number(count.toFixed(1)))} of ${countOf(fit.nPoints)}`,
      ),
      line(
        math(sub("π", "k"), mo("="), fraction([sub("N", "k")], [mi("N")])),
        `${share(after.weights[k], 2)}, was ${share(before.weights[k], 2)}`,
      ),
      long(
        math(
          sub("μ", "k"),
          mo("="),
          fraction([mn("1")], [sub("N", "k")]),
          over("∑", "n"),
          sub("r", "nk"),
          sub("z", "n"),
        ),
        `(${vector})`,
        make("small", {}, `moved by ${decimal(moved, 3)}`),
      ),
      long(
        math(
          sub("Σ", "k"),
          mo("="),
          fraction([mn("1")], [sub("N", "k")]),
          over("∑", "n"),
          sub("r", "nk"),
          centred(),
          power(centred(), "⊤"),
        ),
        `${spread(after)} wide on the map`,
        make("small", {}, `was ${spread(before)}`),
      ),
      said && make("p", { class: "note" }, said),
    ].filter(Boolean);
  }

  // Standard deviations along the ellipse's two axes on the map.
  #spread(frame, k) {
    const { xx, xy, yy } = this.#sample.projection.ellipse(k, frame);
    const gap = Math.hypot((xx - yy) / 2, xy);
    const root = (value) => decimal(Math.sqrt(Math.max(value, 0)), 3);
    const long = root((xx + yy) / 2 + gap);
    return this.#sample.projection.nAxes > 1 ? `${long} × ${root((xx + yy) / 2 - gap)}` : long;
  }
}

function nameOf(board, component) {
  const title = board.titleOf(component);
  return board.names[component] >= 0 ? `${title} (${component})` : title;
}

function swatch(colour) {
  return make("i", { class: "swatch", style: `background: ${asCss(colour)}` });
}

function bar(value, colour) {
  return make("i", {
    class: "bar",
    style: `width: ${3.5 * value}rem; background: ${asCss(colour)}`,
  });
}

function ml(tag, ...children) {
  const element = document.createElementNS(MATHML, tag);
  element.append(...children.flat(2));
  return element;
}

const mi = (text) => ml("mi", text);
const mo = (text) => ml("mo", text);
const mn = (text) => ml("mn", text);
const math = (...children) => {
  const element = ml("math", ...children);
  element.setAttribute("displaystyle", "true");
  return element;
};
const sub = (name, index) => ml("msub", mi(name), mi(index));
const fraction = (top, bottom) => ml("mfrac", ml("mrow", ...top), ml("mrow", ...bottom));
const over = (sign, index) => ml("msub", mo(sign), mi(index));
const power = (base, exponent) => ml("msup", base, mi(exponent));
const normal = (k) => [
  mi("𝒩"),
  ml("mrow", mo("("), sub("z", "n"), mo("|"), sub("μ", k), mo(","), sub("Σ", k), mo(")")),
];
const centred = () => ml("mrow", mo("("), sub("z", "n"), mo("−"), sub("μ", "k"), mo(")"));
