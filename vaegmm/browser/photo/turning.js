// What the model says of a box, and whether it lies on its side, as photo_reading.py does.

import { readViews } from "../model/reading.js";

const SIDE = 28;
const ATYPICAL = 0.05; // typicality below which a digit may stand upright only turned
const TURNED = 0.1; // typicality, at least, of what is offered instead
const LEAST_SURE = 0.7; // p(label), at least, of what is offered instead

/**
 * Read what was cut out of a box.
 *
 * @param {Model} model  with names
 * @param {Uint8Array} image  (784,)
 * @returns {{said: object, turn: number, turned: ?object, verdict: string}}  said: as `readViews`
 *   returns it; turn: quarter turns, clockwise, after which the box would stand upright, 0 where it
 *   does; turned: what would be said then, or null; verdict: never "sure" of what may lie on its side
 */
export function readBox(model, image) {
  const said = readViews(model, image);
  if (said.typicality < ATYPICAL) {
    const turns = [1, 2, 3].map((turn) => readViews(model, quarterTurned(image, turn)));
    const best = turns.reduce((most, { typicality }, i) =>
      typicality > turns[most].typicality ? i : most, 0);
    const turned = turns[best];
    if (turned.typicality > TURNED && Math.max(...turned.probabilities) > LEAST_SURE) {
      const verdict = said.verdict === "sure" ? "unsure" : said.verdict;
      return { said, turn: best + 1, turned, verdict };
    }
  }
  return { said, turn: 0, turned: null, verdict: said.verdict };
}

/** An image as a box sees it that was turned clockwise: the image turns the other way. */
function quarterTurned(image, turn) {
  let from = image;
  for (let i = 0; i < turn; i++) {
    const to = new Uint8Array(image.length);
    for (let row = 0; row < SIDE; row++)
      for (let column = 0; column < SIDE; column++)
        to[row * SIDE + column] = from[column * SIDE + SIDE - 1 - row];
    from = to;
  }
  return from;
}
