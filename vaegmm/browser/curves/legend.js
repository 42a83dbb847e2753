// The trainings of a chart: their colours, their numbers where one reads, and whether they are seen.

import { make } from "../pieces/elements.js";
import { countOf, decimal } from "../pieces/words.js";
import { KINDS, LOSSES } from "./lines.js";

/**
 * Make a table of lines.
 *
 * @param {(key: string) => void} onHide  called with the line whose button was pressed
 * @returns {{element: HTMLElement, show: Function}}
 */
export function createLegend(onHide) {
  const [head, body] = [make("thead"), make("tbody")];
  let keys = "";
  return {
    element: make("div", { class: "legend" }, make("table", {}, head, body)),
    /**
     * @param {Line[]} lines
     * @param {Set<string>} hidden  keys of lines
     * @param {{losses: string[], smoothing: number}} settings
     * @param {Map<string, number>} read  the index of the epoch that is read of each line, by key
     * @param {string} where  one reads on the axis; empty where the epochs say that
     */
    show(lines, hidden, { losses, smoothing }, read, where) {
      const wanted = JSON.stringify(lines.map(({ key, name, colour }) => [key, name, colour]));
      if (wanted !== keys) body.replaceChildren(...lines.map((line) => rowOf(line, onHide)));
      keys = wanted;
      head.parentNode.style.setProperty("--losses", losses.length);
      const kind = smoothing ? ", smoothed" : "";
      head.replaceChildren(
        make(
          "tr",
          {},
          make("th", { scope: "col" }, where || "Training"),
          make("th", { scope: "col" }, "epoch"),
          losses.map((loss) => make("th", { scope: "col" }, LOSSES[loss] + kind)),
        ),
      );
      lines.forEach((line, i) => {
        const row = body.rows[i];
        row.toggleAttribute("data-hidden", hidden.has(line.key));
        row.querySelector("button").setAttribute("aria-pressed", !hidden.has(line.key));
        const index = read.get(line.key) ?? -1;
        const values = losses.map((loss) => make("td", {}, spansOf(line.curves[loss], index)));
        const epoch = make("td", {}, index < 0 ? "–" : countOf(line.epochs[index]));
        row.replaceChildren(row.cells[0], epoch, ...values);
      });
    },
  };
}

/** Say a curve at an index: "98.1", of a group "98.1 ± 0.4". */
export function said({ values, sd }, index) {
  const value = values[index];
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) < 10 ? 2 : 1;
  const spread = sd && Number.isFinite(sd[index]) ? ` ± ${decimal(sd[index], digits)}` : "";
  return decimal(value, digits) + spread;
}

function spansOf(curves, index) {
  const spans = KINDS.map((kind) => make("span", { class: kind }, said(curves[kind], index)));
  return [spans[0], " ", spans[1]];
}

function rowOf({ key, name, colour }, onHide) {
  return make(
    "tr",
    {},
    make(
      "th",
      { scope: "row" },
      make(
        "button",
        { type: "button", title: `Show or hide ${name}`, onclick: () => onHide(key) },
        make("i", { class: "swatch", style: `--colour: ${colour}` }),
        make("span", {}, name),
      ),
    ),
  );
}
