// How a model learns a hand: labelled drawings become the examples it is adapted with, as in
// adaptation.py.

import { Examples } from "./examples.js";
import { N_PIXELS } from "./network.js";
import { readViews, viewsOf } from "./reading.js";

const LEAST_TO_JUDGE = 5; // fewer drawings say nothing of what they are worth
const LEAST_WEIGHT = 0.01; // of a view, where those of a drawing sum to 1

/**
 * Prepare a labelled drawing: what takes long is done once, however often it is learned.
 *
 * It is learned by the views by which it is read, each as much as it is believed, so that what looks
 * like another digit without one of its strokes teaches little; views that are hardly believed are
 * left out.
 *
 * @param {Model} model  its components have names
 * @param {object} drawing
 * @param {?number[][][]} [drawing.strokes]
 * @param {?ArrayLike<number>} [drawing.image]  (784,), where there are no strokes
 * @param {number} drawing.label
 * @returns {object}  a lesson: strokes, or null; image (784,) bytes; label; z (W, D) and weights
 *   (W,), which sum to 1, of what it teaches; and what is remembered of all V views: images (V, 784)
 *   and beliefs (V,), as of `viewsOf`, and seen, as of `Model.see`
 * @throws {Error} if it is no drawing, or the label is unusable
 */
export function prepare(model, { strokes = null, image = null, label }) {
  const nLabels = model.named().nLabels;
  if (!(Number.isInteger(label) && label >= 0 && label < nLabels))
    throw new Error(`label must be a whole number from 0 to ${nLabels - 1}; got ${label}.`);
  if (!strokes && image?.length !== N_PIXELS) throw new Error("image must have 784 bytes.");
  const { images, beliefs } = strokes
    ? viewsOf(strokes)
    : { images: Uint8Array.from(image), beliefs: [] };
  const remembered = { images, beliefs, seen: model.see(images) };
  const { views } = readAgain(model, remembered);
  const counting = views.filter(({ weight }) => weight >= LEAST_WEIGHT);
  const total = counting.reduce((sum, { weight }) => sum + weight, 0);
  return {
    ...{ strokes, image: images.slice(0, N_PIXELS), label, ...remembered },
    z: counting.flatMap(({ z }) => Array.from(z)),
    weights: counting.map(({ weight }) => weight / total),
  };
}

/**
 * @param {Model} model
 * @param {object[]} lessons  what `prepare` made of drawings
 * @returns {Model}  one that has also seen these; the model itself where there are none
 */
export function learn(model, lessons) {
  if (!lessons.length) return model;
  const examples = model.examples ?? Examples.beside(model);
  return model.withExamples(
    examples.withMore(
      lessons.flatMap(({ z }) => z),
      lessons.flatMap(({ weights, label }) => weights.map(() => label)),
      lessons.flatMap(({ weights }) => weights),
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

function read(model, lesson) {
  return readAgain(model, lesson).label;
}

/** Read a drawing whose views were seen before. */
function readAgain(model, { images, beliefs, seen }) {
  const look = () => model.look(images, seen);
  return readViews(Object.create(model, { look: { value: look } }), images, beliefs);
}
