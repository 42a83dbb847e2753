// What stands in the inspector's place while nothing is pinned: how to begin, and with what.

import { make } from "../pieces/elements.js";
import { tile } from "./inspector.js";

const MOST_BEGINNINGS = 20; // labels or clusters that are shown an image of

/** It tells `onPin(index)`. */
export class Welcome {
  element = make("div", { class: "welcome" });
  onPin = null;

  /** @param {Space} space  its scores ready or not */
  show(space) {
    const { noun, scores, sheets } = space;
    const image = sheets ? "its image" : "it decoded";
    this.element.replaceChildren(
      make("h3", {}, "Every point is an image"),
      make(
        "p",
        {},
        `Point at one to see ${image}; between the points you see what the model would draw ` +
          "there. Click to hold on to what you see, walk on with its sliders, or draw an outline " +
          "around points with Shift held down.",
      ),
    );
    if (!scores.isReady) return;
    const isNamed = space.model.names !== null;
    this.element.append(
      make("h4", {}, `The likeliest image of each ${isNamed ? noun : "cluster"}`),
      make(
        "div",
        { class: "grid" },
        likeliest(space).map((index) => tile(space, index, () => this.onPin?.(index))),
      ),
    );
  }
}

/** The stored z with the greatest log p(z) of each label, or else of each component. */
function likeliest({ model, scores }) {
  const groups = model.names ? scores.label : model.latents.components;
  const best = new Map();
  groups.forEach((group, i) => {
    const known = best.get(group);
    if (known === undefined || scores.logLikelihood[i] > scores.logLikelihood[known])
      best.set(group, i);
  });
  const order = [...best.keys()].filter((group) => group >= 0).sort((a, b) => a - b);
  return order.slice(0, MOST_BEGINNINGS).map((group) => best.get(group));
}
