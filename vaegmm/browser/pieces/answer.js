// What the model says of a digit: label, p(label) as bars, typicality, and the clusters it is in.

import { asCss, colourOf, componentColours } from "./colours.js";
import { make, makeButton } from "./elements.js";
import { makePicture, paint } from "./pictures.js";
import { componentTitle, labelTitle, sayVerdict, share } from "./words.js";

const MOST_BARS = 12; // of more labels the most probable ones are shown
const MOST_CLUSTERS = 3;
const LEAST_SHARE = 0.005; // of a cluster that is shown
const STRANGE = "Like nearly nothing it has learned from."; // where there are no names

/**
 * The verdict in one line: the label and how sure the model is of it.
 *
 * @param {HTMLElement} element
 * @param {{model: Model}} options
 * @returns {{show: (said: ?object) => void}}  said: probabilities (C,), null without names;
 *   responsibilities (K,); typicality, isStrange and verdict; null: nothing was asked
 */
export function createVerdict(element, { model }) {
  const swatch = make("i", { class: "swatch" });
  const label = make("strong");
  const certainty = make("span", { class: "sure" });
  const typical = make("span", { class: "typical" });
  element.classList.add("verdict");
  element.append(swatch, label, certainty, typical);
  return {
    show(said) {
      element.toggleAttribute("data-blank", !said);
      if (!said) {
        label.textContent = "?";
        certainty.textContent = typical.textContent = "";
        delete element.dataset.verdict;
        return;
      }
      const [name, p, colour] = winnerOf(model, said);
      const typicality = `more typical than ${share(said.typicality)} of what it learned from`;
      const nameless = { title: name, sure: share(p), note: said.isStrange ? STRANGE : typicality };
      const { title, sure, note } = said.probabilities ? sayVerdict(model, said) : nameless;
      label.textContent = title;
      certainty.textContent = sure;
      typical.textContent = note;
      swatch.style.background = colour;
      element.dataset.verdict = said.verdict;
    },
  };
}

/**
 * p(label) as bars.
 *
 * @param {HTMLElement} element
 * @param {{model: Model}} options  its components have names
 * @returns {{show: (said: ?object) => void}}  said: as `createVerdict`'s
 */
export function createBars(element, { model }) {
  const { labelNames } = model;
  const rows = Array.from({ length: Math.min(labelNames.length, MOST_BARS) }, createBar);
  const blank = new Float32Array(labelNames.length);
  const list = make("ol", { class: "bars" }, ...rows.map(({ row }) => row));
  element.append(list);
  return {
    show(said) {
      const p = said?.probabilities ?? blank;
      list.toggleAttribute("data-doubtful", ["strange", "off the pad"].includes(said?.verdict));
      const order = Array.from(p.keys());
      if (order.length > MOST_BARS) order.sort((a, b) => p[b] - p[a]);
      const best = said ? p.indexOf(Math.max(...p)) : -1;
      rows.forEach((row, i) => row.show(labelTitle(model, order[i]), p[order[i]], order[i], best));
    },
  };
}

/**
 * The clusters that something falls into: the middle of each, decoded, and its share.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {(component: number) => void} [options.onCluster]  called with a cluster that was chosen
 * @param {(component: number) => void} [options.onOpen]  called with a cluster whose card is to open
 * @returns {{show: (said: ?object, ink: number[]) => void}}  said: as `createVerdict`'s; ink: RGB
 */
export function createClusters(element, { model, onCluster, onOpen }) {
  const cards = Array.from({ length: Math.min(model.nComponents, MOST_CLUSTERS) }, () =>
    createCard(onCluster, onOpen),
  );
  element.append(make("div", { class: "clusters" }, ...cards.map(({ card }) => card)));
  const colours = coloursOf(model);
  const means = new Map(); // decoded means of the components that were shown

  function meanOf(component) {
    if (!means.has(component)) {
      const at = component * model.dimension;
      means.set(component, model.decode(model.means.subarray(at, at + model.dimension)));
    }
    return means.get(component);
  }

  return {
    show(said, ink) {
      const shares = said?.responsibilities ?? [];
      const most = Array.from(shares.keys())
        .sort((a, b) => shares[b] - shares[a])
        .slice(0, MOST_CLUSTERS)
        .filter((k, i) => i === 0 || shares[k] >= LEAST_SHARE);
      cards.forEach((card, i) => {
        const k = most[i];
        if (k === undefined) return card.hide();
        card.show(k, componentTitle(model, k), shares[k], asCss(colours[k]), meanOf(k), ink);
      });
    },
  };
}

/** Colours of a model's components: shades of their label's, or their own without names. */
function coloursOf(model) {
  if (model.names) return componentColours(model.componentNames);
  return Array.from(model.componentNames, (_, k) => colourOf(k));
}

/** What won: its name, its probability, and its colour; a cluster where there are no names. */
export function winnerOf(model, { probabilities, responsibilities }) {
  const shares = probabilities ?? responsibilities;
  const best = shares.indexOf(Math.max(...shares));
  const name = probabilities ? labelTitle(model, best) : componentTitle(model, best);
  return [name, shares[best], asCss(colourOf(best))];
}

function createBar() {
  const name = make("span", { class: "name" });
  const bar = make("i");
  const value = make("span", { class: "value" });
  const row = make("li", {}, name, make("span", { class: "track" }, bar), value);
  return {
    row,
    show(title, p, label, best) {
      name.textContent = title;
      name.title = title;
      bar.style.width = `${100 * p}%`;
      bar.style.background = asCss(colourOf(label));
      value.textContent = share(p);
      row.toggleAttribute("data-best", label === best);
      row.toggleAttribute("data-none", p < LEAST_SHARE);
    },
  };
}

function createCard(onCluster, onOpen) {
  let component = -1;
  const picture = makePicture();
  const swatch = make("i", { class: "swatch" });
  const name = make("span", { class: "name" });
  const value = make("span", { class: "value" });
  const title = onCluster ? "Go to the middle of this cluster" : null;
  const card = makeButton("", () => onCluster(component), { title, disabled: !onCluster });
  card.append(picture, make("span", {}, swatch, name), value);
  const openTitle = "Open the card of this cluster";
  const open =
    onOpen &&
    makeButton("↗", () => onOpen(component), {
      ...{ class: "open", title: openTitle, "aria-label": openTitle },
    });
  const entry = make("div", {}, card, open ?? null);
  return {
    card: entry,
    hide: () => (entry.hidden = true),
    show(k, title, p, colour, pixels, ink) {
      component = k;
      entry.hidden = false;
      name.textContent = title;
      value.textContent = share(p);
      swatch.style.background = colour;
      paint(picture, pixels, ink);
    },
  };
}
