// Digits to begin with: of each label the middles of its clusters, decoded.

import { componentTitle } from "../pieces/words.js";

const MOST_NAMELESS = 12; // clusters that are shown where none has a name

/**
 * Choose images that a model knows best. They are decoded: no data set is needed.
 *
 * @param {Model} model
 * @returns {{name: string, label: number, images: Uint8Array[]}[]}  of each label that a cluster
 *   is named after, or, without names, of each of the largest clusters: the images (784,) of their
 *   middles, that of the largest cluster first
 */
export function typicalImages(model) {
  const { weights } = model;
  const order = Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a]);
  if (!model.names)
    return order
      .slice(0, MOST_NAMELESS)
      .map((k) => ({ name: componentTitle(model, k), label: k, images: [middle(model, k)] }));
  return model.labelNames.flatMap((name, label) => {
    const named = order.filter((k) => model.componentNames[k] === label);
    return named.length ? [{ name, label, images: named.map((k) => middle(model, k)) }] : [];
  });
}

function middle(model, component) {
  const at = component * model.dimension;
  const pixels = model.decode(model.means.subarray(at, at + model.dimension));
  return Uint8Array.from(pixels, (value) => Math.round(255 * value));
}
