// Trainings to be watched: one as a film, several side by side on one slider, with their curves.

import { chaptersOf, momentTitle } from "./filmwords.js";
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
 * @returns {{update: (options: object) => void, shown: object, destroy: () => void}}  shown: what is
 *   seen, position, last, title, isPlaying, isFollowing and of each film its frames and the one shown
 */
export function createTrainings(element, { runs }) {
  return new Trainings(element, runs);
}

class Trainings {
  #element;
  #root;
  #bar;
  #runs = [];
  #films = [];
  #panels = [];
  #followers = [];
  #timeline = new Timeline([]);
  #player;
  #moment = Infinity; // in epochs: a film that was not touched shows its end

  constructor(element, runs) {
    this.#element = element;
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
      bar: make("div", { class: "bar", hidden: true }),
      facts: make("div", { class: "all-facts" }),
    };
    this.#bar = parts.bar;
    const root = (this.#root = make("div", { class: "film" }, ...Object.values(parts)));
    root.style.setProperty("--films", runs.length);
    root.toggleAttribute("data-several", !isOne);
    root.addEventListener("transitionend", ({ propertyName }) => {
      if (propertyName === "color") for (const panel of this.#panels) panel.repaint();
    });
    this.#element.append(root);
    this.#films = runs.map(() => new Film());
    this.#panels = runs.map((run, i) => {
      const stage = make("section", { class: "stage", "aria-label": run.name });
      const facts = make("section", { class: "facts", "aria-label": run.name });
      parts.stages.append(stage);
      parts.facts.append(facts);
      const named = { name: run.name, colour: isOne ? null : run.colour };
      return new FilmPanel({ stage, facts }, named, this.#films[i], () => this.#tell(i));
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
    this.#followers = runs.map(
      ({ filmAddress, runAddress }, i) =>
        new Follower({ filmAddress, runAddress }, this.#films[i], () => this.#hear(i)),
    );
    runs.forEach(({ film }, i) => film && this.#films[i].append(film).then(() => this.#hear(i)));
  }

  #end() {
    this.#player.destroy();
    for (const part of [...this.#followers, ...this.#panels]) part.destroy();
    this.#root.remove();
  }

  // Something of a run is new: its film, its losses, or how it stands.
  #hear(i) {
    this.#tell(i);
    this.#timeline = new Timeline(this.#films.map(({ moments }) => moments));
    this.#bar.hidden = this.#timeline.length === 0;
    if (this.#bar.hidden) return;
    const headers = Array.from({ length: this.#timeline.length }, (_, i) => this.#headerAt(i));
    this.#player.set({
      times: timesOf(headers),
      position: this.#timeline.positionOf(this.#moment),
      chapters: chaptersOf(headers),
      isLive: this.#followers.some(({ isLive }) => isLive),
    });
  }

  #tell(i) {
    this.#panels[i].tell(this.#followers[i]);
  }

  #show(position, isGliding) {
    const isAtEnd = position >= this.#timeline.last;
    this.#moment = isAtEnd ? Infinity : this.#timeline.moment(position);
    this.#panels.forEach((panel, i) => panel.show(this.#timeline.at(i, position), isGliding));
  }

  // Of the frame that the position is there for.
  #headerAt(position) {
    const moment = this.#timeline.moment(position);
    for (const [i, film] of this.#films.entries()) {
      const frame = this.#timeline.shown(i, position);
      if (frame >= 0 && film.moments[frame] === moment) return film.frames[frame];
    }
    return this.#films.find(({ frames }) => frames.length).frames[0];
  }

  #titleAt(position) {
    if (!this.#timeline.length) return "";
    const film = this.#films.find(({ header }) => header);
    return momentTitle(this.#headerAt(position), film.header);
  }
}
