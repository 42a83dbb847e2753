// The inspector: all that the model says of the pinned point, or of a place in the latent space.

import { make, makeButton } from "../pieces/elements.js";
import { asCss, colourOf, componentColours } from "../pieces/colours.js";
import { LatentSliders } from "./latentsliders.js";
import { describe, makePicture, paint } from "../pieces/pictures.js";
import { leading } from "../model/scores.js";
import { componentTitle, countOf, decimal, labelTitle, share } from "../pieces/words.js";

const N_NEIGHBOURS = 8;
const MOST_BARS = 5;
const LEAST_BAR = 0.0005; // a share that is said as 0.0 % has no bar

/** It tells `onPin(place)`, `onMove(z, isDone)`, `onEnd("a" | "b")`, `onLetGo()` and, where somebody
 * listens, `onCluster(component)`. */
export class Inspector {
  element;
  onPin = null;
  onMove = null;
  onEnd = null;
  onLetGo = null;
  onCluster = null;
  #space;
  #title = make("h3");
  #what = make("p", { class: "what" });
  #image = makePicture();
  #copy = makePicture();
  #imageTitle = make("figcaption");
  #copyTitle = make("figcaption");
  #imageFigure = make("figure", {}, this.#image, this.#imageTitle);
  #facts = make("p", { class: "facts" });
  #labels = make("div", { class: "bars" });
  #clusters = make("div", { class: "bars" });
  #neighbours = make("div", { class: "grid neighbours" });
  #sliders;

  constructor(space) {
    this.#space = space;
    this.#sliders = new LatentSliders(space.model);
    this.#sliders.onMove = (z, isDone) => this.onMove?.(z, isDone);
    const ends = ["a", "b"].map((end) =>
      makeButton(`as ${end.toUpperCase()}`, () => this.onEnd?.(end), {
        ...{ class: "end", title: `Pin as ${end.toUpperCase()}: an end of a way` },
        "aria-label": `Pin as ${end.toUpperCase()}`,
      }),
    );
    const away = makeButton("×", () => this.onLetGo?.(), {
      ...{ class: "away", title: "Let go (Escape)", "aria-label": "Let go" },
    });
    const section = (title, ...children) => make("section", {}, make("h4", {}, title), ...children);
    this.element = make(
      "div",
      { class: "inspector" },
      make("header", {}, make("div", {}, this.#title, this.#what), ...ends, away),
      make(
        "div",
        { class: "copies" },
        this.#imageFigure,
        make("figure", {}, this.#copy, this.#copyTitle),
        this.#labels,
      ),
      this.#facts,
      section("Latents, and a walk: drag any of them", this.#sliders.element),
      section("Clusters", this.#clusters),
      section("Nearest images, in all dimensions", this.#neighbours),
    );
  }

  /**
   * @param {number | number[]} place  a stored z by its index, or a place in the latent space
   * @returns {Uint32Array}  the nearest stored z
   */
  show(place) {
    const { model, zOf, reading } = this.#space;
    const z = zOf(place);
    const read = reading(z);
    this.#sayWhat(place, read);
    this.#showImages(place, z, read);
    this.#showBars(read);
    this.#sliders.show(z);
    return this.#showNeighbours(place, model.nearest(z, N_NEIGHBOURS + 1));
  }

  /** Show the images of a place again: the training image may have come by now. */
  refresh(place) {
    const z = this.#space.zOf(place);
    this.#showImages(place, z, this.#space.reading(z));
  }

  #sayWhat(place, { component, label }) {
    const { model, truth, scores, palette, noun } = this.#space;
    const isPoint = typeof place === "number";
    const isNamed = label >= 0;
    const colours = componentColours(model.componentNames, palette);
    const colour = isNamed ? colourOf(label, palette) : colours[component];
    this.#title.replaceChildren(
      make("i", { class: "dot", style: `background: ${asCss(colour)}` }),
      isNamed ? labelTitle(model, label) : `cluster ${component}`,
    );
    const parts = ["a place between images"];
    if (isPoint) parts[0] = `image ${countOf(model.latents.row(place))}`;
    if (isNamed) parts.push(this.#clusterLink(component, `cluster ${component}`));
    if (isPoint && truth && isNamed && truth[place] !== scores.label[place])
      parts.push(`misread: the ${noun} is ${labelTitle(model, truth[place])}`);
    this.#what.replaceChildren(...parts.flatMap((part, i) => (i ? [" · ", part] : [part])));
  }

  // A cluster's name, which opens its card where there is a page of cards.
  #clusterLink(component, text) {
    if (!this.onCluster) return text;
    const title = "Open the card of this cluster";
    return makeButton(text, () => this.onCluster(component), { class: "quiet", title });
  }

  #showImages(place, z, { logLikelihood, rank }) {
    const { model, imageOf, ink, sheets } = this.#space;
    const rgb = ink();
    const copy = model.decode(z);
    paint(this.#copy, copy, rgb);
    const image = typeof place === "number" ? imageOf(place) : null;
    const isThere = image !== null && !image.isDecoded;
    this.#imageFigure.hidden = !isThere;
    const facts = [`log p(z) = ${decimal(logLikelihood)} nats`];
    if (isThere) {
      const { pixels } = image;
      paint(this.#image, pixels, rgb);
      const [nats] = model.crossEntropy(z, pixels);
      const [typicality] = model.look(pixels).typicality;
      this.#imageTitle.textContent = "image";
      this.#copyTitle.textContent = "its copy";
      facts.unshift(`${decimal(nats, 1)} nats: how far the copy is from the image`);
      facts.push(`more typical than ${share(typicality)} of the training images`);
    } else {
      this.#copyTitle.textContent = "decoded";
      facts.push(`likelier than ${share(rank)} of the training images`);
      if (typeof place === "number" && !sheets) facts.push("its image is not here: decoded");
    }
    describe(this.#image, "the training image");
    describe(this.#copy, isThere ? "its reconstruction" : "decoded");
    this.#facts.replaceChildren(...facts.map((fact) => make("span", {}, fact)));
  }

  #showBars({ probabilities, responsibilities }) {
    const { model, palette } = this.#space;
    this.#labels.hidden = probabilities === null;
    if (probabilities)
      this.#labels.replaceChildren(
        ...bars(probabilities, (c) => labelTitle(model, c), (c) => colourOf(c, palette)),
      );
    const colours = componentColours(model.componentNames, palette);
    this.#clusters.replaceChildren(
      ...bars(
        responsibilities,
        (k) => this.#clusterLink(k, componentTitle(model, k)),
        (k) => colours[k],
      ),
    );
  }

  #showNeighbours(place, { indices, distances }) {
    const others = Array.from(indices, (index, i) => ({ index, distance: distances[i] }))
      .filter(({ index }) => index !== place)
      .slice(0, N_NEIGHBOURS);
    this.#neighbours.replaceChildren(
      ...others.map(({ index, distance }) =>
        tile(this.#space, index, () => this.onPin?.(index), decimal(distance)),
      ),
    );
    return Uint32Array.from(others, ({ index }) => index);
  }
}

/** An image of a stored z that opens it. */
export function tile(space, index, onclick, caption = "") {
  const { model, imageOf, ink } = space;
  const picture = makePicture();
  picture.dataset.index = index;
  paint(picture, imageOf(index).pixels, ink());
  const { latents } = model;
  const name = componentTitle(model, latents.components[index]);
  const title = `image ${countOf(latents.row(index))}: ${name}`;
  const button = makeButton("", onclick, { class: "tile", title, "aria-label": title });
  button.replaceChildren(picture);
  if (caption) button.append(make("small", {}, caption));
  return button;
}

/** Bars of shares, the greatest first; name(i) is a text or a node. */
export function bars(values, name, colour, most = MOST_BARS) {
  return leading(values, most)
    .filter((i, rank) => rank === 0 || values[i] >= LEAST_BAR)
    .map((i) =>
      make(
        "div",
        { class: "bar" },
        make("span", { class: "of" }, name(i)),
        make(
          "span",
          { class: "track" },
          make("i", { style: `width: ${100 * values[i]}%; background: ${asCss(colour(i))}` }),
        ),
        make("output", {}, share(values[i])),
      ),
    );
}
