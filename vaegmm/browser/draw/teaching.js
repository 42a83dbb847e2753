// What a person tells the model: what a drawing was; and what the model has come to know by it.

import { make, makeButton } from "../pieces/elements.js";
import { countOf, nounOf, share } from "../pieces/words.js";

const MOST_BUTTONS = 12; // more labels are a list

/**
 * Make the row that asks what a drawing was, and the line that says what is known.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {(name: string) => void} options.onTruth  called with what the drawing was
 * @param {() => void} options.onKeep  called to keep the drawing without a word
 * @param {() => void} options.onTakeBack  called to unlearn the last
 * @param {() => void} options.onRound  called to begin a guided round
 * @param {() => void} options.onDownload  called to keep what it knows as a file
 * @param {(file: File) => void} options.onFile  called with such a file
 * @returns {{enable: Function, show: Function, showWorth: Function, say: Function}}
 */
export function createTeaching(element, options) {
  const { model, onTruth, onKeep, onTakeBack, onRound, onDownload, onFile } = options;
  const names = model.labelNames;
  const noun = nounOf(model);
  const choices = names.length > MOST_BUTTONS ? asList(names, onTruth) : asButtons(names, onTruth);
  const keep = makeButton("Keep", onKeep, { title: "Keep it without a word (Enter)" });
  const row = make(
    "div",
    { class: "truth", role: "group", "aria-label": `What ${noun} it was` },
    make("div", { class: "ask" }, "It was a …", keep),
    make("div", { class: "choices" }, choices.element),
  );
  const known = make("span", { class: "known" });
  const plain = (text, title, act) => makeButton(text, act, { class: "plain", title, "aria-label": title });
  const takeBack = plain("Undo", "Forget what it was told last", onTakeBack);
  const round = plain("Teach it all", `Draw each ${noun} once, one after the other`, onRound);
  const save = plain("Download", "Keep what it knows of your hand as a file", onDownload);
  const file = make("input", { type: "file", accept: ".npz", hidden: true, tabindex: -1 });
  file.addEventListener("change", () => {
    if (file.files.length) onFile(file.files[0]);
    file.value = "";
  });
  const bring = plain("Bring back", "Bring back a file of drawings", () => file.click());
  const worth = make("p", { class: "worth" });
  const status = make("p", { class: "status", role: "status" });
  element.append(
    row,
    status,
    make("p", { class: "knowing" }, known, takeBack, round, save, bring, file),
    worth,
  );
  return {
    /** Say whether there is a drawing to speak of. */
    enable(isDrawn) {
      choices.enable(isDrawn);
      keep.disabled = !isDrawn;
    },
    /** Show how many drawings it has learned. */
    show(n) {
      known.textContent = n
        ? `Knows ${countOf(n, "drawing")} of your hand.`
        : "One tap, and it learns your hand.";
      takeBack.hidden = save.hidden = !n;
    },
    /** Show what they are worth, as `Hand.worth` says it; null: that is not known. */
    showWorth(measured) {
      worth.textContent = measured ? worthOf(measured) : "";
    },
    /** Say in a line what has just happened. */
    say(text) {
      status.textContent = text;
    },
  };
}

function worthOf({ before, after, of }) {
  return (
    `Worth: it reads ${share(before)} of these ${of} without having seen your hand, and ` +
    `${share(after)} adapted, each by what it knows of the others.`
  );
}

function asButtons(names, onTruth) {
  const buttons = names.map((name) => makeButton(name, () => onTruth(name)));
  return {
    element: buttons,
    enable: (isOn) => buttons.forEach((button) => (button.disabled = !isOn)),
  };
}

function asList(names, onTruth) {
  const choose = () => {
    const name = select.value;
    select.value = "";
    if (name) onTruth(name);
  };
  const options = ["", ...names].map((name) => make("option", { value: name }, name || "…"));
  const select = make("select", { "aria-label": "What it was", onchange: choose }, ...options);
  return { element: select, enable: (isOn) => (select.disabled = !isOn) };
}
