// E, M, run, slow, back and the scrubber: they say which half step is shown.

import { make, makeButton } from "../pieces/elements.js";

const PACE = 320; // milliseconds a half step: as long as a glide takes
const SLOW = 1400;
const FAST = 110; // once the first iterations, which move most, are over
const FIRST = 24; // half steps

/** The bar above the maps, and the keys E, M, space, arrow left and right. */
export class Player {
  #act;
  #root;
  #buttons;
  #scrubber;
  #said;
  #timer = 0;
  #played = 0;
  #stop = new AbortController();
  isSlow = false;

  /**
   * @param {HTMLElement} root  keys are for it wherever the focus is in it, or on nothing
   * @param {HTMLElement} bar
   * @param {object} act  half(), last(): the last half step there is; go(half); canGoOn(): whether
   *   there is, or can be computed, a further one; say(half): what stands beside the scrubber
   */
  constructor(root, bar, act) {
    this.#act = act;
    this.#root = root;
    const button = (text, key, title, onclick) =>
      makeButton(text, onclick, {
        ...{ onmousedown, "aria-keyshortcuts": key, title: `${title} (key: ${key})` },
      });
    // A click leaves the focus where it is: the space bar goes on to run.
    const onmousedown = (event) => event.preventDefault();
    this.#buttons = {
      e: button("E", "E", "Expectation: ask each point which clusters it comes from", () =>
        this.step(1),
      ),
      m: button("M", "M", "Maximization: move each cluster to its points", () => this.step(0)),
      run: button("Run ▸", "Space", "Run E and M in turn", () => this.toggle()),
      slow: makeButton("Slow", () => this.#setSlow(!this.isSlow), {
        ...{ onmousedown, "aria-pressed": "false" },
      }),
      back: button("Back", "ArrowLeft", "Half a step back", () => this.back()),
    };
    this.#buttons.e.className = this.#buttons.m.className = "step";
    this.#scrubber = make("input", {
      ...{ type: "range", min: 0, max: 1, step: 1, value: 0, "aria-label": "Iteration" },
      oninput: () => {
        const half = Number(this.#scrubber.value);
        this.pause();
        this.#act.go(half, false);
      },
    });
    this.#said = make("output");
    bar.append(
      make("div", { class: "buttons" }, ...Object.values(this.#buttons)),
      make("label", { class: "scrub" }, this.#scrubber, this.#said),
    );
    root.ownerDocument.addEventListener("keydown", (event) => this.#key(event), {
      signal: this.#stop.signal,
    });
  }

  get isRunning() {
    return this.#timer !== 0;
  }

  /** The E-step (odd 1) or the M-step (0), if it is the next one. */
  step(odd) {
    this.pause();
    const half = this.#act.half();
    if ((half + 1) % 2 === odd % 2) this.#act.go(half + 1, true);
  }

  back() {
    this.pause();
    this.#act.go(this.#act.half() - 1, true);
  }

  toggle() {
    if (this.isRunning) return this.pause();
    if (!this.#act.canGoOn()) this.#act.go(0, false); // from the start again
    this.#played = 0;
    this.#tick();
  }

  pause() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.update();
  }

  /** Say what is possible now. */
  update() {
    const { e, m, run, back } = this.#buttons;
    const half = this.#act.half();
    const canGoOn = this.#act.canGoOn();
    e.disabled = half % 2 === 1 || !canGoOn;
    m.disabled = half % 2 === 0 || !canGoOn;
    back.disabled = half === 0;
    run.textContent = this.isRunning ? "Pause" : "Run ▸";
    run.setAttribute("aria-pressed", String(this.isRunning));
    this.#scrubber.max = this.#act.last();
    this.#scrubber.value = half;
    this.#said.textContent = this.#act.say(half);
  }

  destroy() {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  #tick() {
    this.#act.go(this.#act.half() + 1, true);
    this.#played++;
    if (!this.#act.canGoOn()) return this.pause();
    const pace = this.isSlow ? SLOW : this.#played < FIRST ? PACE : FAST;
    this.#timer = setTimeout(() => this.#tick(), pace);
    this.update();
  }

  #setSlow(isSlow) {
    this.isSlow = isSlow;
    this.#buttons.slow.setAttribute("aria-pressed", String(isSlow));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const [target] = event.composedPath();
    const isOurs = event.composedPath().includes(this.#root);
    const { body } = this.#root.ownerDocument;
    if (!isOurs && target !== body && target !== body.parentNode) return;
    const isTyped = target.matches?.(
      "input:not([type=range]), select, textarea, [contenteditable]",
    );
    if (isTyped || !this.#root.getClientRects().length) return;
    const key = event.key.toLowerCase();
    const isButton = target.matches?.("button, summary");
    if (key === "e") this.step(1);
    else if (key === "m") this.step(0);
    else if (key === " " && !isButton) this.toggle();
    else if (key === "arrowleft") this.back();
    else if (key === "arrowright") {
      this.pause();
      if (this.#act.canGoOn()) this.#act.go(this.#act.half() + 1, true);
    } else return;
    event.preventDefault();
  }
}
