// Trainings to be watched: one as a film, several side by side on one slider, with their curves.

import { chaptersOf, momentTitle } from "./filmwords.js";
import { createCurves } from "../curves/curves.js";
import { Film } from "./filmreader.js";
import { FilmPanel } from "./filmpanel.js";
import { Follower } from "./live.js";
import { make } from "../pieces/elements.js";
import { Player } from "./player.js";
import { Timeline, timesOf } from "./timeline.js";

/**
 * Put trainings into an element; `film.css` goes with it.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {object[]} options.runs  `{id, name, filmAddress, runAddress, colour, group}`: where the
 *   film is, or null, and where the server tells how the training stands, or null for a film that
 *   does not grow; `film`, its bytes, instead of the first
 * @param {boolean} [options.plays]  begin to play a film that is whole by itself
 * @returns {{update: (options: object) => void, shown: object, destroy: () => void}}  shown: what is
 *   seen, position, last, title, isPlaying, isFollowing and of each film its frames and the one shown
 */
export function createTrainings(element, { runs, plays = false }) {
  return new Trainings(element, runs, plays);
}

class Trainings {
  #element;
  #root;
  #bar;
  #runs = [];
  #films = [];
  #panels = [];
  #followers = [];
  #curves;
  #marked = -1; // epoch
  #drawn = ""; // which losses the curves show
  #timeline = new Timeline([]);
  #player;
  #moment = Infinity; // in epochs: a film that was not touched shows its end
  #plays; // by itself, once

  constructor(element, runs, plays) {
    this.#element = element;
    this.#plays = plays && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#build(runs);
  }

  /** Show other runs, or ask the same ones again how they stand. */
  update({ runs }) {
    const saying = (all) => JSON.stringify(all.map(({ film, ...rest }) => rest));
    if (saying(runs) === saying(this.#runs)) for (const follower of this.#followers) follower.wake();
    else {
      this.#end();
      this.#build(runs);
    }
  }

  get shown() {
    const { position, isPlaying, isFollowing } = this.#player;
    const films = this.#films.map((film, i) => ({
      n: film.frames.length,
      frame: this.#timeline.shown(i, position),
      nBytes: film.nBytes,
    }));
    return {
      ...{ position, isPlaying, isFollowing, films },
      last: this.#timeline.last,
      title: this.#titleAt(Math.floor(position)),
    };
  }

  destroy() {
    this.#end();
  }

  #build(runs) {
    this.#runs = runs;
    this.#moment = Infinity;
    const isOne = runs.length === 1;
    const parts = {
      stages: make("div", { class: "stages" }),
      bar: make("div", { class: "playbar", hidden: true }),
      facts: make("div", { class: "all-facts" }),
    };
    const curves = make("div");
    this.#bar = parts.bar;
    const film = make("div", { class: "film" }, ...Object.values(parts));
    const root = (this.#root = make("div", { class: "trainings" }, film, curves));
    film.style.setProperty("--films", runs.length);
    film.toggleAttribute("data-several", !isOne);
    film.addEventListener("transitionend", ({ propertyName }) => {
      if (propertyName === "color") for (const panel of this.#panels) panel.repaint();
    });
    this.#element.append(root);
    this.#films = runs.map(() => new Film());
    this.#timeline = new Timeline(this.#films.map(({ moments }) => moments));
    this.#panels = runs.map((run, i) => {
      const stage = make("section", { class: "stage", "aria-label": run.name });
      const facts = make("section", { class: "facts", "aria-label": run.name });
      parts.stages.append(stage);
      const named = { name: run.name, colour: isOne ? null : run.colour };
      const panel = new FilmPanel({ stage, facts }, named, this.#films[i], () => this.#tell(i));
      (isOne ? parts.facts : stage).append(facts); // beside others each has its own below it
      return panel;
    });
    this.#player = new Player(root, parts.bar, {
      show: (position, isGliding) => this.#show(position, isGliding),
      isReady: (position) =>
        this.#panels.every((panel, i) => {
          const moment = this.#timeline.at(i, position);
          return !moment || panel.isReady(moment);
        }),
      say: (position) => this.#titleAt(position),
    });
    this.#drawn = "";
    this.#curves = createCurves(curves, {
      onSeek: (epoch) => this.#player.seek(this.#timeline.nearest(epoch)),
    });
    this.#followers = runs.map(
      ({ filmAddress, runAddress }, i) =>
        new Follower({ filmAddress, runAddress }, this.#films[i], () => this.#hear(i)),
    );
    runs.forEach(({ film }, i) => film && this.#films[i].append(film).then(() => this.#hear(i)));
  }

  #end() {
    this.#player.destroy();
    for (const part of [...this.#followers, ...this.#panels, this.#curves]) part.destroy();
    this.#root.remove();
  }

  // Something of a run is new: its film, its losses, or how it stands.
  #hear(i) {
    this.#tell(i);
    this.#draw();
    this.#timeline = new Timeline(this.#films.map(({ moments }) => moments));
    this.#bar.hidden = this.#timeline.length === 0;
    if (this.#bar.hidden) return;
    const { length } = this.#timeline;
    const headers = Array.from({ length }, (_, i) => this.#frameAt(i).header);
    this.#player.set({
      times: timesOf(headers),
      position: this.#timeline.positionOf(this.#moment),
      chapters: this.#films.length === 1 ? chaptersOf(headers) : [],
      isLive: this.#followers.some(({ isLive }) => isLive),
    });
    if (this.#plays && length > 1) this.#player.toggle();
    this.#plays = false;
  }

  // The losses of all; those of a film that comes alone are in it.
  #draw() {
    const series = this.#runs.map(({ id, name, colour, group = null }, i) => {
      const { run, losses } = this.#followers[i];
      const { header, frames } = this.#films[i];
      return {
        ...{ id, name, colour, group },
        epochs: run?.epochs ?? header?.epochs ?? 0,
        stepsPerEpoch: run?.steps ?? header?.steps ?? null,
        losses: run ? losses : frames.filter(({ kind }) => kind === "epoch"),
      };
    });
    const drawn = JSON.stringify(series.map(({ losses, ...said }) => [said, losses.at(-1)]));
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#curves.setSeries(series);
  }

  #tell(i) {
    this.#panels[i].tell(this.#followers[i]);
  }

  #show(position, isGliding) {
    const isAtEnd = position >= this.#timeline.last;
    this.#moment = isAtEnd ? Infinity : this.#timeline.moment(position);
    this.#panels.forEach((panel, i) => panel.show(this.#timeline.at(i, position), isGliding));
    const epoch = this.#timeline.moment(position);
    if (epoch !== this.#marked) this.#curves.setMarker({ epoch });
    this.#marked = epoch;
  }

  // The frame that a position is there for, and its film.
  #frameAt(position) {
    const moment = this.#timeline.moment(position);
    const frameOf = (i) => this.#timeline.shown(i, position);
    const i = this.#films.findIndex(({ moments }, i) => moments[frameOf(i)] === moment);
    return { header: this.#films[i].frames[frameOf(i)], film: this.#films[i] };
  }

  #titleAt(position) {
    if (!this.#timeline.length) return "";
    const { header, film } = this.#frameAt(position);
    return momentTitle(header, film.header);
  }
}
