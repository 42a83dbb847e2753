// A guided round: draw each label once, one after the other, so that the model knows the hand.

import { make, makeButton } from "../pieces/elements.js";
import { nounOf } from "../pieces/words.js";

/**
 * Make the strip that asks for one label after the other; it is hidden until it is started.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {(name: string) => void} options.onDrawn  called when what was asked for is drawn
 * @param {(nDrawn: number) => void} options.onEnd  called when the round is over
 * @returns {{start: () => void, stop: () => void, enable: (canGoOn: boolean) => void, asked: ?string}}
 */
export function createRound(element, { model, onDrawn, onEnd }) {
  const names = model.labelNames;
  const [asked, count] = [make("strong"), make("span", { class: "count" })];
  const progress = make("progress", { max: names.length, "aria-label": "Progress of the round" });
  const next = makeButton("Done, next", () => go(true), { class: "main", title: "Enter" });
  const skip = makeButton("Skip", () => go(false));
  const stop = makeButton("Stop", () => end());
  let [at, nDrawn] = [-1, 0];
  element.hidden = true;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Guided round");
  element.append(
    make("p", { role: "status" }, `Draw the ${nounOf(model)} `, asked),
    make("p", {}, progress, count),
    make("p", {}, next, skip, stop),
  );

  function go(isDrawn) {
    if (isDrawn) {
      if (next.disabled) return;
      nDrawn++;
      onDrawn(names[at]);
    }
    at++;
    if (at === names.length) end();
    else show();
  }

  function show() {
    asked.textContent = names[at];
    count.textContent = `${at + 1} of ${names.length}`;
    progress.value = at;
    next.disabled = true;
  }

  function end() {
    element.hidden = true;
    at = -1;
    onEnd(nDrawn);
  }

  return {
    start() {
      [at, nDrawn] = [0, 0];
      element.hidden = false;
      show();
    },
    stop: end,
    /** Go on with what is drawn, as the button does. */
    next: () => go(true),
    /** Whether there is something on the pad to go on with. */
    enable: (canGoOn) => (next.disabled = !canGoOn),
    /** What is asked for; null outside a round. */
    get asked() {
      return at < 0 ? null : names[at];
    },
  };
}
