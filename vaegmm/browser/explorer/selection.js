// What lies in a box or a lasso: how many of what, and as files to take along.

import { componentTitle, labelTitle } from "../pieces/words.js";

/**
 * Count points by label and by component.
 *
 * @param {ArrayLike<number>} indices
 * @param {{model: Model, scores: Scores}} space
 * @returns {{labels: {label: number, count: number}[], components: {component: number,
 *   count: number}[]}}  the most frequent first
 */
export function composition(indices, { model, scores }) {
  const counts = (key, values) => {
    const tally = new Map();
    for (const i of indices) tally.set(values[i], (tally.get(values[i]) ?? 0) + 1);
    return [...tally]
      .map(([value, count]) => ({ [key]: value, count }))
      .sort((a, b) => b.count - a.count || a[key] - b[key]);
  };
  return {
    labels: counts("label", scores.label),
    components: counts("component", model.latents.components),
  };
}

/**
 * The numbers of points, as arrays for `toNpz`.
 *
 * @param {ArrayLike<number>} indices  (M,)
 * @param {{model: Model, scores: Scores, truth: ?Uint8Array}} space
 */
export function arraysOf(indices, { model, scores, truth }) {
  const { latents, dimension } = model;
  const n = indices.length;
  const pick = (Type, values) => ({ data: Type.from(indices, (i) => values[i]), shape: [n] });
  const z = new Float32Array(n * dimension);
  Array.from(indices).forEach((i, at) =>
    z.set(latents.z.subarray(i * dimension, (i + 1) * dimension), at * dimension),
  );
  return {
    rows: { data: Uint32Array.from(indices, (i) => latents.row(i)), shape: [n] },
    z: { data: z, shape: [n, dimension] },
    components: pick(Uint16Array, latents.components),
    ...(model.names && { labels: pick(Int32Array, scores.label) }),
    ...(truth && { true_labels: pick(Uint8Array, truth) }),
    log_likelihood: pick(Float32Array, scores.logLikelihood),
  };
}

/** The same as a table of text, one line a point. */
export function toCsv(indices, { model, scores, truth }) {
  const { latents, dimension } = model;
  const lines = [
    [
      ...["row", "cluster", "cluster_name"],
      ...(model.names ? ["label"] : []),
      ...(truth ? ["true_label"] : []),
      "log_likelihood",
      ...Array.from({ length: dimension }, (_, d) => `z${d + 1}`),
    ],
  ];
  for (const i of indices) {
    const component = latents.components[i];
    lines.push([
      ...[latents.row(i), component, cell(componentTitle(model, component))],
      ...(model.names ? [cell(labelTitle(model, scores.label[i]))] : []),
      ...(truth ? [cell(model.labelNames[truth[i]] ?? truth[i])] : []),
      scores.logLikelihood[i],
      ...latents.z.subarray(i * dimension, (i + 1) * dimension),
    ]);
  }
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

// A spreadsheet would compute what begins like a formula.
function cell(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : String(text);
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
