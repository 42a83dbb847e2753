// What a model says of one drawing, image or place, with and without names, as reading.py does.

import { STRANGE } from "./model.js";
import { readingOf } from "./scores.js";
import { partialDrawings, renderStrokes } from "./strokes.js";

/**
 * Read a digit drawn in strokes, from views of it: itself, and parts of it.
 *
 * @param {Model} model
 * @param {number[][][]} strokes
 * @returns {object}  as `readViews`, and image, (784,)
 * @throws {Error} if the strokes are no drawing
 */
export function readStrokes(model, strokes) {
  return readViews(model, renderStrokes([strokes, ...partialDrawings(strokes)]));
}

/**
 * Read an image from views of it, (V, 784), the whole first.
 *
 * @returns {object}  image (784,) as it was given; label and probabilities (C,), null where the
 *   components have no names; responsibilities (K,), typicality, isStrange, z (D,), std (D,),
 *   reconstruction (784,)
 */
export function readViews(model, views) {
  const image = views.slice(0, 784);
  if (model.names) return { image, ...model.readViews(views) };
  const { typicality, ...looks } = model.look(image);
  const isStrange = typicality[0] < STRANGE;
  const nameless = { label: null, probabilities: null };
  return { image, ...nameless, ...looks, typicality: typicality[0], isStrange };
}

/**
 * Say of a place in the latent space what there is to say without an image.
 *
 * @param {Model} model
 * @param {ArrayLike<number>} z  (D,)
 * @returns {object}  z, responsibilities, probabilities, null where the components have no names;
 *   typicality: the share of training images whose z is less likely
 */
export function readPlace(model, z) {
  const { responsibilities, probabilities, rank: typicality } = readingOf(model, z);
  return { z, responsibilities, probabilities, typicality, isStrange: typicality < STRANGE };
}
