// What a box holds of a picture's ink, in MNIST's form, as photo/cut.py cuts it out.

import { fromInk } from "./form.js";

const CELLS = 160; // along a box's longer side
const MOST_SAMPLES = 4; // of a cell, along each of its sides
const LEAST_STRENGTH = 0.25; // of full ink: less is paper
const SPECK = 0.02; // of the largest piece of ink: what is smaller is dirt
const OF_SIZE = 0.2; // of the largest piece: what is larger may be the digit
const BINS = 256; // of strengths, in which ink and paper are told apart

/**
 * Cut the digit out of a box.
 *
 * @param {{strength: Uint8Array, width: number, height: number}} ink  of a picture, row by row
 * @param {{x: number, y: number, width: number, height: number, angle: number}} box  in pixels, its
 *   middle; radians, clockwise
 * @returns {?Uint8Array}  white ink on black, (784,); null where the box holds no ink
 */
export function cut(ink, box) {
  const cells = sampled(ink, box);
  const [paper, full] = otsu(cells.values);
  if (full - paper < LEAST_STRENGTH) return null;
  const share = (value) => Math.min(Math.max((value - paper) / (full - paper), 0), 1);
  const shares = { ...cells, values: cells.values.map(share) };
  const kept = mainPieces(shares);
  return fromInk({ ...shares, values: shares.values.map((value, i) => value * kept[i]) });
}

/** The ink of a box's cells, each the mean of places in it, linear between centres of pixels. */
function sampled({ strength, width, height }, box) {
  const cell = Math.max(box.width, box.height) / CELLS;
  const n = Math.min(Math.max(1, Math.ceil(cell)), MOST_SAMPLES);
  const [columns, rows] = [box.width, box.height].map((side) =>
    Math.max(1, Math.floor(side / cell + 0.5)),
  );
  const [cosine, sine] = [Math.cos(box.angle), Math.sin(box.angle)];
  const at = (row, column) =>
    row >= 0 && row < height && column >= 0 && column < width ? strength[row * width + column] : 0;
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < rows * n; i++) {
    const down = ((i + 0.5) / (rows * n) - 0.5) * box.height;
    for (let j = 0; j < columns * n; j++) {
      const across = ((j + 0.5) / (columns * n) - 0.5) * box.width;
      const x = box.x + across * cosine - down * sine - 0.5;
      const y = box.y + across * sine + down * cosine - 0.5;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [u, v] = [x - left, y - top];
      const upper = (1 - u) * at(top, left) + u * at(top, left + 1);
      const lower = (1 - u) * at(top + 1, left) + u * at(top + 1, left + 1);
      const cellAt = Math.floor(i / n) * columns + Math.floor(j / n);
      values[cellAt] += ((1 - v) * upper + v * lower) / (255 * n * n);
    }
  }
  return { values, rows, columns };
}

/** The means of the two groups that values in [0, 1] part into best. */
function otsu(values) {
  const counts = new Float64Array(BINS);
  for (const value of values) counts[Math.min(Math.floor(value * BINS), BINS - 1)]++;
  const centre = (bin) => (bin + 0.5) / BINS;
  const total = counts.reduce((sum, n, bin) => sum + n * centre(bin), 0);
  let [below, sum, best, means] = [0, 0, -1, [0, 0]];
  for (let bin = 0; bin < BINS - 1; bin++) {
    below += counts[bin];
    sum += counts[bin] * centre(bin);
    const above = values.length - below;
    const low = sum / Math.max(below, 1);
    const high = (total - sum) / Math.max(above, 1);
    const between = below * above * (high - low) ** 2;
    if (between > best) [best, means] = [between, [low, high]];
  }
  return means;
}

/** 1 where the pieces of ink are that make up a digit, and in the pixels around them, else 0. */
function mainPieces({ values, rows, columns }) {
  const pieces = new Int32Array(values.length); // 0: none
  const areas = [0];
  const isAtEdge = [false];
  for (let first = 0; first < values.length; first++) {
    if (values[first] <= 0.5 || pieces[first]) continue;
    const piece = areas.length;
    const waiting = [first];
    pieces[first] = piece;
    areas.push(0);
    isAtEdge.push(false);
    while (waiting.length) {
      const place = waiting.pop();
      const [row, column] = [Math.floor(place / columns), place % columns];
      areas[piece]++;
      isAtEdge[piece] ||= row === 0 || row === rows - 1 || column === 0 || column === columns - 1;
      around(row, column, rows, columns, (next) => {
        if (values[next] <= 0.5 || pieces[next]) return;
        pieces[next] = piece;
        waiting.push(next);
      });
    }
  }
  const most = Math.max(...areas);
  // A digit that fills the box touches its edge: then there is nothing of size inside.
  if (areas.some((area, piece) => piece > 0 && !isAtEdge[piece] && area >= OF_SIZE * most))
    isAtEdge.forEach((isOut, piece) => isOut && (areas[piece] = 0));
  const least = Math.max(SPECK * Math.max(...areas), 2);
  const kept = new Uint8Array(values.length);
  pieces.forEach((piece, place) => {
    if (!piece || areas[piece] < least) return;
    const [row, column] = [Math.floor(place / columns), place % columns];
    around(row, column, rows, columns, (next) => (kept[next] = 1));
  });
  return kept;
}

/** Call with each place of the three by three around one, itself included. */
function around(row, column, rows, columns, call) {
  for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, rows - 1); y++)
    for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, columns - 1); x++)
      call(y * columns + x);
}
