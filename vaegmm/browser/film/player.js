// The bar of a film: play, the slider, its chapters and its speed, and the keys for them.

import { countUntil } from "./timeline.js";
import { make, makeButton, makeSelect, setChoices } from "../pieces/elements.js";

const PACE = 280; // milliseconds a frame
const WHOLE = 40_000; // milliseconds that a film takes at most
const SPEEDS = { 0.5: "½ ×", 1: "1 ×", 2: "2 ×", 4: "4 ×" };
const MOST_BEHIND = 200; // milliseconds: a page that was busy goes on where it was

/** What plays: positions 0, 1, 2, … of a timeline. */
export class Player {
  #act;
  #root;
  #parts;
  #position = 0;
  #times = []; // when each position is due, in frames, rising from 0
  #chapters = "";
  #isLive = false;
  #isFollowing = true;
  #speed = 1;
  #frame = 0;
  #before = 0;
  #stop = new AbortController();

  /**
   * @param {HTMLElement} root  keys are for it wherever the focus is in it, or on nothing
   * @param {HTMLElement} bar
   * @param {object} act  show(position, isGliding) shows a position, which may lie between two;
   *   isReady(position): whether it can be shown at once; say(position): what stands beside the
   *   slider
   */
  constructor(root, bar, act) {
    this.#act = act;
    this.#root = root;
    const onmousedown = (event) => event.preventDefault(); // the focus stays where it is
    const slider = make("input", {
      ...{ type: "range", min: 0, max: 0, step: "any", value: 0, "aria-label": "Moment of the training" },
      oninput: () => this.seek(this.#positionAt(Number(slider.value))),
    });
    const speed = makeSelect("Speed", (value) => (this.#speed = Number(value)));
    setChoices(speed, SPEEDS, "1");
    this.#parts = {
      play: makeButton("", () => this.toggle(), {
        ...{ class: "play", onmousedown, "aria-keyshortcuts": "Space", "aria-label": "Play" },
      }),
      slider,
      chapters: make("div", { class: "chapters", "aria-hidden": "true" }),
      said: make("output"),
      live: makeButton("Live", () => this.#follow(), { class: "live", onmousedown, hidden: true }),
      speed,
    };
    const { play, chapters, said, live } = this.#parts;
    bar.append(
      play,
      make("div", { class: "track" }, slider, chapters),
      make("div", { class: "told" }, said, live, speed),
    );
    root.ownerDocument.addEventListener("keydown", (event) => this.#key(event), {
      signal: this.#stop.signal,
    });
  }

  get position() {
    return this.#position;
  }

  get isPlaying() {
    return this.#frame !== 0;
  }

  /** Whether the newest frame is shown as soon as it is there. */
  get isFollowing() {
    return this.#isLive && this.#isFollowing;
  }

  /**
   * Tell how many positions there are now.
   *
   * @param {{times: number[], position: number, chapters: object[], isLive: boolean}} film  times:
   *   when each position is due, in frames, from 0; position: where what was shown is among them;
   *   isLive: whether more will come
   */
  set({ times, position, chapters, isLive }) {
    const isLonger = times.length !== this.#times.length;
    this.#times = times;
    this.#isLive = isLive;
    const last = this.#last;
    const goal = this.isFollowing ? last : Math.min(position, last);
    if (this.isPlaying) this.#position = Math.min(position + (this.#position % 1), last);
    else if (goal !== this.#position || isLonger) this.#go(goal, true);
    this.#name(chapters);
    this.update();
  }

  /** Show a position because a person wants to; a live film is followed from its end only. */
  seek(position, isGliding = true) {
    this.pause();
    const goal = Math.min(Math.max(Math.round(position), 0), this.#last);
    this.#isFollowing = goal === this.#last;
    this.#go(goal, isGliding);
  }

  toggle() {
    if (this.isPlaying) return this.pause();
    if (this.#last <= 0) return;
    if (this.#position >= this.#last) this.#go(0, false); // from the start again
    this.#isFollowing = false;
    this.#before = performance.now();
    this.#tick(this.#before);
  }

  pause() {
    if (!this.isPlaying) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#go(Math.round(this.#position), true);
  }

  /** Say where it is. */
  update() {
    const { play, slider, said, live } = this.#parts;
    play.toggleAttribute("data-playing", this.isPlaying);
    play.setAttribute("aria-label", this.isPlaying ? "Pause" : "Play");
    play.disabled = slider.disabled = this.#last <= 0;
    const at = Math.floor(this.#position);
    const text = this.#act.say(at);
    const [time, most] = [this.#timeAt(this.#position), this.#times.at(-1) ?? 0];
    slider.max = most;
    slider.value = time;
    slider.style.setProperty("--share", most ? time / most : 0);
    slider.setAttribute("aria-valuetext", text);
    said.textContent = text;
    live.hidden = !this.#isLive;
    live.setAttribute("aria-pressed", `${this.isFollowing}`);
  }

  destroy() {
    cancelAnimationFrame(this.#frame);
    this.#stop.abort();
  }

  #go(position, isGliding) {
    this.#position = position;
    this.#act.show(position, isGliding);
    this.update();
  }

  #name(chapters) {
    const key = JSON.stringify([chapters, this.#last]);
    if (key === this.#chapters) return;
    this.#chapters = key;
    this.#parts.chapters.replaceChildren(
      ...chapters.map(({ title, first }, i) => {
        const end = this.#times[chapters[i + 1]?.first ?? this.#last];
        return make("span", { style: `flex-grow: ${end - this.#times[first]}`, title }, title);
      }),
    );
  }

  #follow() {
    this.seek(this.#last);
  }

  #tick(now) {
    this.#frame = requestAnimationFrame((next) => this.#tick(next));
    const passed = Math.min(Math.max(now - this.#before, 0), MOST_BEHIND);
    this.#before = now;
    const pace = Math.min(PACE, WHOLE / this.#times.at(-1)) / this.#speed;
    const next = this.#positionAt(this.#timeAt(this.#position) + passed / pace);
    if (!this.#act.isReady(next)) return this.update(); // wait until it is open
    if (next < this.#last) {
      const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.#position = next;
      this.#act.show(isCalm ? Math.floor(next) : next, false);
      return this.update();
    }
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#isFollowing = true;
    this.#go(this.#last, false);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const [target] = event.composedPath();
    const { body } = this.#root.ownerDocument;
    const isOurs = event.composedPath().includes(this.#root);
    if (!isOurs && !((target === body || target === body.parentNode) && this.#isSeen)) return;
    const isTyped = target.matches?.(
      "input:not([type=range]), select, textarea, [contenteditable]",
    );
    if (isTyped) return;
    const at = this.isPlaying ? Math.floor(this.#position) : this.#position;
    if (event.key === " " && !target.matches?.("button, summary")) this.toggle();
    else if (event.key === "ArrowLeft") this.seek(at - 1);
    else if (event.key === "ArrowRight") this.seek(at + 1);
    else if (event.key === "Home") this.seek(0);
    else if (event.key === "End") this.seek(this.#last);
    else return;
    event.preventDefault();
  }

  get #last() {
    return this.#times.length - 1;
  }

  // When a position is due; between two, between them.
  #timeAt(position) {
    const from = Math.floor(position);
    const before = this.#times[from] ?? 0;
    return before + ((this.#times[from + 1] ?? before) - before) * (position - from);
  }

  #positionAt(time) {
    const from = Math.max(countUntil(this.#times, time) - 1, 0);
    const [before, after] = [this.#times[from], this.#times[from + 1]];
    return after === undefined ? from : from + (time - before) / (after - before);
  }

  get #isSeen() {
    const { top, bottom, height } = this.#parts.slider.getBoundingClientRect();
    return height > 0 && bottom > 0 && top < innerHeight;
  }
}
