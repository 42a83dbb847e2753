// What was kept: each drawing with what it was read as, and what it was.

import { make, makeButton } from "../pieces/elements.js";
import { makePicture, paint } from "../pieces/pictures.js";
import { share } from "../pieces/words.js";

const UNSAID = "?";

/**
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {(drawing: object) => Uint8Array} options.imageOf  a kept drawing's image, (784,)
 * @param {(drawing: object) => void} options.onOpen  called with a drawing to look at once more
 * @param {(id: number) => void} options.onWay  called with a drawing that a way shall lead to
 * @param {(id: number, truth: ?string) => void} options.onTruth  called with what a drawing was
 * @param {(id: number) => void} options.onRemove
 * @returns {{show: (kept: object[], ink: number[]) => void, mark: (ends: number[]) => void}}
 */
export function createKeptList(element, options) {
  const { model, imageOf, onOpen, onWay, onTruth, onRemove } = options;
  const summary = make("p", { class: "summary" });
  const list = make("ul", { class: "cards" });
  element.append(summary, list);
  const cards = new Map(); // id of a kept drawing -> its card

  function cardOf(drawing) {
    const { id, name, share: sure, verdict } = drawing;
    const picture = makePicture();
    const title = "Put it on the pad again";
    const open = makeButton("", () => onOpen(drawing), { title, "aria-label": `${title}: ${name}` });
    open.append(picture);
    const options = [UNSAID, ...model.labelNames].map((each) => make("option", {}, each));
    const was = make("select", { "aria-label": "It was" }, ...options);
    was.addEventListener("change", () => onTruth(id, was.value === UNSAID ? null : was.value));
    const remove = makeButton("×", () => onRemove(id), { class: "remove", title: "Remove" });
    remove.setAttribute("aria-label", "Remove this drawing");
    const way = makeButton("↔", () => onWay(id), { class: "way-to", title: "Walk to this one" });
    way.setAttribute("aria-label", "Walk from the drawing chosen before to this one");
    const isDigit = verdict === "sure" || verdict === "unsure";
    const said = isDigit ? `${name}, ${share(sure, 0)}` : `${name}?`;
    const read = make("span", { class: "read" }, `read ${said}`);
    return {
      card: make("li", {}, open, way, remove, read, make("label", {}, "was ", was)),
      mark: (isEnd) => way.setAttribute("aria-pressed", `${isEnd}`),
      show({ truth }, ink) {
        was.value = truth ?? UNSAID;
        read.toggleAttribute("data-wrong", truth !== null && truth !== name);
        paint(picture, imageOf(drawing), ink);
      },
    };
  }

  return {
    /** Mark those that a way leads from and to, by their ids. */
    mark(ends) {
      for (const [id, card] of cards) card.mark(ends.includes(id));
    },
    show(kept, ink) {
      element.hidden = kept.length === 0;
      const before = [...cards.keys()];
      const ids = kept.map(({ id }) => id);
      for (const id of before) if (!ids.includes(id)) cards.delete(id);
      for (const drawing of kept) {
        if (!cards.has(drawing.id)) cards.set(drawing.id, cardOf(drawing));
        cards.get(drawing.id).show(drawing, ink);
      }
      // Only where they are others: what is moved loses the keyboard's focus.
      if (before.sort().join() !== [...ids].sort().join())
        list.replaceChildren(...ids.map((id) => cards.get(id).card));
      summary.textContent = summaryOf(kept);
    },
  };
}

/** How many were read rightly, as they were drawn, of those whose truth is known. */
function summaryOf(kept) {
  const judged = kept.filter(({ truth }) => truth !== null);
  if (!judged.length) return "Say what they were, and it learns from them.";
  const right = judged.filter(({ truth, name }) => truth === name).length;
  const adapted = judged.filter(({ nKnown }) => nKnown > 0).length;
  const open = kept.length - judged.length;
  return [
    `${right} of ${judged.length} were read rightly when they were drawn `,
    `(${share(right / judged.length)}${adapted ? `; ${adapted} of them adapted to your hand` : ""}).`,
    open ? ` Of ${open} nobody has said what they were.` : "",
  ].join("");
}
