// How a model learns a hand: labelled drawings become the examples it is adapted with, as in
// adaptation.py.

import { Examples } from "./examples.js";
import { N_PIXELS } from "./network.js";
import { readViews, viewsOf } from "./reading.js";

const LEAST_TO_JUDGE = 5; // fewer drawings say nothing of what they are worth

/**
 * Prepare a labelled drawing: what takes long is done once, however often it is learned.
 *
 * It is learned by itself and parts of it, the views by which it is read: each of them must find
 * its example.
 *
 * @param {Model} model  its components have names
 * @param {object} drawing
 * @param {?number[][][]} [drawing.strokes]
 * @param {?ArrayLike<number>} [drawing.image]  (784,), where there are no strokes
 * @param {number} drawing.label
 * @returns {object}  a lesson: strokes, or null; image (784,) bytes; label; and what is remembered
 *   of its views: images (V, 784) and beliefs (V,), as of `viewsOf`; weights (V,), which sum to 1;
 *   seen, as of `Model.see`
 * @throws {Error} if it is no drawing, or the label is unusable
 */
export function prepare(model, { strokes = null, image = null, label }) {
  const { images, beliefs } = strokes
    ? viewsOf(strokes)
    : { images: Uint8Array.from(image ?? []), beliefs: [] };
  const [n, nLabels] = [images.length / N_PIXELS, model.named().nLabels];
  if (!strokes && n !== 1) throw new Error("image must have 784 bytes.");
  if (!(Number.isInteger(label) && label >= 0 && label < nLabels))
    throw new Error(`label must be a whole number from 0 to ${nLabels - 1}; got ${label}.`);
  const weights = new Float64Array(n).fill(1 / n);
  const first = images.slice(0, N_PIXELS);
  return { strokes, image: first, label, images, beliefs, weights, seen: model.see(images) };
}

/**
 * @param {Model} model
 * @param {object[]} lessons  what `prepare` made of drawings
 * @returns {Model}  one that has also seen these; the model itself where there are none
 */
export function learn(model, lessons) {
  if (!lessons.length) return model;
  const together = (parts) => parts.flatMap((part) => Array.from(part));
  const examples = model.examples ?? Examples.beside(model);
  return model.withExamples(
    examples.withMore(
      together(lessons.map(({ seen }) => seen.z)),
      together(lessons.map(({ weights, label }) => weights.map(() => label))),
      together(lessons.map(({ weights }) => weights)),
    ),
  );
}

/**
 * Measure what drawings are worth to a model that has not learned them: leave one out.
 *
 * @param {Model} model
 * @param {object[]} lessons  what `prepare` made of drawings
 * @returns {?{before: number, after: number, of: number}}  the share of them that is read rightly
 *   without any, and by all the others; how many they are. null: too few to tell
 */
export function worth(model, lessons) {
  if (lessons.length < LEAST_TO_JUDGE) return null;
  const right = (isRight) => lessons.filter(isRight).length / lessons.length;
  return {
    before: right((lesson) => read(model, lesson) === lesson.label),
    after: right((lesson) => {
      const others = lessons.filter((each) => each !== lesson);
      return read(learn(model, others), lesson) === lesson.label;
    }),
    of: lessons.length,
  };
}

/** The label that a model reads a lesson's drawing as, which it has seen before. */
function read(model, { images, beliefs, seen }) {
  const look = () => model.look(images, seen);
  return readViews(Object.create(model, { look: { value: look } }), images, beliefs).label;
}
