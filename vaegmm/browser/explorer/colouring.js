// What points are coloured by: every colouring shares them out into groups, one colour a group.

import { colourOf, componentColours, scaleColour } from "../pieces/colours.js";
import { componentTitle, decimal, labelTitle, nounOf, share } from "../pieces/words.js";

const N_STEPS = 10; // colours of a scale
const TAIL_SHARE = 0.01; // of the points at each end of a scale that share its last colour
const UNCERTAINTY_STEPS = [0.001, 0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1]; // nats
const RIGHT_COLOUR = [126, 146, 164];
const WRONG_COLOUR = [222, 62, 36];

/**
 * What a model's points can be coloured by.
 *
 * @param {Model} model
 * @param {Uint8Array | null} truth  true labels of the stored z
 * @returns {Object<string, string>}  titles by id, the first view's first
 */
export function colourings(model, truth) {
  const isNamed = model.names !== null;
  return {
    cluster: "cluster",
    ...(isNamed && { label: nounOf(model) }),
    likelihood: "log-likelihood",
    typicality: "typicality",
    ...(isNamed && { uncertainty: "uncertainty" }),
    ...(isNamed && truth && { truth: `true ${nounOf(model)}`, right: "right or wrong" }),
  };
}

/**
 * Share out the points.
 *
 * @param {string} id  of `colourings`
 * @param {{model: Model, scores: Scores, truth: ?Uint8Array, palette: string[]}} space
 * @returns {{groups: Uint16Array, entries: {title: string, colour: number[], label?: number}[],
 *   isScale: boolean, meaning: string}}  groups: of each point, (N,); label: what a cluster is
 *   named after
 */
export function colouring(id, space) {
  const { model, scores, truth, palette } = space;
  const n = model.latents.length;
  const labels = (ofPoints) => {
    const entries = model.labelNames.map((title, label) => ({
      ...{ title, colour: colourOf(label, palette) },
    }));
    const nLabels = entries.length;
    const groups = Uint16Array.from(ofPoints, (label) =>
      label >= 0 && label < nLabels ? label : nLabels,
    );
    if (groups.includes(nLabels))
      entries.push({ title: labelTitle(model, -1), colour: colourOf(-1) });
    return { groups, entries, isScale: false };
  };
  if (id === "cluster") {
    const colours = componentColours(model.componentNames, palette);
    const entries = colours.map((colour, k) => ({
      ...{ title: componentTitle(model, k), colour, label: model.componentNames[k] },
    }));
    const groups = Uint16Array.from(model.latents.components);
    return { groups, entries, isScale: false, meaning: "The most likely cluster of each." };
  }
  if (id === "label")
    return { ...labels(scores.label), meaning: `The ${nounOf(model)} that each is read as.` };
  if (id === "truth") return { ...labels(truth), meaning: "What people said that it is." };
  if (id === "right") {
    const isWrong = (_, i) => Number(scores.label[i] !== truth[i]);
    const groups = Uint16Array.from({ length: n }, isWrong);
    const entries = [
      { title: "read rightly", colour: RIGHT_COLOUR },
      { title: "misread", colour: WRONG_COLOUR },
    ];
    return { groups, entries, isScale: false, meaning: "What it is read as against what it is." };
  }
  if (id === "uncertainty") {
    const colour = (step, n) => scaleColour(1 - step / (n - 1));
    const said = (edge) => String(edge);
    const meaning = `Entropy of p(${nounOf(model)}), in nats.`;
    return scaleOf(scores.uncertainty, UNCERTAINTY_STEPS, said, colour, meaning);
  }
  const colour = (step, n) => scaleColour(step / (n - 1));
  if (id === "typicality") {
    const edges = Array.from({ length: N_STEPS - 1 }, (_, i) => (i + 1) / N_STEPS);
    const meaning = "The share of training images whose place is less likely.";
    return scaleOf(scores.rank, edges, (edge) => share(edge, 0), colour, meaning);
  }
  const sorted = scores.logLikelihood.slice().sort();
  const tail = Math.floor(TAIL_SHARE * n);
  const [low, high] = [sorted[tail], sorted[n - 1 - tail]];
  const step = (high - low) / N_STEPS;
  const edges = Array.from({ length: N_STEPS - 1 }, (_, i) => low + (i + 1) * step);
  const meaning = "log p(z) under the mixture, in nats.";
  return scaleOf(scores.logLikelihood, edges, (edge) => decimal(edge, 1), colour, meaning);
}

/** RGBA of the points, (N, 4). */
export function pointColours({ groups, entries }) {
  const rgba = new Uint8Array(4 * groups.length);
  for (let i = 0; i < groups.length; i++) {
    rgba.set(entries[groups[i]].colour, 4 * i);
    rgba[4 * i + 3] = 255;
  }
  return rgba;
}

/** How many points each group has. */
export function groupSizes({ groups, entries }) {
  const sizes = new Uint32Array(entries.length);
  for (const group of groups) sizes[group]++;
  return sizes;
}

function scaleOf(values, edges, said, colour, meaning) {
  const groups = Uint16Array.from(values, (value) => {
    let group = 0;
    while (group < edges.length && value >= edges[group]) group++;
    return group;
  });
  const entries = Array.from({ length: edges.length + 1 }, (_, i) => {
    let title = `${said(edges[i - 1] ?? 0)} to ${said(edges[i] ?? 0)}`;
    if (i === 0) title = `below ${said(edges[0])}`;
    if (i === edges.length) title = `${said(edges[i - 1])} or more`;
    return { title, colour: colour(i, edges.length + 1), edge: i ? said(edges[i - 1]) : "" };
  });
  return { groups, entries, isScale: true, meaning };
}
