// Two fits beside each other: what differs in likelihood, BIC and accuracy on all stored z, and
// which of them are called something else.

import { countOf, decimal, share } from "../pieces/words.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { make } from "../pieces/elements.js";
import { mixtureOf } from "../model/em.js";

const SLICE = 12; // milliseconds of work between two frames
const PAUSE = 250; // milliseconds after the last step before anything is counted
const MOST_PAIRS = 6;
const MOST_PICTURES = 5; // of a pair

export class Comparison {
  #element;
  #model;
  #truth;
  #labels = null; // what the model calls each stored z
  #onMoved;
  #round = 0;
  #timer = 0;

  /**
   * @param {HTMLElement} element
   * @param {Model} model
   * @param {Uint8Array | null} truth  true labels of all stored z
   * @param {(rows: number[]) => void} onMoved  called with stored z that a person wants to see
   */
  constructor(element, model, truth, onMoved) {
    this.#element = element;
    this.#model = model;
    this.#truth = truth;
    this.#onMoved = onMoved;
  }

  /** @param {{board: Board, number: number}[]} sides  number: iterations behind what is shown */
  show(sides) {
    const round = ++this.#round;
    clearTimeout(this.#timer);
    this.#element.setAttribute("aria-busy", "true"); // what it says is of another step
    this.#timer = setTimeout(() => this.#compare(sides, round), PAUSE);
  }

  destroy() {
    this.#round++;
    clearTimeout(this.#timer);
  }

  async #compare(sides, round) {
    const isOver = () => this.#round !== round;
    if (!this.#labels && this.#model.names) {
      const labels = new Int32Array(this.#model.latents.length);
      const isDone = await inSlices(labels.length, isOver, (first, end) =>
        labels.set(this.#model.scoreLatents(first, end).label, first),
      );
      if (!isDone) return;
      this.#labels = labels;
    }
    const measured = [];
    for (const side of sides) {
      const found = await this.#measure(side, isOver);
      if (!found) return;
      measured.push(found);
    }
    this.#element.setAttribute("aria-busy", "false");
    this.#draw(sides, measured);
  }

  async #measure({ board, frame }, isOver) {
    const { z, components: hints, length: n } = this.#model.latents;
    const mixture = mixtureOf(board.fit.frame(frame));
    const components = new Uint16Array(n);
    let sum = 0;
    const isDone = await inSlices(n, isOver, (first, end) => {
      for (let i = first; i < end; i++) {
        const at = mixture.at(z, i, hints[i] < mixture.nComponents ? hints[i] : 0);
        sum += at.logLikelihood;
        let best = 0;
        for (let c = 1; c < mixture.nComponents; c++)
          if (at.responsibilities[c] > at.responsibilities[best]) best = c;
        components[i] = best;
      }
    });
    if (!isDone) return null;
    const logLikelihood = sum / n;
    const called = this.#labels && this.#called(components, mixture.nComponents);
    const scored = this.#truth ?? this.#labels;
    let right = 0;
    if (called) for (let i = 0; i < n; i++) right += Number(called[i] === scored[i]);
    const bic = -2 * sum + board.fit.nParameters * Math.log(n);
    return { logLikelihood, bic, called, accuracy: called && right / n };
  }

  // A cluster is called what most of its points are called by the model.
  #called(components, k) {
    const nLabels = this.#model.labelNames.length;
    const counts = new Uint32Array(k * nLabels);
    components.forEach((c, i) => counts[c * nLabels + this.#labels[i]]++);
    const names = Int32Array.from({ length: k }, (_, c) => {
      const row = counts.subarray(c * nLabels, (c + 1) * nLabels);
      return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
    });
    return Int32Array.from(components, (c) => names[c]);
  }

  #draw(sides, measured) {
    const [a, b] = measured;
    const said = this.#truth ? "read rightly" : "as the model reads";
    const rows = [
      [
        "clusters",
        ...sides.map(({ board }) => `${board.fit.nComponents} ${board.fit.covarianceType}`),
        "",
      ],
      ["iteration", ...sides.map(({ board, frame }) => String(board.fit.number(frame))), ""],
      line("log-likelihood", a.logLikelihood, b.logLikelihood, (value) => decimal(value, 4)),
      line("BIC, less is better", a.bic, b.bic, (value) => signed(value)),
      ...(a.called ? [line(said, a.accuracy, b.accuracy, (value) => signedShare(value))] : []),
    ];
    const n = countOf(this.#model.latents.length);
    this.#element.replaceChildren(
      make(
        "table",
        {},
        make("caption", {}, `On all ${n} stored images`),
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            ["", "A", "B", "B − A"].map((name) => make("th", {}, name)),
          ),
        ),
        make(
          "tbody",
          {},
          rows.map((row) =>
            make(
              "tr",
              {},
              row.map((cell) => make("td", {}, cell)),
            ),
          ),
        ),
      ),
      ...(a.called ? this.#moved(a.called, b.called) : []),
    );
  }

  #moved(before, after) {
    const pairs = new Map();
    let total = 0;
    for (let i = 0; i < before.length; i++) {
      if (before[i] === after[i]) continue;
      total++;
      const key = `${before[i]} ${after[i]}`;
      if (!pairs.has(key)) pairs.set(key, []);
      pairs.get(key).push(i);
    }
    if (!total) return [make("p", {}, "No image is called anything else.")];
    const names = this.#model.labelNames;
    const listed = [...pairs].sort((x, y) => y[1].length - x[1].length).slice(0, MOST_PAIRS);
    const items = listed.map(([key, members]) => {
      const [from, to] = key.split(" ").map(Number);
      const pictures = members.slice(0, MOST_PICTURES).map((row) => this.#picture(row));
      return make(
        "button",
        { type: "button", class: "moved", onclick: () => this.#onMoved(members) },
        make("b", {}, `${names[from]} → ${names[to]}`),
        make("span", {}, countOf(members.length)),
        pictures,
      );
    });
    return [make("p", {}, `${countOf(total, "image")} called otherwise in B than in A:`), ...items];
  }

  #picture(row) {
    const { latents, dimension: d } = this.#model;
    const picture = makePicture("");
    const image = this.#model.decode(latents.z.subarray(row * d, (row + 1) * d));
    paint(picture, image, inkRgb(this.#element));
    return picture;
  }
}

/** Do work for all of n rows, some at a time; false if it was broken off. */
async function inSlices(n, isOver, work) {
  const most = 1000;
  let started = performance.now();
  for (let first = 0; first < n; first += most) {
    work(first, Math.min(first + most, n));
    if (performance.now() - started < SLICE) continue;
    await new Promise((resolve) => setTimeout(resolve));
    if (isOver()) return false;
    started = performance.now();
  }
  return !isOver();
}

function line(name, a, b, say) {
  const difference = say(b - a);
  return [name, say(a), say(b), b > a ? `+${difference}` : difference];
}

function signed(value) {
  return value < 0 ? `−${countOf(Math.round(-value))}` : countOf(Math.round(value));
}

function signedShare(value) {
  return value < 0 ? `−${share(-value)}` : share(value);
}
