// What else can be done with a drawing: its style, what breaks it, the way to another one. What is
// closed computes nothing.

import { createAnyDigit } from "./anydigit.js";
import { createBetween } from "./between.js";
import { createBreakIt } from "./breakit.js";
import { make } from "../pieces/elements.js";
import { nounOf } from "../pieces/words.js";

/**
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model  its components have names
 * @param {() => ?object[]} options.endsOf  what the model says of the two drawings that a way leads
 *   from and to; null for one that is not chosen
 * @returns {More}
 */
export function createMore(element, options) {
  return new More(element, options);
}

class More {
  #parts;
  #state = { said: null, strokes: [], reader: null };

  constructor(element, { model, endsOf }) {
    const noun = nounOf(model);
    const offer = (title, create, show) => {
      const [body, summary] = [make("div"), make("summary", {}, title)];
      const details = make("details", {}, summary, body);
      const part = { details, view: null, show: () => details.open && show(part.view) };
      details.addEventListener("toggle", () => {
        if (details.open) part.view ??= create(body, { model });
        part.show();
      });
      element.append(details);
      return part;
    };
    const state = this.#state;
    this.#parts = {
      style: offer(`Your hand, any ${noun}`, createAnyDigit, (view) => view.show(state.said)),
      way: offer("From one drawing to another", createBetween, (view) => view.show(...endsOf())),
      change: offer("How little it takes to break it", createBreakIt, (view) =>
        view.show(state.strokes, state.reader),
      ),
    };
  }

  /** Show what belongs to a reading, as `readStrokes` says it; null: there is none. */
  show(said) {
    this.#state.said = said;
    this.#parts.style.show();
  }

  /** Show what belongs to a finished drawing, and to the model that reads it. */
  showDrawing(strokes, reader) {
    Object.assign(this.#state, { strokes, reader });
    this.#parts.change.show();
  }

  /** Show the way between the drawings that it leads from and to now. */
  showWay() {
    this.#parts.way.show();
  }

  destroy() {
    for (const { view } of Object.values(this.#parts)) view?.destroy();
  }
}
