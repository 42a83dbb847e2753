// Why the model says what it says: the views of a drawing and their weights, the clusters that
// they fall into with p(label | cluster), and the sum, which is the number that the answer shows.

import { asCss, colourOf } from "./colours.js";
import { make, makeButton } from "./elements.js";
import { inkRgb, makePicture, paint } from "./pictures.js";
import { componentTitle, labelTitle, share } from "./words.js";

const MOST_VIEWS = 6;
const MOST_ROWS = 5;
const MOST_CHOICES = 3; // labels whose sum can be looked at
const LEAST_SHARE = 0.02; // of a view or a row that stands for itself
const LEAST_PART = 0.005; // of a bar that is drawn
const LEAST_NAMED = 0.16; // of a bar that has room for its label's name
const MOST_LETTERS = 2; // of a name in a bar
const UNIT = 1000; // shares are said in tenths of a per cent

/**
 * Part p(label) of a reading into what it is the sum of.
 *
 * @param {Model} model  its components have names
 * @param {object} said  as `readViews` returns it
 * @returns {{component: number, example: number, share: number, probabilities: Float64Array}[]}
 *   what had a share, the largest first: components, and the examples of each label, for which
 *   component is -1 (and example else); the shares sum to 1, and share times probabilities (C,),
 *   summed, is p(label)
 */
export function termsOf(model, { views }) {
  const { labelGivenComponent, nLabels } = model.names;
  const shares = new Float64Array(model.nComponents);
  const votes = new Float64Array(nLabels);
  for (const view of views) {
    let left = 1; // what the examples leave to the components
    view.votes?.forEach((vote, label) => {
      votes[label] += view.weight * vote;
      left -= vote;
    });
    view.responsibilities.forEach((r, k) => (shares[k] += view.weight * left * r));
  }
  const terms = [];
  shares.forEach((part, component) => {
    const row = labelGivenComponent.subarray(component * nLabels, (component + 1) * nLabels);
    terms.push({ component, example: -1, share: part, probabilities: Float64Array.from(row) });
  });
  votes.forEach((part, example) => {
    const probabilities = new Float64Array(nLabels);
    probabilities[example] = 1;
    terms.push({ component: -1, example, share: part, probabilities });
  });
  return terms.filter((term) => term.share > 0).sort((a, b) => b.share - a.share);
}

/**
 * Round shares to tenths of a per cent so that what is said of them sums to what is said of their
 * sum.
 *
 * @param {number[]} values  at least 0
 * @returns {number[]}
 */
export function roundedTogether(values) {
  const parts = values.map((value) => value * UNIT);
  const rounded = parts.map(Math.floor);
  const missing = Math.floor(Math.fround(totalOf(values)) * UNIT + 0.5) - totalOf(rounded);
  const order = Array.from(parts.keys());
  order.sort((one, other) => parts[other] - rounded[other] - (parts[one] - rounded[one]));
  for (const i of order.slice(0, missing)) rounded[i]++;
  return rounded.map((value) => value / UNIT);
}

/**
 * Make the panel. explanation.css belongs to it.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model  its components have names
 * @param {(component: number) => void} [options.onCluster]  called with a cluster whose card is
 *   to open
 * @returns {{show: (said: ?object) => void}}  said: as `readStrokes` or `readViews` returns it, or
 *   null: nothing was asked
 */
export function createExplanation(element, { model, onCluster }) {
  const views = make("div", { class: "views" });
  const choices = make("div", { class: "choices", role: "group", "aria-label": "The sum for" });
  const sum = make("table");
  const root = make("div", { class: "explanation", hidden: true }, views, choices, sum);
  element.append(root);
  const meanOf = remembered((component) => {
    const at = component * model.dimension;
    return model.decode(model.means.subarray(at, at + model.dimension));
  });
  let said = null;
  let label = -1; // whose sum is shown

  function showChoices() {
    const p = said.probabilities;
    const likely = Array.from(p.keys()).sort((one, other) => p[other] - p[one]);
    const worth = likely
      .slice(0, MOST_CHOICES)
      .filter((each, i) => i === 0 || p[each] >= LEAST_SHARE);
    const buttons = worth.map((each) =>
      makeButton("", () => choose(each), { "aria-pressed": String(each === label) }),
    );
    buttons.forEach((button, i) =>
      button.append(swatch(worth[i]), `${labelTitle(model, worth[i])}: ${share(p[worth[i]])}`),
    );
    choices.replaceChildren(...(buttons.length > 1 ? ["Sum for", ...buttons] : []));
  }

  function choose(each) {
    label = each;
    showChoices();
    sum.replaceChildren(...sumOf(model, said, label, { meanOf, onCluster, ink: inkRgb(root) }));
  }

  return {
    show(reading) {
      said = reading;
      root.hidden = !said;
      if (!said) return;
      views.replaceChildren(...viewsOf(model, said, inkRgb(root)));
      choose(said.label);
    },
  };
}

/** What was looked at, and how much each view counts. */
function viewsOf(model, said, ink) {
  // The whole first, whatever it counts: it is what the model sees of the drawing.
  const [whole, ...others] = said.views.keys();
  others.sort((one, other) => said.views[other].weight - said.views[one].weight);
  const indices = [whole, ...others];
  const [shown, rest] = parted(indices, MOST_VIEWS, (i) => said.views[i].weight);
  const weights = [...shown, ...rest.slice(0, 1)].map((i) => said.views[i].weight);
  if (rest.length) weights[shown.length] = totalOf(rest.map((i) => said.views[i].weight));
  const shares = roundedTogether(weights);
  const tiles = shown.map((i, at) => {
    const { image, label, probabilities } = said.views[i];
    const picture = makePicture();
    paint(picture, image, ink);
    const what = i === 0 ? "The whole" : "A part";
    const called = `${labelTitle(model, label)} (${share(probabilities[label])})`;
    const caption = make(
      "figcaption",
      {},
      share(shares[at]),
      make("span", {}, swatch(label), labelTitle(model, label)),
    );
    return make("figure", { title: `${what}, read as ${called}` }, picture, caption);
  });
  const more = rest.length > 0 && make("p", {}, `${rest.length} more: ${share(shares.at(-1))}`);
  const head =
    said.views.length > 1 ? "What was looked at, and how much it counts" : "What was looked at";
  return [make("h4", {}, head), make("div", { class: "tiles" }, tiles, more)];
}

/** Head, rows and foot of the table in which shares times p(label | cluster) sum to p(label). */
function sumOf(model, said, label, { meanOf, onCluster, ink }) {
  const terms = termsOf(model, said);
  const [shown, rest] = parted(terms, MOST_ROWS, (term) => term.share);
  const all = rest.length ? [...shown, together(rest)] : shown;
  const shares = roundedTogether(all.map((term) => term.share));
  const products = roundedTogether(all.map((term) => term.share * term.probabilities[label]));
  const name = labelTitle(model, label);
  const heads = ["Falls into", "share", `× p(${name})`, `= ${name}`];
  const rows = all.map((term, i) => {
    const what = whatOf(model, term, rest.length, { meanOf, onCluster, ink });
    const numbers = [shares[i], term.probabilities[label], products[i]];
    const cells = numbers.map((value) => make("td", {}, share(value)));
    return make("tr", {}, make("th", { scope: "row" }, what), cells);
  });
  return [
    make(
      "thead",
      {},
      make(
        "tr",
        {},
        heads.map((head) => make("th", { scope: "col" }, head)),
      ),
    ),
    make("tbody", {}, rows),
    make(
      "tfoot",
      {},
      make(
        "tr",
        {},
        make("th", { scope: "row", colspan: 3 }, swatch(label), `Together, ${name}`),
        make("td", {}, share(said.probabilities[label])),
      ),
    ),
  ];
}

/** A cluster with its middle, "your 1s", or what is left over, and what it says of the labels. */
function whatOf(model, term, nRest, { meanOf, onCluster, ink }) {
  const { component, example } = term;
  const bar = barOf(model, term.probabilities);
  if (component < 0) {
    const title = example >= 0 ? `your ${labelTitle(model, example)}s` : `${nRest} more`;
    const mark = make("span", { class: "mark" }, example >= 0 && swatch(example));
    return make("span", { class: "what" }, mark, make("span", {}, title), bar);
  }
  const picture = makePicture();
  paint(picture, meanOf(component), ink);
  const title = onCluster ? "Open the card of this cluster" : null;
  const attributes = { class: "what", title, disabled: !onCluster };
  const button = makeButton("", () => onCluster(component), attributes);
  button.append(picture, make("span", {}, componentTitle(model, component)), bar);
  return button;
}

/** p(label | cluster) as one bar of all labels. */
function barOf(model, probabilities) {
  const order = Array.from(probabilities.keys()).sort(
    (a, b) => probabilities[b] - probabilities[a],
  );
  const likely = order.filter((label) => probabilities[label] >= LEAST_PART);
  const said = likely.map((label) => `${labelTitle(model, label)} ${share(probabilities[label])}`);
  const bar = make("span", {
    class: "bar",
    role: "img",
    "aria-label": said.join(", "),
    title: said.join(", "),
  });
  for (const label of likely) {
    const part = make(
      "i",
      {},
      probabilities[label] >= LEAST_NAMED && labelTitle(model, label).slice(0, MOST_LETTERS),
    );
    part.style.width = `${100 * probabilities[label]}%`;
    part.style.background = asCss(colourOf(label));
    part.toggleAttribute("data-dark", isDark(colourOf(label)));
    bar.append(part);
  }
  return bar;
}

/** What has a share of its own to show, and the rest. */
function parted(values, most, shareOf) {
  const shown = values.filter((value, i) => i === 0 || (i < most && shareOf(value) >= LEAST_SHARE));
  return [shown, values.slice(shown.length)];
}

/** Several terms as one with the same sum. */
function together(terms) {
  const total = totalOf(terms.map((term) => term.share));
  const probabilities = terms[0].probabilities.map((_, label) =>
    totalOf(terms.map((term) => (term.share * term.probabilities[label]) / total)),
  );
  return { component: -1, example: -1, share: total, probabilities };
}

function totalOf(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

function swatch(label) {
  const made = make("i", { class: "swatch" });
  made.style.background = asCss(colourOf(label));
  return made;
}

/** Whether white is read better on a colour than black. */
function isDark([red, green, blue]) {
  return 0.299 * red + 0.587 * green + 0.114 * blue < 140;
}

function remembered(compute) {
  const known = new Map();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key);
  };
}
