// What stands beside the pointer: the image of the point, or of the place, and what it is.

import { make } from "../pieces/elements.js";
import { makePicture, paint } from "../pieces/pictures.js";
import { leading } from "../model/scores.js";
import { componentTitle, labelTitle, share } from "../pieces/words.js";

const MOST_SAID = 3; // probabilities
const LEAST_SAID = 0.001; // a share below it is not worth a line
const FAR = 0.001; // of the training images are less likely: what is read there means nothing

/** A card in the map's tooltip. */
export class HoverCard {
  #space;
  #picture = makePicture();
  #title = make("strong");
  #said = make("span", { class: "said-of" });
  #source = make("span", { class: "source" });

  constructor(map, space) {
    this.#space = space;
    const words = make("div", { class: "words" }, this.#title, this.#said, this.#source);
    map.tooltip.append(make("div", { class: "card" }, this.#picture, words));
  }

  /** @param {{index: number, place: number[]}} hit  as the map tells it */
  show({ index, place }) {
    const { model, projection, through, zOf, imageOf, reading, ink } = this.#space;
    const isPoint = index >= 0;
    const z = isPoint ? zOf(index) : projection.unproject(place, through());
    const shown = isPoint ? imageOf(index) : { pixels: model.decode(z), isDecoded: true };
    paint(this.#picture, shown.pixels, ink());
    const { responsibilities, component, probabilities, label, rank } = reading(z);
    const isNamed = probabilities !== null;
    const values = isNamed ? probabilities : responsibilities;
    const name = (i) => (isNamed ? labelTitle(model, i) : componentTitle(model, i));
    const isFar = !isPoint && rank < FAR;
    if (isPoint) this.#title.textContent = componentTitle(model, component);
    else if (isFar) this.#title.textContent = "far from all images";
    else this.#title.textContent = isNamed ? `here: ${labelTitle(model, label)}` : "here";
    const said = leading(values, MOST_SAID)
      .filter((i, place) => place === 0 || values[i] >= LEAST_SAID)
      .map((i) => make("span", {}, `${name(i)}: ${share(values[i])}`));
    this.#said.replaceChildren(...(isFar ? [] : said));
    this.#source.textContent = isPoint ? (shown.isDecoded ? "decoded" : "") : this.#origin();
  }

  // Where the place lies in the directions that the map does not show.
  #origin() {
    const { projection, view } = this.#space;
    if (projection.isWhole) return "decoded";
    return `decoded, through the ${view().pin === null ? "mean" : "pinned point"}`;
  }
}
