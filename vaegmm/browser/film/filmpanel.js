// One training's film: what is seen of it at a moment. A stage above the slider, and facts below.

import { Clusters } from "./clusters.js";
import { countOf, decimal } from "../pieces/words.js";
import { FilmMap } from "./filmmap.js";
import { LatentBars } from "./latentbars.js";
import { make } from "../pieces/elements.js";
import { Samples } from "./samples.js";
import { standing } from "./filmwords.js";

const COLUMNS = 8; // of samples
const MANY_COLUMNS = 12; // where films lie side by side
const AHEAD = 4; // frames that are opened before they are due

/** Samples, map, latents and clusters of one film. */
export class FilmPanel {
  #film;
  #onFault;
  #parts;
  #samples;
  #map;
  #bars;
  #clusters;
  #wanted = null; // what is shown as soon as its frames are open
  #isGliding = false;
  #shown = null; // the frame whose facts are shown
  #isSet = false;
  #due = 0;
  #isOpening = false;

  /**
   * @param {{stage: HTMLElement, facts: HTMLElement}} elements
   * @param {{name: string, colour: string | null}} run  colour: null where there is one run only
   * @param {Film} film
   * @param {() => void} onFault  called when a frame cannot be shown
   */
  constructor({ stage, facts }, { name, colour }, film, onFault) {
    this.#film = film;
    this.#onFault = onFault;
    const swatch = colour && make("span", { class: "swatch", style: `background: ${colour}` });
    const parts = (this.#parts = {
      facts,
      name: make("h3", {}, swatch, name),
      standing: make("p", { class: "standing" }),
      note: make("p", { class: "note", role: "status", hidden: true }),
      samples: make("figure", { class: "samples" }),
      loss: make("figcaption"),
      map: make("div", { class: "map-of" }),
      mapSaid: make("figcaption"),
      latents: make("div", { class: "latents" }),
      clusters: make("div", { class: "clusters" }),
    });
    parts.place = make("figure", {}, parts.map, parts.mapSaid);
    parts.pictures = make("div", { class: "pictures", hidden: true }, parts.samples, parts.place);
    stage.append(make("header", {}, parts.name, parts.standing), parts.note, parts.pictures);
    facts.append(parts.latents, parts.clusters);
    facts.hidden = true;
    this.#samples = new Samples(parts.samples, colour ? MANY_COLUMNS : COLUMNS);
    parts.samples.append(parts.loss);
    this.#bars = new LatentBars(parts.latents);
    this.#clusters = new Clusters(parts.clusters);
  }

  /** Say how the training stands, and what became of its film. */
  tell(follower) {
    const { run, fault } = follower;
    const { standing: said, note } = this.#parts;
    said.textContent = standing(run);
    said.toggleAttribute("data-live", follower.isLive);
    const hasNone = run && !run.film && !follower.isLive && this.#film.frames.length === 0;
    const words = [
      fault,
      this.#film.fault,
      run?.film?.error,
      hasNone && "This training has no film; its curves are below.",
    ].filter(Boolean);
    note.textContent = words.join(" ");
    note.hidden = words.length === 0;
  }

  /** Whether what is between two frames can be shown at once. */
  isReady({ from, to }) {
    const isOpen = Boolean(this.#film.peek(from) && this.#film.peek(to));
    if (!isOpen) this.#openFrom(from);
    return isOpen;
  }

  /**
   * Show a moment; where its frames are not open yet, as soon as they are.
   *
   * @param {{from: number, to: number, share: number} | null} moment  of Timeline.at
   * @param {boolean} isGliding
   */
  show(moment, isGliding) {
    if (!moment) return;
    this.#wanted = moment;
    this.#isGliding = isGliding;
    const from = this.#film.peek(moment.from);
    const to = this.#film.peek(moment.to);
    if (from && to) this.#paint(from, to, moment);
    this.#openFrom(moment.from);
  }

  /** Draw again in the ink of the page: another theme has another one. */
  repaint() {
    if (!this.#isSet) return;
    this.#samples.paint();
    this.#clusters.paint();
  }

  destroy() {
    this.#map?.destroy();
    this.#wanted = null;
  }

  // Open the frames that are due, one after the other; `first` may be another one meanwhile.
  async #openFrom(first) {
    this.#due = first;
    if (this.#isOpening) return;
    this.#isOpening = true;
    try {
      for (let index = this.#nextDue(); index >= 0; index = this.#nextDue()) {
        await this.#film.frame(index);
        const { from, to } = this.#wanted ?? {};
        if (index === from || index === to) this.show(this.#wanted, this.#isGliding);
      }
    } catch (error) {
      this.#film.fault ||= `A frame cannot be shown (${error.message}).`;
      this.#onFault();
    } finally {
      this.#isOpening = false;
    }
  }

  #nextDue() {
    const last = Math.min(this.#due + AHEAD, this.#film.frames.length - 1);
    for (let index = this.#due; index <= last; index++) if (!this.#film.peek(index)) return index;
    return -1;
  }

  #paint(from, to, moment) {
    const { pictures, facts, loss, mapSaid, map } = this.#parts;
    const film = this.#film;
    pictures.hidden = facts.hidden = false;
    if (!this.#isSet) {
      this.#isSet = true;
      this.#samples.setImages(film.images);
      this.#map = new FilmMap(map, film);
      mapSaid.textContent = `${countOf(from.places.length / 2)} images it is not trained on`;
    }
    this.#map.show(from, to, moment.share, this.#isGliding);
    if (from === this.#shown) return;
    this.#shown = from;
    if (from.copies) this.#samples.show(from.copies);
    const { header } = from;
    const distance = header.validation_cross_entropy; // of images like these, at the end of an epoch
    const apart = distance > 0 ? `, ${decimal(distance, 1)} nats apart` : "";
    loss.textContent = `Images, and below each its copy${apart}`;
    const headers = film.frames.slice(0, moment.from + 1);
    const measured = headers.findLast(({ kl_per_latent: kl }) => kl); // starts change no latent
    if (measured) this.#bars.show(measured);
    const hasClusters = film.header.n_components !== null;
    this.#parts.clusters.hidden = !hasClusters;
    if (hasClusters) this.#clusters.show(from, headers, film);
  }

}
