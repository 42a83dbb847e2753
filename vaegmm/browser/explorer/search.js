// Finds stored z: what a person writes becomes a query, and a query a list of points.

import { countOf, labelTitle, nounOf } from "../pieces/words.js";

const MOST_SUGGESTIONS = 12;
// "31", "cluster 31", "c31", "image 31", "row 31" or "#31".
const NUMBERED = /^(?:(c[a-z]*)|(r[a-z]*|i[a-z]*|#))?\s*(\d{1,9})$/;

/**
 * @typedef {{kind: string, value: number}} Query  kind: "label", "cluster", "strange", "uncertain",
 *   "misread" or "row"; value: which label, component or row, 0 of the others
 */

/**
 * What can be searched for, by what was written so far.
 *
 * @param {string} text
 * @param {Model} model
 * @param {boolean} hasTruth
 * @returns {{query: Query, title: string}[]}  the best first
 */
export function suggestions(text, model, hasTruth) {
  const wanted = text.trim().toLowerCase();
  const all = [
    ...model.labelNames.map((_, label) => ({ kind: "label", value: label })),
    { kind: "strange", value: 0 },
    ...(model.names ? [{ kind: "uncertain", value: 0 }] : []),
    ...(model.names && hasTruth ? [{ kind: "misread", value: 0 }] : []),
  ].map((query) => ({ query, title: queryTitle(query, model) }));
  if (!wanted) return all;
  const found = all.filter(({ query, title }) =>
    query.kind === "label"
      ? model.labelNames[query.value].toLowerCase().startsWith(wanted) ||
        title.toLowerCase().startsWith(wanted)
      : title.toLowerCase().includes(wanted),
  );
  const number = NUMBERED.exec(wanted);
  if (number) {
    const [, isCluster, isRow, digits] = number;
    const value = Number(digits);
    if (!isRow && value < model.nComponents) found.push({ query: { kind: "cluster", value } });
    if (!isCluster && indexOfRow(model.latents, value) >= 0)
      found.push({ query: { kind: "row", value } });
  } else if ("cluster".startsWith(wanted))
    for (let value = 0; value < Math.min(model.nComponents, MOST_SUGGESTIONS); value++)
      found.push({ query: { kind: "cluster", value } });
  return found
    .map(({ query }) => ({ query, title: queryTitle(query, model) }))
    .slice(0, MOST_SUGGESTIONS);
}

/** What a query is called. */
export function queryTitle({ kind, value }, model) {
  if (kind === "label") return `${nounOf(model)} ${labelTitle(model, value)}`;
  if (kind === "cluster") {
    const label = model.componentNames[value];
    return `cluster ${value}${label >= 0 ? `: ${labelTitle(model, label)}` : ""}`;
  }
  if (kind === "row") return `image ${countOf(value)}`;
  return { strange: "least typical", uncertain: "least certain", misread: "misread" }[kind];
}

/**
 * Find points.
 *
 * Those of a label or a cluster come with the most likely first, those that are misread with the
 * most certain first.
 *
 * @param {Query} query
 * @param {{model: Model, scores: Scores, truth: ?Uint8Array}} space
 * @returns {Uint32Array}  indices, in the order in which they are to be looked at
 */
export function found({ kind, value }, { model, scores, truth }) {
  const { latents } = model;
  if (kind === "row") {
    const index = indexOfRow(latents, value);
    return Uint32Array.from(index < 0 ? [] : [index]);
  }
  const all = new Uint32Array(latents.length).map((_, i) => i);
  const rising = (values, sign = 1) => (a, b) => sign * (values[a] - values[b]) || a - b;
  if (kind === "strange") return all.sort(rising(scores.logLikelihood));
  if (kind === "uncertain") return all.sort(rising(scores.uncertainty, -1));
  if (kind === "misread")
    return all.filter((i) => scores.label[i] !== truth[i]).sort(rising(scores.uncertainty));
  const ofPoints = kind === "label" ? scores.label : latents.components;
  return all.filter((i) => ofPoints[i] === value).sort(rising(scores.logLikelihood, -1));
}

/** Whether a query narrows down the points: the others are dimmed then. */
export function isSelective({ kind }) {
  return kind !== "strange" && kind !== "uncertain";
}

/** The index of the stored z of a row of the training data, or -1. */
export function indexOfRow({ rows, length }, row) {
  if (!rows) return row < length ? row : -1;
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle] < row) low = middle + 1;
    else high = middle;
  }
  return rows[low] === row ? low : -1;
}
