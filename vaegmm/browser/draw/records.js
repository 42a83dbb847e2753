// What is kept of a drawing: how it was read, and the drawings that a file holds.

import { fromFile } from "../model/drawingfile.js";
import { readStrokes, readViews } from "../model/reading.js";

/**
 * What `Drawings` keeps of a reading.
 *
 * @param {Model} model
 * @param {object} said  as `readViews` returns it
 * @param {Drawings} drawings  what is known of the hand so far
 * @returns {{name: string, share: number, verdict: string, nKnown: number}}
 */
export function asRead(model, { label, probabilities, verdict }, { learned }) {
  const name = model.labelNames[label];
  return { name, share: probabilities[label], verdict, nKnown: learned.length };
}

/**
 * The drawings of a file that are not there yet, as `Drawings.keepAll` takes them.
 *
 * @param {ArrayBuffer} bytes  what `Hand.toNpz` wrote
 * @param {Model} reader
 * @param {Drawings} drawings
 * @returns {[object, string][]}  drawings, each with what it was
 * @throws {Error} if it is another kind of file, or has labels that the model has not
 */
export function freshDrawings(bytes, reader, drawings) {
  const names = reader.labelNames;
  const isHere = new Set(drawings.kept.map(keyOf));
  const fresh = [];
  for (const { strokes, image, label } of fromFile(bytes)) {
    const drawing = strokes ? { strokes } : { strokes: null, image: Array.from(image) };
    if (!names[label]) throw new Error(`It has labels that this model has not: ${label}.`);
    if (isHere.has(keyOf({ ...drawing, truth: names[label] }))) continue;
    const said = strokes ? readStrokes(reader, strokes) : readViews(reader, image);
    fresh.push([{ ...drawing, ...asRead(reader, said, drawings) }, names[label]]);
  }
  return fresh;
}

/** The same for the same drawing with the same truth. */
function keyOf({ strokes, image, truth }) {
  return JSON.stringify([strokes ?? image, truth]);
}
