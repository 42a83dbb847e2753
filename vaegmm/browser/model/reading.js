// What a model says of one drawing, image or place, with and without names, as reading.py does.

import { evidence } from "./names.js";
import { N_PIXELS } from "./network.js";
import { greatest, readingOf } from "./scores.js";
import { drawingParts, hasDot, renderStrokes, runsOff } from "./strokes.js";

/** Typicality below which an image is no digit. */
export const STRANGE = 0.0055;
/** p(label) from which on a label is said without a doubt. */
export const SURE = 0.8;

// How much a view is believed is the exponential of a sum, relative to the other views.
const EVIDENCE = 0.5; // for each nat of evidence
const WHOLE = 2.5; // for nothing being left out
const SHARE = -2; // for all of a stroke that is cut off
const TURN = 2.2; // for a beginning that goes on straight into the rest
const LEFTWARD = 2.2; // for an end that goes to the left, as the hook of a 9 does

/**
 * Read a digit drawn in strokes, from views of it: itself, and parts of it.
 *
 * @param {Model} model
 * @param {number[][][]} strokes
 * @param {object} [options]
 * @param {number[]} [options.pad]  width and height of what was drawn on, in the strokes' unit, to
 *   be told what runs off it; the origin is its upper left corner
 * @returns {object}  as `readViews`; typicality is 0 for a drawing with a dot, which no training
 *   image has; verdict can be "off the pad"
 * @throws {Error} if the strokes are no drawing
 */
export function readStrokes(model, strokes, { pad } = {}) {
  const { images, beliefs } = viewsOf(strokes);
  const said = readViews(model, images, beliefs);
  if (hasDot(strokes)) Object.assign(said, judge(said.probabilities, 0));
  return pad && runsOff(strokes, ...pad) ? { ...said, verdict: "off the pad" } : said;
}

/**
 * @param {number[][][]} strokes
 * @returns {{images: Uint8Array, beliefs: number[]}}  the views by which a drawing is read, itself
 *   first, (V, 784), and how far each is believed before it is looked at, (V,)
 * @throws {Error} if the strokes are no drawing
 */
export function viewsOf(strokes) {
  const parts = drawingParts(strokes);
  const beliefs = parts.map(
    ({ share, turn, leftward }) => SHARE * share + TURN * turn + LEFTWARD * leftward,
  );
  const images = renderStrokes([strokes, ...parts.map((part) => part.strokes)]);
  return { images, beliefs: [WHOLE, ...beliefs] };
}

/**
 * Read a digit from views of it, each believed the more, the more likely its z is and the better
 * the decoder explains it.
 *
 * It adds up: p(label) = sum_v weight_v sum_k p(component k | view v) p(label | k), where
 * p(label | k) is `model.names.labelGivenComponent`.
 *
 * @param {Model} model
 * @param {ArrayLike<number>} images  (V, 784), the whole first; of a model without names the
 *   whole alone is looked at
 * @param {number[]} [beliefs]  how far each view is believed before it is looked at, as logarithms
 * @returns {object}  label and probabilities (C,), null where the components have no names;
 *   verdict: "sure", "unsure" or "strange"; of the whole: image (784,) as it was given, z (D,), std
 *   (D,), responsibilities (K,), typicality, isStrange, reconstruction (784,); views: of each,
 *   image, weight, z, typicality, responsibilities, votes of examples (C,), null where the model is
 *   not adapted, and label and probabilities, or null
 */
export function readViews(model, images, beliefs = []) {
  const nViews = model.names ? images.length / N_PIXELS : 1;
  const looks = model.look(images.slice(0, nViews * N_PIXELS));
  const weights = weightsOf(looks, beliefs);
  const row = (array, v) => {
    const width = array.length / nViews;
    return array.slice(v * width, (v + 1) * width);
  };
  const views = weights.map((weight, v) => {
    const probabilities = looks.probabilities && row(looks.probabilities, v);
    return {
      image: images.slice(v * N_PIXELS, (v + 1) * N_PIXELS),
      weight,
      z: row(looks.z, v),
      typicality: looks.typicality[v],
      responsibilities: row(looks.responsibilities, v),
      votes: looks.votes && row(looks.votes, v),
      probabilities,
      label: probabilities && greatest(probabilities),
    };
  });
  const [{ image, z, typicality, responsibilities }] = views;
  const probabilities = looks.probabilities && mean(views);
  return {
    label: probabilities && greatest(probabilities),
    probabilities,
    image,
    z,
    std: row(looks.std, 0),
    responsibilities,
    reconstruction: row(looks.reconstruction, 0),
    ...judge(probabilities, typicality),
    views,
  };
}

/**
 * Say of a place in the latent space what there is to say without an image.
 *
 * @param {Model} model
 * @param {ArrayLike<number>} z  (D,)
 * @returns {object}  z, responsibilities, probabilities, null where the components have no names;
 *   typicality: the share of training images whose z is less likely; isStrange and verdict
 */
export function readPlace(model, z) {
  const { responsibilities, probabilities, rank } = readingOf(model, z);
  return { z, responsibilities, probabilities, ...judge(probabilities, rank) };
}

/** How much each view is believed; they sum to 1. */
function weightsOf({ logLikelihood, excess }, beliefs) {
  const sums = Array.from(logLikelihood, (value, v) => {
    return (beliefs[v] ?? 0) + EVIDENCE * evidence(value, excess[v]);
  });
  const most = Math.max(...sums);
  const weights = sums.map((sum) => Math.exp(sum - most));
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

/** Certainty and typicality in one word: what is strange has no label, however sure it is. */
function judge(probabilities, typicality) {
  const isStrange = typicality < STRANGE;
  const isSure = !probabilities || Math.max(...probabilities) >= SURE;
  return { typicality, isStrange, verdict: isStrange ? "strange" : isSure ? "sure" : "unsure" };
}

function mean(views) {
  const sum = new Float32Array(views[0].probabilities.length);
  for (const { weight, probabilities } of views)
    for (let c = 0; c < sum.length; c++) sum[c] += weight * probabilities[c];
  return sum;
}
