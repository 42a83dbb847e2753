// The first screen: one digit on its way through the model, all of it to be touched.

import { createBars, createClusters, createVerdict, winnerOf } from "../pieces/answer.js";
import { make, makeButton } from "../pieces/elements.js";
import { typicalImages } from "./examples.js";
import { activationsOf, Flow, layersOf } from "./flow.js";
import { Glide } from "../map/motion.js";
import { createPad } from "../pieces/pad.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { createPlaceMap } from "../pieces/placemap.js";
import { readPlace, readStrokes, readViews } from "../model/reading.js";
import { createSliders } from "./sliders.js";
import { nounOf } from "../pieces/words.js";

const WAY = 480; // milliseconds of a digit's way through the model
const ENCODED = 0.4; // of that the encoder takes
const NUMBERS = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];

/**
 * Make the overview in an element, which sets its width. overview.css and pieces.css belong to it,
 * and the properties `--ink`, `--paper`, `--field`, `--line`, `--quiet` and `--accent` colour it.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {{name: string, label: number, images: Uint8Array[]}[]} [options.examples]  digits to
 *   begin with; left out, those that the model decodes from the middles of its clusters
 * @param {number[][][]} [options.strokes]  on the pad from the beginning
 * @param {ArrayLike<number> | null} [options.z]  where to begin, (D,)
 * @param {(strokes: number[][][]) => void} [options.onStrokes]  called at the end of each stroke
 * @param {(z: Float32Array) => void} [options.onPlace]  called when z has come to rest
 * @returns {Overview}
 */
export function createOverview(element, options) {
  return new Overview(element, options);
}

class Overview {
  #model;
  #root;
  #parts;
  #act;
  #examples;
  #turns; // how often each example was asked for
  #said = null; // what the model says of the image, as readViews does
  #z;
  #isByHand = false; // z is where a hand has put it, and not the image's
  #lit = ""; // the colour of what the model reads
  #glide = new Glide();
  #from;
  #frame = 0;

  constructor(element, options) {
    const { model, examples, strokes = [], z = null, onStrokes, onPlace } = options;
    this.#model = model;
    this.#act = { onStrokes, onPlace };
    this.#examples = examples ?? typicalImages(model);
    this.#turns = this.#examples.map(() => 0);
    this.#root = make("div", { class: "overview pieces" });
    element.append(this.#root);
    this.#parts = this.#build(strokes);
    this.#root.addEventListener("transitionend", (event) => {
      if (event.target === this.#root) this.#recolour(); // the theme has changed
    });
    this.#z = Float32Array.from(model.pca.mean);
    if (strokes.length) this.#read(strokes);
    if (!this.#said && this.#examples.length) this.#begin();
    if (z && z.length === model.dimension && z.every(Number.isFinite)) this.place(z);
    this.#recolour();
  }

  /** Where in the latent space the sliders stand, (D,). */
  get z() {
    return this.#z;
  }

  /** Put z elsewhere, as a hand does. */
  place(z, isJump = true) {
    this.#stop();
    this.#isByHand = true;
    if (isJump) this.#travel(Float32Array.from(z));
    else {
      this.#z = Float32Array.from(z);
      this.#show();
      this.#settle();
    }
  }

  /** Take the overview out of the page; it cannot be used afterwards. */
  destroy() {
    this.#stop();
    const { pad, map, encoder, decoder } = this.#parts;
    for (const part of [pad, map, encoder, decoder]) part.destroy();
    this.#root.remove();
  }

  #build(strokes) {
    const model = this.#model;
    const d = model.dimension;
    const areDigits = model.names && nounOf(model) === "digit";
    const [subject, one] = areDigits ? ["digit", "a digit"] : ["image", "an image"];
    const numbers = d === 1 ? "1 number" : `${d} numbers`;
    const note = `Painted from ${d === 1 ? "this number" : `these ${numbers}`} alone.`;
    const area = (name, title, ...children) =>
      make("section", { class: name }, title && make("h3", {}, title), ...children);

    const buttons = this.#examples.map((example, i) => {
      const picture = makePicture();
      const name = make("span", {}, example.name);
      const title = `${example.name}: press again for another one`;
      const button = makeButton("", () => this.#choose(i), { title, "aria-label": example.name });
      button.append(picture, name);
      return { button, picture };
    });
    const backdrop = makePicture();
    const sees = makePicture("What the model sees");
    sees.title = "What the model sees";
    sees.classList.add("sees");
    const [input, latents, places] = ["sheet-of", "rows", "map-of"].map((name) =>
      make("div", { class: name }),
    );
    const back = makeButton("↺ back", () => this.#goBack(), { class: "back" });
    back.title = "Back to the image's own numbers";
    const output = makePicture("What the decoder makes of these numbers");
    const verdict = make("div");
    const [answer, members] = [make("div"), make("div")];
    const boxes = ["encoder", "decoder"].map(() => make("div", { class: "flow" }));

    this.#root.append(
      greetingOf(d, subject, one),
      make(
        "div",
        {
          ...{ class: "examples", role: "group", "aria-label": "Examples" },
          "data-short": this.#examples.every(({ name }) => name.length <= 2),
        },
        buttons.map(({ button }) => button),
      ),
      make(
        "div",
        { class: "layout" },
        area("input", `Draw ${one}`, input),
        area("encoder", "Encoder", boxes[0]),
        area("latents", `${numbers} · drag`, latents, back),
        area("decoder", "Decoder", boxes[1]),
        area("output", "What comes out", output, make("p", { class: "note" }, note)),
        area("sure", "", verdict),
        area("within", "Clusters it falls into", members),
        model.names && area("answer", `p(${subject === "digit" ? subject : "label"})`, answer),
        area("map", "", places),
      ),
    );
    back.hidden = true;

    const pad = createPad(input, {
      ...{ strokes, backdrop, label: `Pad: draw ${one}`, hint: "Draw here", hasWidth: false },
      onMove: (drawn) => this.#read(drawn),
      onEnd: (drawn) => {
        if (drawn.length) this.#read(drawn);
        else if (this.#examples.length) this.#begin();
        this.#act.onStrokes?.(drawn);
        this.#settle();
      },
    });
    input.append(sees);
    const flow = (i, part, fanned, label) =>
      new Flow(boxes[i], { ...layersOf(model.network, part), fanned, label });
    return {
      buttons,
      ...{ backdrop, sees, back, output, pad },
      encoder: flow(0, "encoder", "last", "The encoder's layers, each smaller than the one before"),
      decoder: flow(1, "decoder", "first", "The decoder's layers, each larger than the one before"),
      sliders: createSliders(latents, {
        model,
        onInput: (axis, value) =>
          this.place(
            this.#z.map((old, i) => (i === axis ? value : old)),
            false,
          ),
      }),
      verdict: createVerdict(verdict, { model }),
      bars: model.names && createBars(answer, { model }),
      clusters: createClusters(members, {
        model,
        onCluster: (k) => this.place(model.means.subarray(k * d, (k + 1) * d)),
      }),
      map: createPlaceMap(places, { model, onPlace: (place) => this.place(place) }),
    };
  }

  // Begin with the first example, without a motion.
  #begin() {
    this.#see(this.#examples[0].images[0]);
    this.#turns[0] = 1;
    this.#z = this.#said.z;
    this.#show(true);
  }

  #choose(i) {
    const { images } = this.#examples[i];
    const image = images[this.#turns[i]++ % images.length];
    this.#parts.pad.strokes = [];
    this.#see(image);
    this.#act.onStrokes?.([]);
    this.#travel(this.#said.z, true);
  }

  #goBack() {
    this.#isByHand = false;
    this.#travel(this.#said.z);
  }

  #see(image) {
    this.#stop();
    this.#said = readViews(this.#model, image);
    this.#isByHand = false;
    this.#encode();
  }

  #read(strokes) {
    let said;
    try {
      said = readStrokes(this.#model, strokes);
    } catch {
      return; // a dot is no drawing yet
    }
    this.#stop();
    const isStart = this.#isByHand || strokes.length === 1;
    this.#said = said;
    this.#isByHand = false;
    this.#encode();
    this.#z = said.z;
    this.#show(isStart && strokes.at(-1).length < 3);
  }

  // What the encoder makes of the image.
  #encode() {
    const pixels = Float64Array.from(this.#said.image, (value) => value / 255);
    this.#parts.encoded = activationsOf(this.#model.network, "encoder", pixels);
    this.#parts.encoder.show(this.#parts.encoded);
    this.#drawInput();
  }

  #travel(goal, hasImage = false) {
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#from = this.#z;
    this.#glide.start(performance.now(), isStill ? 0 : WAY);
    const step = () => {
      const now = performance.now();
      const share = this.#glide.share(now);
      if (hasImage) this.#parts.encoder.advance(Math.min(share / ENCODED, 1));
      const gone = hasImage ? Math.max((share - ENCODED) / (1 - ENCODED), 0) : share;
      this.#z = this.#from.map((value, i) => value + (goal[i] - value) * gone);
      if (share === 1) this.#z = Float32Array.from(goal);
      this.#show();
      this.#frame = share < 1 ? requestAnimationFrame(step) : 0;
      if (share === 1) this.#settle();
    };
    step();
  }

  #stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#glide.stop();
  }

  #settle() {
    this.#act.onPlace?.(this.#z);
  }

  #show(isStart = false) {
    const { sliders, verdict, bars, clusters, map, decoder, output, back } = this.#parts;
    const isImages = !this.#isByHand && this.#frame === 0 && this.#said !== null;
    const said = isImages ? this.#said : readPlace(this.#model, this.#z);
    this.#root.toggleAttribute("data-by-hand", this.#isByHand);
    back.hidden = !this.#isByHand || !this.#said;
    const [, , lit] = winnerOf(this.#model, said);
    if (lit !== this.#lit) {
      this.#lit = lit;
      this.#root.style.setProperty("--lit", lit);
      this.#parts.encoder.draw();
    }
    sliders.show(this.#z, isImages ? this.#said.std : null);
    verdict.show(said);
    bars?.show(said);
    clusters.show(said, this.#ink);
    map.show(this.#z, isStart);
    const decoded = activationsOf(this.#model.network, "decoder", Float64Array.from(this.#z));
    decoder.show(decoded);
    paint(output, decoded.at(-1), this.#ink);
  }

  get #ink() {
    return (this.#parts.ink ??= inkRgb(this.#root));
  }

  #drawInput() {
    const { sees, backdrop } = this.#parts;
    paint(sees, this.#said.image, this.#ink);
    paint(backdrop, this.#said.image, this.#ink);
  }

  #recolour() {
    this.#parts.ink = inkRgb(this.#root);
    this.#examples.forEach(({ images }, i) =>
      paint(this.#parts.buttons[i].picture, images[0], this.#ink),
    );
    if (this.#said) {
      this.#drawInput();
      this.#parts.encoder.draw();
    }
    this.#show();
  }
}

function greetingOf(d, subject, one) {
  const numbers = d === 1 ? "number is" : "numbers are";
  return make(
    "header",
    {},
    make("h2", {}, `${NUMBERS[d] ?? d} ${numbers} enough for ${one}.`),
    make(
      "p",
      {},
      `The encoder squeezes 784 pixels into ${d === 1 ? "1 number" : `${d} numbers`}; the decoder `,
      `paints the ${subject} from ${d === 1 ? "that" : "those"} alone. Nobody told it what it `,
      "looks at: the clusters are its own idea. ",
      make("b", {}, `Pick one, draw one, or drag ${d === 1 ? "the" : "a"} number.`),
    ),
  );
}
