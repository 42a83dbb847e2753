// Which labels are read as which, the images behind each number, and how far certainty can be believed.

import { asCss, colourOf } from "../pieces/colours.js";
import { make, makeButton } from "../pieces/elements.js";
import { Sheets } from "../pieces/images.js";
import { inkRgb, makePicture, paint } from "../pieces/pictures.js";
import { createPlaceMap } from "../pieces/placemap.js";
import { countOf, labelTitle, nounOf, share } from "../pieces/words.js";
import { createCalibration } from "./calibration.js";

const PER_SHEET = 1000; // images
const MOST_IMAGES = 60; // of a cell that are shown

/**
 * @typedef {object} Tested
 * @property {Uint8Array} truth  the label of each test image, (N,)
 * @property {Uint8Array} predicted  what it was read as, (N,)
 * @property {?Uint8Array} confidence  how sure that was, in 255ths, (N,); null where nothing says
 */

/**
 * Show a confusion matrix whose cells open.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {Tested} options.tested
 * @param {{url: (sheet: number) => string}} options.images  the test images
 * @returns {{destroy: () => void}}
 */
export function createConfusion(element, { model, tested, images }) {
  const { truth, predicted, confidence } = tested;
  const n = model.labelNames.length;
  const rows = cellsOf(truth, predicted, n);
  const totals = rows.map((cells) => cells.reduce((sum, cell) => sum + cell.length, 0));
  const mostWrong = Math.max(
    ...rows.flatMap((cells, i) => cells.map((cell, j) => (i === j ? 0 : cell.length / totals[i]))),
  );
  const sheets = new Sheets(images.url, Math.ceil(truth.length / PER_SHEET));
  const noun = nounOf(model);
  const title = make("h3");
  const wall = make("div", { class: "tiles members" });
  const ground = make("div", { class: "map-of" });
  const side = make("aside", { "aria-live": "polite" }, title, wall, ground);
  const table = make("table", { class: "confusion" }, head(), make("tbody", {}, rows.map(line)));
  const left = make("div", {}, table);
  const root = make("div", { class: "components" }, make("div", { class: "layout" }, left, side));
  element.append(root);
  const map = createPlaceMap(ground, { model });
  if (confidence) createCalibration(left, { right: truth.map((t, i) => t === predicted[i]), confidence });
  let shown = { members: [], pictures: [], button: null };

  function head() {
    const columns = model.labelNames.map((name) => make("th", { scope: "col" }, name));
    return make(
      "thead",
      {},
      make("tr", {}, make("th"), make("th", { colspan: n, class: "axis" }, "read as")),
      make("tr", {}, make("th", { scope: "col" }, noun), columns),
    );
  }

  function line(cells, i) {
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, labelTitle(model, i)),
      cells.map((members, j) => cell(members, i, j)),
    );
  }

  // What is right is tinted by its share, what is wrong by its share of the worst: else it is unseen.
  function cell(members, i, j) {
    const part = members.length / Math.max(totals[i], 1);
    const tint = i === j ? part : part / Math.max(mostWrong, 1e-9);
    const name =
      `${labelTitle(model, i)} read as ${labelTitle(model, j)}: ` +
      `${countOf(members.length, "image")}, ${share(part)}`;
    const button = makeButton(members.length ? countOf(members.length) : "·", () => open(i, j, button), {
      ...{ title: name, "aria-label": name, disabled: !members.length },
      style: `--tint: ${tint.toFixed(3)}`,
      class: i === j ? "right" : "wrong",
    });
    return make("td", {}, button);
  }

  function open(i, j, button) {
    shown.button?.removeAttribute("aria-pressed");
    button.setAttribute("aria-pressed", "true");
    const members = rows[i][j];
    const some = Array.from(members).sort((a, b) => sureness(a) - sureness(b)).slice(0, MOST_IMAGES);
    title.replaceChildren(
      make("i", { class: "swatch", style: `background: ${asCss(colourOf(j))}` }),
      i === j ? `${labelTitle(model, i)}, read rightly` : `${labelTitle(model, i)} read as ${labelTitle(model, j)}`,
      make("small", {}, ` ${countOf(members.length, "image")}${order(members.length)}`),
    );
    shown = { members: some, button, pictures: some.map(() => makePicture()) };
    wall.replaceChildren(...shown.pictures.map((picture, at) => figure(picture, some[at])));
    sheets.want(some);
    refresh();
  }

  function sureness(row) {
    return confidence ? confidence[row] : 0;
  }

  function order(many) {
    const first = confidence ? "least sure first" : "";
    const part = many > MOST_IMAGES ? `${MOST_IMAGES} of them` : "";
    const words = [part, first].filter(Boolean).join(", ");
    return words && `: ${words}`;
  }

  function figure(picture, row) {
    const sure = confidence ? `, ${share(confidence[row] / 255, 0)} sure` : "";
    return make("figure", { title: `test image ${countOf(row)}${sure}` }, picture);
  }

  // Images come by sheets; where they lie is known once they are here.
  function refresh() {
    const ink = inkRgb(root);
    const here = [];
    shown.pictures.forEach((picture, at) => {
      const pixels = sheets.image(shown.members[at]);
      if (!pixels) return;
      paint(picture, pixels, ink);
      here.push(...model.encode(pixels).mean);
    });
    map.mark(Float32Array.from(here));
  }

  sheets.onSheet = refresh;
  root.addEventListener("transitionend", (event) => {
    if (event.target === root) refresh(); // the theme has changed
  });
  const [i, j] = worstOf(rows, totals);
  const first = root.querySelectorAll(".confusion td button")[i * n + j];
  if (!first.disabled) open(i, j, first);
  return {
    destroy() {
      sheets.stop();
      map.destroy();
      root.remove();
    },
  };
}

/** The images of each cell: rows of labels, columns of what they were read as. */
function cellsOf(truth, predicted, n) {
  const rows = Array.from({ length: n }, () => Array.from({ length: n }, () => []));
  truth.forEach((label, row) => rows[label][predicted[row]].push(row));
  return rows;
}

function worstOf(rows, totals) {
  let worst = [0, 0, 0];
  rows.forEach((cells, i) =>
    cells.forEach((cell, j) => {
      const part = cell.length / totals[i];
      if (i !== j && part > worst[2]) worst = [i, j, part];
    }),
  );
  return worst;
}
