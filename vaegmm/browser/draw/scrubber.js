// A slider from one end of something to the other, which can be played back and forth.

import { make, makeButton } from "../pieces/elements.js";

const ONE_WAY = 2400; // ms
const STEPS = 96;

/**
 * Make a slider with a button that plays it.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {string} options.label  for those who cannot see it
 * @param {(place: number) => void} options.onPlace  called with a share of the way, in [0, 1]
 * @returns {{go: (place: number) => void, stop: () => void}}  go: without a call of `onPlace`
 */
export function createScrubber(element, { label, onPlace }) {
  let [frame, began] = [0, 0];
  const input = make("input", {
    ...{ type: "range", min: 0, max: 1, step: 1 / STEPS, value: 0, "aria-label": label },
    oninput: () => {
      stop();
      onPlace(Number(input.value));
    },
  });
  const button = makeButton("", () => (frame ? stop() : play()), { class: "play" });
  element.append(make("div", { class: "scrubber" }, button, input));
  say();

  function say() {
    button.textContent = frame ? "❚❚" : "▶\ufe0e";
    button.setAttribute("aria-label", frame ? "Stop" : "Play back and forth");
  }

  function play() {
    // From where it stands, forwards; at the end, back.
    began = performance.now() - Number(input.value) * ONE_WAY;
    frame = requestAnimationFrame(step);
    say();
  }

  function step(now) {
    const at = (Math.max(now - began, 0) / ONE_WAY) % 2;
    input.value = at < 1 ? at : 2 - at;
    frame = requestAnimationFrame(step);
    onPlace(Number(input.value));
  }

  function stop() {
    cancelAnimationFrame(frame);
    frame = 0;
    say();
  }

  return {
    go(place) {
      stop();
      input.value = place;
    },
    stop,
  };
}
