// Ink is brought to MNIST's form, as mnist_form.py does.

const SIDE = 28; // pixels of the field
const BOX = 20; // pixels of the box that the digit is scaled to
const PEN_WIDTH = 2.4; // pixels
const FINE = 8; // sub-pixels of one pixel, along each side
const SOFTNESS = 0.35; // pixels of blur
const FAR = 1e12; // a squared distance that nothing has

/**
 * Grey ink in MNIST's form, drawn with a pen of one width.
 *
 * @param {{values: Float64Array, rows: number, columns: number}} ink  0 where there is none, 1
 *   where it is full; somewhere above one half
 * @returns {Uint8Array}  white ink on black, (784,)
 */
export function fromInk(ink) {
  const box = tight(padded(ink, 1));
  const longest = Math.max(box.rows, box.columns) - 2;
  let moved = 0;
  let inside, distance;
  for (let round = 0; round < 2; round++) {
    const scale = (BOX * FINE - 2 * moved) / longest;
    const drawn = padded(resampled(box, scale), (SIDE * FINE) / 4);
    inside = { ...drawn, values: Uint8Array.from(drawn.values, (value) => (value > 0.5 ? 1 : 0)) };
    distance = distanceTo(inside, 0);
    let [sum, n] = [0, 0];
    inside.values.forEach((isInk, i) => {
      if (!isInk) return;
      sum += distance[i];
      n++;
    });
    const stroke = (4 * sum) / n;
    // Thinning stops before a stroke's thinner places break.
    moved = Math.max((PEN_WIDTH * FINE - stroke) / 2, -0.3 * stroke);
  }
  const outside = distanceTo(inside, 1);
  const drawn = inside.values.map((isInk, i) =>
    (isInk ? distance[i] - 0.5 : 0.5 - outside[i]) > -moved ? 1 : 0,
  );
  return centred({ ...inside, values: drawn });
}

function padded({ values, rows, columns }, by) {
  const wide = { rows: rows + 2 * by, columns: columns + 2 * by };
  wide.values = new Float64Array(wide.rows * wide.columns);
  for (let row = 0; row < rows; row++)
    wide.values.set(
      values.subarray(row * columns, (row + 1) * columns),
      (row + by) * wide.columns + by,
    );
  return wide;
}

/** The first row and column of what is above one half, and those after the last. */
function extentOf({ values, rows, columns }) {
  let [top, bottom, left, right] = [rows, 0, columns, 0];
  for (let row = 0, i = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, i++) {
      if (values[i] <= 0.5) continue;
      top = Math.min(top, row);
      bottom = row + 1;
      left = Math.min(left, column);
      right = Math.max(right, column + 1);
    }
  return [top, bottom, left, right];
}

/** What is around the ink, and a pixel more on each side. */
function tight(ink) {
  const [top, bottom, left, right] = extentOf(ink);
  const box = { rows: bottom - top + 2, columns: right - left + 2 };
  box.values = new Float64Array(box.rows * box.columns);
  for (let row = 0; row < box.rows; row++) {
    const from = (top - 1 + row) * ink.columns + left - 1;
    box.values.set(ink.values.subarray(from, from + box.columns), row * box.columns);
  }
  return box;
}

/** Scale ink, linear between the centres of its pixels: down the rows, then along them. */
function resampled({ values, rows, columns }, scale) {
  const down = placesOf(rows, scale);
  const along = placesOf(columns, scale);
  const tall = new Float64Array(down.length * columns);
  down.forEach(([first, share], row) => {
    for (let column = 0; column < columns; column++) {
      const before = values[first * columns + column];
      const after = values[(first + 1) * columns + column];
      tall[row * columns + column] = before + share * (after - before);
    }
  });
  const out = new Float64Array(down.length * along.length);
  for (let row = 0, i = 0; row < down.length; row++)
    for (const [first, share] of along) {
      const before = tall[row * columns + first];
      out[i++] = before + share * (tall[row * columns + first + 1] - before);
    }
  return { values: out, rows: down.length, columns: along.length };
}

/** For each new pixel the old one before it, and the share of the way to the next. */
function placesOf(side, scale) {
  const n = Math.max(1, Math.floor(side * scale + 0.5));
  return Array.from({ length: n }, (_, i) => {
    const place = Math.min(Math.max((i + 0.5) * (side / n) - 0.5, 0), side - 1);
    const first = Math.min(Math.floor(place), side - 2);
    return [first, place - first];
  });
}

/**
 * How far each pixel is from the nearest one of a value.
 *
 * Source: Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, 2012.
 */
function distanceTo({ values, rows, columns }, wanted) {
  const squared = Float64Array.from(values, (value) => (value === wanted ? 0 : FAR));
  const longest = Math.max(rows, columns);
  const line = new Float64Array(longest);
  const scratch = [new Float64Array(longest), new Int32Array(longest)];
  const ends = new Float64Array(longest + 1);
  const along = (start, step, n) => {
    for (let i = 0; i < n; i++) line[i] = squared[start + i * step];
    lowest(line, n, ...scratch, ends);
    for (let i = 0; i < n; i++) squared[start + i * step] = scratch[0][i];
  };
  for (let column = 0; column < columns; column++) along(column, columns, rows);
  for (let row = 0; row < rows; row++) along(row * columns, 1, columns);
  return squared.map(Math.sqrt);
}

/** The lower envelope of parabolas that stand on a line's values, into `out`. */
function lowest(line, n, out, roots, ends) {
  let last = 0;
  roots[0] = 0;
  ends[0] = -Infinity;
  ends[1] = Infinity;
  const meet = (q, p) => (line[q] + q * q - line[p] - p * p) / (2 * q - 2 * p);
  for (let q = 1; q < n; q++) {
    let at = meet(q, roots[last]);
    while (at <= ends[last]) at = meet(q, roots[--last]);
    roots[++last] = q;
    ends[last] = at;
    ends[last + 1] = Infinity;
  }
  for (let q = 0, k = 0; q < n; q++) {
    while (ends[k + 1] < q) k++;
    out[q] = (q - roots[k]) ** 2 + line[roots[k]];
  }
}

/** Put the centre of mass at the field's centre, and scale down with soft edges. */
function centred(drawn) {
  const side = SIDE * FINE;
  const [top, bottom, left, right] = extentOf(drawn);
  const [rows, columns] = [Math.min(bottom - top, side), Math.min(right - left, side)];
  const isInk = (row, column) => drawn.values[(top + row) * drawn.columns + left + column];
  let [mass, down, along] = [0, 0, 0];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      if (!isInk(row, column)) continue;
      mass++;
      down += row;
      along += column;
    }
  // Never so far that ink would leave the field.
  const start = (centre, room) =>
    Math.min(Math.max(Math.floor((side - 1) / 2 - centre / mass + 0.5), 0), side - room);
  const [firstRow, firstColumn] = [start(down, rows), start(along, columns)];
  const pixels = new Float64Array(SIDE * SIDE);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const y = Math.floor((firstRow + row) / FINE);
      const x = Math.floor((firstColumn + column) / FINE);
      pixels[y * SIDE + x] += isInk(row, column) / FINE ** 2;
    }
  const soft = softened(softened(pixels, SIDE), 1);
  const most = soft.reduce((a, b) => Math.max(a, b));
  return Uint8Array.from(soft, (value) => Math.round((value / most) * 255));
}

/** Blur by a Gaussian, its edges mirrored, along lines of pixels that lie `step` apart. */
function softened(pixels, step) {
  const beside = Math.exp(-0.5 / SOFTNESS ** 2);
  const weight = 1 / (1 + 2 * beside);
  return pixels.map((value, i) => {
    const at = Math.floor(i / step) % SIDE;
    const before = at > 0 ? pixels[i - step] : value;
    const after = at < SIDE - 1 ? pixels[i + step] : value;
    return weight * (value + beside * (before + after));
  });
}
