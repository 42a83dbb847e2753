// Several digits in a row: where one ends and the next begins, as segmentation.py finds it.

import { readStrokes } from "./reading.js";
import { asLines, boundsOf, distancesAlong, isDot, pointAt, renderStrokes } from "./strokes.js";

const MOST_DIGITS = 12; // in a row

// In units of the highest stroke's height:
const WINDOW = 0.08; // of a stroke, before and behind a point, between which it may turn
const FORWARD = 0.15; // to the right, of a piece that leads from one digit to the next
const SHORTEST = 0.15; // of a piece that a stroke is cut into
const WIDEST = 1.5; // candidate of more than one piece
const FURTHEST = 0.5; // gap, and overlap, that makes a difference

const SHARPEST = 0.64; // cosine of a turn that is no corner
const STRAIGHT = 0.7; // distance of a leading piece's ends over its length
const MOST_PIECES = 6; // of one digit
const MOST_CANDIDATES = 200; // of more, the drawing is no number: gaps alone part it
const LEAST_TYPICALITY = 1e-3;
const TOGETHER = 0.25; // of the narrower of two strokes' width, shared by both: parts of one digit

const DIGIT_WEIGHTS = [-4.25, 0.47, 0.26, 7.83, -8.28, -1.53, 11.19, -2.04];
const LINK_WEIGHTS = [-1.91, 3.68];
const NONE = -1; // no link is left out

/**
 * Read digits that are drawn side by side, from left to right.
 *
 * @param {Model} model  its components have names
 * @param {number[][][]} strokes
 * @returns {object[]}  what `readStrokes` says of each digit, and its strokes
 * @throws {Error} if the strokes are no drawing, or make up more than 12 digits
 */
export function readNumber(model, strokes) {
  return splitNumber(model, strokes).map((digit) => ({
    strokes: digit,
    ...readStrokes(model, digit),
  }));
}

/**
 * Part the strokes of several digits in a row where that explains them best.
 *
 * @param {Model} model  its components have names
 * @param {number[][][]} strokes
 * @returns {number[][][][]}  the strokes of each digit, from left to right
 * @throws {Error} if the strokes are no drawing, or make up more than 12 digits
 */
export function splitNumber(model, strokes) {
  const found = findCandidates(strokes);
  const digits = found ? bestRow(found, ...scoresOf(model, found)) : splitDigits(strokes);
  if (digits.length > MOST_DIGITS) {
    throw new Error(
      `strokes must make up at most ${MOST_DIGITS} digits; got ${digits.length} side by side.`,
    );
  }
  return digits;
}

/**
 * Part strokes by gaps alone: they belong together where one stands above a good part of the other.
 *
 * @param {number[][][]} strokes
 * @returns {number[][][][]}  the strokes of each digit, from left to right
 */
export function splitDigits(strokes) {
  const digits = [];
  const sidesOf = (lines) => {
    const { low, high } = boundsOf(lines);
    return [low[0], high[0]];
  };
  const lines = asLines(strokes).map((line) => ({ line, sides: sidesOf([line]) }));
  for (const { line, sides } of lines.sort((a, b) => a.sides[0] - b.sides[0])) {
    const [left, right] = sides;
    const last = digits.at(-1);
    if (last) {
      const [lastLeft, lastRight] = sidesOf(last);
      const shared = Math.min(right, lastRight) - Math.max(left, lastLeft);
      const narrower = Math.min(right - left, lastRight - lastLeft);
      if (shared > TOGETHER * narrower || (shared >= 0 && narrower === 0)) {
        last.push(line);
        continue;
      }
    }
    digits.push([line]);
  }
  return digits;
}

/** What a drawing may be made of, as `find_candidates`; null where there is too much of it. */
function findCandidates(strokes) {
  const lines = asLines(strokes).filter((line) => !isDot([line]));
  if (!lines.length) return null;
  const unit = unitOf(lines);
  const pieces = lines.flatMap((line, stroke) => cut(stroke, line, unit));
  for (const piece of pieces) {
    const { low, high } = boundsOf([pointsOf(lines, piece)]);
    [piece.left, piece.right] = [low[0], high[0]];
  }
  pieces.sort((a, b) => a.left + a.right - (b.left + b.right));
  const links = pieces.flatMap((piece, i) => (isLink(lines, piece, unit) ? [i] : []));
  const spans = [];
  for (let first = 0; first < pieces.length; first++) {
    let [left, right] = [Infinity, -Infinity];
    for (let last = first; last < pieces.length; last++) {
      left = Math.min(left, pieces[last].left);
      right = Math.max(right, pieces[last].right);
      const isWide = right - left > WIDEST * unit;
      if (last > first && (isWide || last - first >= MOST_PIECES)) break;
      const inside = links.filter((link) => first < link && link < last);
      for (const leftOut of [NONE, ...inside]) spans.push({ first, last, leftOut });
    }
    if (spans.length > MOST_CANDIDATES) return null;
  }
  return { lines, unit, pieces, links, spans };
}

/** What each candidate for a digit, and each link, adds to a row: `describe`, weighed. */
function scoresOf(model, { lines, unit, pieces, links, spans }) {
  const whole = spans.map((span) => wholePieces(pieces, span));
  const drawings = whole.map((parts) => parts.map((part) => pointsOf(lines, part)));
  const { typicality, probabilities } = model.look(renderStrokes(drawings));
  const nLabels = model.labelNames.length;
  const gaps = gapsOf(pieces, unit);
  const digits = spans.map(({ first }, i) => {
    const size = boundsOf(drawings[i]).size;
    const [width, height] = [size[0] / unit, size[1] / unit];
    const best = probabilities.subarray(i * nLabels, (i + 1) * nLabels).reduce((a, b) => Math.max(a, b));
    const gap = Math.min(Math.max(gaps[first], -FURTHEST), FURTHEST);
    return weigh(DIGIT_WEIGHTS, [
      1,
      Math.log(typicality[i] + LEAST_TYPICALITY),
      Math.log(best),
      Math.min(height, 1),
      Math.max(width - height, 0),
      whole[i].reduce((n, part) => n + isCut(lines, part), 0),
      Math.max(gap, 0),
      Math.max(-gap, 0),
    ]);
  });
  const scoreOfLink = new Map(
    links.map((link) => {
      const length = distancesAlong(pointsOf(lines, pieces[link])).at(-1);
      return [link, weigh(LINK_WEIGHTS, [1, length / unit])];
    }),
  );
  return [digits, scoreOfLink];
}

/** The row with the highest sum of scores: the strokes of each digit. */
function bestRow({ lines, pieces, spans }, digits, scoreOfLink) {
  const n = pieces.length;
  const best = new Float64Array(n + 1).fill(-Infinity);
  const came = new Array(n + 1);
  best[0] = 0;
  const step = (from, to, score, span) => {
    if (best[from] + score <= best[to]) return;
    best[to] = best[from] + score;
    came[to] = { from, span };
  };
  let at = 0;
  for (let first = 0; first < n; first++) {
    // A row begins and ends with a digit: what is left out lies between two.
    if (first > 0 && scoreOfLink.has(first)) step(first, first + 1, scoreOfLink.get(first), null);
    for (; at < spans.length && spans[at].first === first; at++) {
      const { last, leftOut } = spans[at];
      step(first, last + 1, digits[at] + (scoreOfLink.get(leftOut) ?? 0), spans[at]);
    }
  }
  const row = [];
  for (let piece = n; piece > 0; piece = came[piece].from)
    if (came[piece].span) row.unshift(came[piece].span);
  return row.map((span) => wholePieces(pieces, span).map((part) => pointsOf(lines, part)));
}

/** The pieces of a candidate in the order they were drawn in; neighbours in a stroke are one. */
function wholePieces(pieces, { first, last, leftOut }) {
  const chosen = pieces.slice(first, last + 1).filter((_, i) => first + i !== leftOut);
  chosen.sort((a, b) => a.stroke - b.stroke || a.first - b.first);
  const joined = [];
  for (const { stroke, first, last } of chosen) {
    const before = joined.at(-1);
    if (before?.stroke === stroke && before.last === first) before.last = last;
    else joined.push({ stroke, first, last });
  }
  return joined;
}

function pointsOf(lines, { stroke, first, last }) {
  return lines[stroke].slice(first, last + 1);
}

/** How many of a piece's ends are cuts. */
function isCut(lines, { stroke, first, last }) {
  return (first > 0) + (last < lines[stroke].length - 1);
}

/** Whether a piece leads on to the right, nearly straight, within its stroke. */
function isLink(lines, piece, unit) {
  if (isCut(lines, piece) < 2) return false;
  const points = pointsOf(lines, piece);
  const [from, to] = [points[0], points.at(-1)];
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = distancesAlong(points).at(-1);
  return dx > FORWARD * unit && Math.sqrt(dx * dx + dy * dy) > STRAIGHT * length;
}

/** The height of the highest stroke, or the width of the widest where all lie flat. */
function unitOf(lines) {
  const sizes = lines.map((line) => boundsOf([line]).size);
  const [width, height] = [0, 1].map((axis) => Math.max(...sizes.map((size) => size[axis])));
  return height > 0.1 * width ? height : width;
}

/** How far what lies from each piece on is behind what lies before it; overlaps are negative. */
function gapsOf(pieces, unit) {
  const gaps = new Float64Array(pieces.length);
  const left = pieces.map((piece) => piece.left);
  for (let i = left.length - 2; i >= 0; i--) left[i] = Math.min(left[i], left[i + 1]);
  let right = -Infinity;
  for (let i = 1; i < pieces.length; i++) {
    right = Math.max(right, pieces[i - 1].right);
    gaps[i] = (left[i] - right) / unit;
  }
  return gaps;
}

/** Cut a stroke where it turns most, so that no piece is too short. */
function cut(stroke, line, unit) {
  const along = distancesAlong(line);
  const [window, shortest] = [WINDOW * unit, SHORTEST * unit];
  const cosine = line.map(([x, y], i) => {
    if (along[i] < shortest || along[i] > along.at(-1) - shortest) return 1;
    const before = pointAt(line, along, along[i] - window);
    const behind = pointAt(line, along, along[i] + window);
    const [ax, ay, bx, by] = [before[0] - x, before[1] - y, behind[0] - x, behind[1] - y];
    const lengths = Math.sqrt(ax * ax + ay * ay) * Math.sqrt(bx * bx + by * by);
    return lengths > 0 ? -(ax * bx + ay * by) / lengths : 1;
  });
  const cuts = [];
  const sharpest = [...cosine.keys()].sort((a, b) => cosine[a] - cosine[b]);
  for (const point of sharpest) {
    if (cosine[point] >= SHARPEST) break;
    if (cuts.every((other) => Math.abs(along[point] - along[other]) >= shortest)) cuts.push(point);
  }
  const ends = [0, ...cuts.sort((a, b) => a - b), line.length - 1];
  return ends.slice(1).map((last, i) => ({ stroke, first: ends[i], last }));
}

function weigh(weights, values) {
  return values.reduce((sum, value, i) => sum + weights[i] * value, 0);
}
