// The smallest change of a drawing that changes what it is read as, as breaking.py finds it.

import { readStrokes } from "./reading.js";
import { asLines, between, boundsOf, distancesAlong, isDot } from "./strokes.js";

/** Sizes that are tried one after the other, in units of the drawing's longer side. */
export const SIZES = [0.06, 0.12, 0.18, 0.24, 0.3, 0.36, 0.42, 0.48];

const HALVINGS = 3; // of the step in which the answer changed
const MOST_STROKES = 3; // the longest ones, whose ends are changed
const TAIL = 0.3; // of a stroke's length, that follows its end when that is moved
const BARS_AT = [0.25, 0.5, 0.75]; // of the longest stroke's length
const EIGHTH = Math.SQRT1_2;
// x and y, from the right on by eighths of a turn clockwise, as y grows downwards.
const DIRECTIONS = [
  [1, 0],
  [EIGHTH, EIGHTH],
  [0, 1],
  [-EIGHTH, EIGHTH],
  [-1, 0],
  [-EIGHTH, -EIGHTH],
  [0, -1],
  [EIGHTH, -EIGHTH],
];

/**
 * One way to change a drawing: take away an end, move it, draw on from it, or lay a bar across.
 *
 * @typedef {object} Change
 * @property {"cut" | "move" | "add" | "bar"} kind
 * @property {number} stroke  whose end, or on which the bar lies
 * @property {number} place  along the stroke: 0 or 1 for an end
 * @property {number} direction  in eighths of a turn, clockwise from the right; 0 for a cut
 */

/**
 * Look for the smallest change after which another label is read. It takes long, so it is done in
 * steps of one reading at most.
 *
 * @param {Model} model  its components have names
 * @param {number[][][]} strokes
 * @yields {number}  the size that is tried, in units of the drawing's longer side
 * @returns {Generator<number, ?{change: Change, size: number, strokes: number[][][], before: object,
 *   after: object}>}  null where no change of at most half of the drawing's longer side is enough
 * @throws {Error} if the strokes are no drawing
 */
export function* breakDrawing(model, strokes) {
  const before = readStrokes(model, strokes);
  const lines = asLines(strokes);
  const unit = boundsOf(lines).extent;
  const changes = changesOf(lines);
  const readAsOther = (change, size) => {
    const changed = applyChange(lines, change, size * unit);
    if (!changed) return null;
    const after = readStrokes(model, changed);
    const isFit = !after.isStrange || before.isStrange;
    return after.label !== before.label && isFit ? after : null;
  };
  let smaller = 0;
  for (const size of SIZES) {
    let best = null;
    for (const change of changes) {
      let after = readAsOther(change, size);
      yield size;
      if (!after) continue;
      let [low, enough] = [smaller, size];
      for (let i = 0; i < HALVINGS; i++) {
        const middle = (low + enough) / 2;
        const other = readAsOther(change, middle);
        yield size;
        if (other) [enough, after] = [middle, other];
        else low = middle;
      }
      if (!best || enough < best.size) best = { change, size: enough, after };
    }
    if (best) {
      const changed = applyChange(lines, best.change, best.size * unit);
      return { ...best, strokes: changed, before };
    }
    smaller = size;
  }
  return null;
}

/**
 * List the ways to change a drawing: of its longest strokes, in the order they were drawn in.
 *
 * @param {number[][][]} lines
 * @returns {Change[]}
 */
export function changesOf(lines) {
  const lengths = lines.map((line) => distancesAlong(line).at(-1));
  const falling = [...lengths.keys()].sort((a, b) => lengths[b] - lengths[a]);
  const ways = [...DIRECTIONS.keys()];
  const changes = falling
    .slice(0, MOST_STROKES)
    .sort((a, b) => a - b)
    .flatMap((stroke) =>
      [0, 1].flatMap((place) => [
        { kind: "cut", stroke, place, direction: 0 },
        ...["move", "add"].flatMap((kind) =>
          ways.map((direction) => ({ kind, stroke, place, direction })),
        ),
      ]),
    );
  // A bar to the left is the same as one to the right.
  const across = ways.slice(0, ways.length / 2);
  const bars = BARS_AT.flatMap((place) =>
    across.map((direction) => ({ kind: "bar", stroke: falling[0], place, direction })),
  );
  return [...changes, ...bars];
}

/**
 * Change a drawing.
 *
 * @param {number[][][]} lines
 * @param {Change} change
 * @param {number} amount  of ink added, cut or moved, in units of the drawing
 * @returns {?number[][][]}  null where so much cannot be cut
 */
export function applyChange(lines, { kind, stroke, place, direction }, amount) {
  const line = lines[stroke];
  const along = distancesAlong(line);
  const length = along.at(-1);
  const [stepX, stepY] = DIRECTIONS[direction].map((part) => part * amount);
  const moved = ([x, y], share) => [x + share * stepX, y + share * stepY];
  if (kind === "bar") {
    const [middle] = between(line, place, place);
    return [...lines, [moved(middle, -0.5), moved(middle, 0.5)]];
  }
  let changed = line;
  if (kind === "cut") {
    if (amount >= length) return null;
    const share = amount / length;
    changed = place === 0 ? between(line, share, 1) : between(line, 0, 1 - share);
  } else if (kind === "add") {
    changed = place === 0 ? [moved(line[0], 1), ...line] : [...line, moved(line.at(-1), 1)];
  } else {
    const tail = TAIL * length;
    changed = line.map((point, i) => {
      const fromEnd = place === 0 ? along[i] : length - along[i];
      return moved(point, tail > 0 ? Math.max(1 - fromEnd / tail, 0) : 1);
    });
  }
  const drawing = lines.with(stroke, changed);
  return isDot(drawing) ? null : drawing;
}
