// Pen strokes → the 28×28 image that MNIST would have made of them, as vaegmm/preprocess.py does.
//
// A stroke is an array of points [x, y], in any unit, y downwards; a drawing an array of strokes.

export const SIDE = 28; // pixels of the field
export const BOX = 20; // pixels of the box that the digit is scaled to
export const PEN_WIDTH = 2.4; // pixels
export const MOST_POINTS = 100_000; // of a drawing

const EDGE = 1.2; // pixels from full ink to none
const ENDS = [0.08, 0.16, 0.24, 0.32]; // shares of a stroke that may be a flag or a hook
const NEAR = 0.1; // of a stroke: behind a flag, how much of the rest tells where that goes
const ADDITION = 0.4; // of a drawing's length: a shorter stroke may be a bar or a foot
const DOT = 0.12; // of a drawing's longer side: a smaller stroke is a dot
const APART = 0.08; // of a drawing's longer side: how far from all other strokes that lies
const EDGE_OF_PAD = 0.005; // of a pad's shorter side
const MOST_OFF = 0.05; // of a drawing's length that may lie on or behind the edge of its pad
const SMALLEST = 0.02; // of the pad: a drawing smaller than this is a dot
const RULE = "strokes must be lists of [x, y] with finite numbers";

/**
 * Draw pen strokes as MNIST would have them, whatever their place and size.
 *
 * @param {number[][][]} strokes
 * @param {number} [penWidth]  in pixels of the result
 * @returns {Uint8Array}  white ink on black, (784,)
 * @throws {Error} if there is nothing to see, or a point is no pair of finite numbers
 */
export function digitFromStrokes(strokes, penWidth = PEN_WIDTH) {
  return renderStrokes([strokes], penWidth);
}

/**
 * Draw several drawings, each as `digitFromStrokes` does.
 *
 * The ink of a pixel depends on how far its centre is from the nearest line: 1 well within half a
 * pen's width, 0 well beyond, linear between. A drawing is rendered in the middle of the field to
 * find its centre of mass, then again, moved by the fraction of a pixel that brings that to the
 * field's centre.
 *
 * @param {number[][][][]} drawings  V lists of strokes
 * @param {number} [penWidth]  in pixels of the result
 * @returns {Uint8Array}  white ink on black, (V, 784)
 * @throws {Error} if there is nothing to see in one of them, or a point is no pair of finite numbers
 */
export function renderStrokes(drawings, penWidth = PEN_WIDTH) {
  // Clamped arrays round halves to the even number, as numpy does.
  const images = new Uint8ClampedArray(drawings.length * SIDE * SIDE);
  drawings.forEach((strokes, v) => {
    const lines = fitBox(asLines(strokes), BOX - penWidth);
    const size = boundsOf(lines).size;
    const mass = centreOfMass(inkOf(lines, [0, 0], penWidth));
    // Never so far that ink would leave the field.
    const offset = mass.map((centre, axis) => {
      const room = (SIDE - penWidth - size[axis]) / 2;
      return Math.min(Math.max(SIDE / 2 - centre, -room), room);
    });
    const ink = inkOf(lines, offset, penWidth);
    const most = ink.reduce((largest, value) => Math.max(largest, value), 0);
    images.set(ink.map((value) => (value / most) * 255), v * SIDE * SIDE);
  });
  return new Uint8Array(images.buffer);
}

/** The strokes of each of a drawing's parts, as `drawingParts` finds them. */
export function partialDrawings(strokes) {
  return drawingParts(strokes).map((part) => part.strokes);
}

/**
 * Leave out, one at a time, what many people add to a digit and others don't.
 *
 * The flag of a 1 and the hook of a 9 are the beginning and the end of a stroke, the bar of a 7
 * and the foot of a 1 a short stroke of their own.
 *
 * @param {number[][][]} strokes
 * @returns {{strokes: number[][][], share: number, turn: number, leftward: number}[]}  each part of
 *   the drawing that is more than a dot; none where nothing can be left out. share: of the stroke
 *   that was cut, 0 where a whole stroke was left out; turn: of a beginning, the cosine of the
 *   angle in which it goes over into the rest; leftward: of an end, how far it goes to the left,
 *   from -1 to 1
 * @throws {Error} if a point is no pair of finite numbers
 */
export function drawingParts(strokes) {
  const lines = asLines(strokes);
  if (!lines.length) return [];
  const lengths = lines.map((line) => distancesAlong(line).at(-1));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const longest = lengths.indexOf(Math.max(...lengths));
  const shortest = lengths.indexOf(Math.min(...lengths));
  const line = lines[longest];
  const along = distancesAlong(line);
  const at = (share) => pointAt(line, along, share * lengths[longest]);
  const parts = ENDS.flatMap((share) => {
    const [cut, after, before] = [share, share + NEAR, 1 - share].map(at);
    const turn = cosine(towards(line[0], cut), towards(cut, after));
    const leftward = cosine(towards(line.at(-1), before), [1, 0]);
    return [
      { strokes: lines.with(longest, between(line, share, 1)), share, turn, leftward: 0 },
      { strokes: lines.with(longest, between(line, 0, 1 - share)), share, turn: 0, leftward },
    ];
  });
  if (lines.length > 1 && lengths[shortest] < ADDITION * total) {
    parts.push({ strokes: lines.toSpliced(shortest, 1), share: 0, turn: 0, leftward: 0 });
  }
  return parts.filter((part) => !isDot(part.strokes));
}

/**
 * Whether a stroke is a dot beside the others: ?, !, i and j have one, digits have none.
 *
 * @param {number[][][]} strokes
 */
export function hasDot(strokes) {
  const lines = asLines(strokes);
  if (lines.length < 2) return false;
  const { extent } = boundsOf(lines);
  return lines.some((line, n) => {
    const { low, high, extent: size } = boundsOf([line]);
    if (size >= DOT * extent) return false;
    const middle = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
    return lines.every((other, i) => i === n || nearest(middle, other) > APART * extent);
  });
}

/**
 * Whether a part of a drawing lies on or behind the edge of its pad.
 *
 * @param {number[][][]} strokes  with the origin in the pad's upper left corner
 * @param {number} width  of the pad, in the strokes' unit
 * @param {number} height  of the pad, likewise
 */
export function runsOff(strokes, width, height) {
  const edge = EDGE_OF_PAD * Math.min(width, height);
  let [inside, total] = [0, 0];
  for (const line of asLines(strokes)) {
    for (let i = 1; i < line.length; i++) {
      const [[x0, y0], [x1, y1]] = [line[i - 1], line[i]];
      const length = Math.hypot(x1 - x0, y1 - y0);
      const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
      total += length;
      if (x > edge && x < width - edge && y > edge && y < height - edge) inside += length;
    }
  }
  return total - inside > MOST_OFF * total;
}

/** How far a point is from a line. */
function nearest(point, line) {
  let least = Infinity;
  line.forEach((from, i) => {
    const step = towards(from, line[Math.min(i + 1, line.length - 1)]);
    const squared = step[0] ** 2 + step[1] ** 2 || 1;
    const [x, y] = towards(from, point);
    const share = Math.min(Math.max((x * step[0] + y * step[1]) / squared, 0), 1);
    least = Math.min(least, Math.hypot(x - share * step[0], y - share * step[1]));
  });
  return least;
}

function towards(from, to) {
  return [to[0] - from[0], to[1] - from[1]];
}

/** The cosine of the angle between two vectors, 0 where one of them has no length. */
function cosine(one, other) {
  const lengths = Math.hypot(...one) * Math.hypot(...other);
  return lengths > 0 ? (one[0] * other[0] + one[1] * other[1]) / lengths : 0;
}

/** How far along a line each of its points lies, (M,). */
export function distancesAlong(line) {
  const along = new Float64Array(line.length);
  for (let i = 1; i < line.length; i++) {
    const [dx, dy] = [line[i][0] - line[i - 1][0], line[i][1] - line[i - 1][1]];
    along[i] = along[i - 1] + Math.sqrt(dx * dx + dy * dy);
  }
  return along;
}

/** A line from one share of its length to another. */
export function between(line, start, end) {
  const along = distancesAlong(line);
  const [low, high] = [start * along.at(-1), end * along.at(-1)];
  const inner = line.filter((_, i) => along[i] > low && along[i] < high);
  return [pointAt(line, along, low), ...inner, pointAt(line, along, high)];
}

/** The point of a line that lies as far along it as `distance` says. */
export function pointAt(line, along, distance) {
  const next = along.findIndex((each) => each > distance);
  if (next === -1) return line.at(-1);
  const passed = distance - along[next - 1];
  const length = along[next] - along[next - 1];
  const [from, to] = [line[next - 1], line[next]];
  return from.map((value, axis) => ((to[axis] - value) / length) * passed + value);
}

/** The box around lines: its corners, and its width, height and longer side. */
export function boundsOf(lines) {
  const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]];
  for (const line of lines) {
    for (const point of line) {
      for (const axis of [0, 1]) {
        if (point[axis] < low[axis]) low[axis] = point[axis];
        if (point[axis] > high[axis]) high[axis] = point[axis];
      }
    }
  }
  const size = [high[0] - low[0], high[1] - low[1]];
  return { low, high, size, extent: Math.max(...size) };
}

/** Whether lines, one at least, are too small to be a drawing. */
export function isDot(lines) {
  return boundsOf(lines).extent < SMALLEST;
}

/** Lines scaled to a box of so many pixels in the middle of the field. */
function fitBox(lines, box) {
  if (!lines.length) throw new Error("strokes must not be empty; got a blank drawing.");
  if (isDot(lines)) {
    throw new Error("strokes must show more than a dot; got a drawing without extent.");
  }
  const { low, high, extent } = boundsOf(lines);
  const scale = box / extent;
  const middle = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
  return lines.map((line) =>
    line.map(([x, y]) => [(x - middle[0]) * scale + SIDE / 2, (y - middle[1]) * scale + SIDE / 2])
  );
}

/**
 * The ink of lines.
 *
 * @param {number[][][]} lines  in pixels of the field
 * @param {number[]} offset  [x, y] in pixels that they are moved by
 * @param {number} penWidth  in pixels
 * @returns {Float64Array}  in [0, 1], (784,)
 */
function inkOf(lines, offset, penWidth) {
  const reach = (penWidth + EDGE) / 2;
  const squared = new Float64Array(SIDE * SIDE).fill(Infinity); // distance to the nearest segment
  const firstPixel = (least) => Math.max(Math.ceil(least - reach - 0.5), 0);
  const lastPixel = (most) => Math.min(Math.floor(most + reach - 0.5), SIDE - 1);
  for (const line of lines) {
    for (let i = 0; i < line.length; i++) {
      // A line's last point is a segment too: there are strokes of one point.
      const next = line[Math.min(i + 1, line.length - 1)];
      const [x0, y0] = [line[i][0] + offset[0], line[i][1] + offset[1]];
      const [x1, y1] = [next[0] + offset[0], next[1] + offset[1]];
      const [stepX, stepY] = [x1 - x0, y1 - y0];
      const squaredLength = stepX * stepX + stepY * stepY || 1;
      const [left, right] = [firstPixel(Math.min(x0, x1)), lastPixel(Math.max(x0, x1))];
      const [top, bottom] = [firstPixel(Math.min(y0, y1)), lastPixel(Math.max(y0, y1))];
      for (let row = top; row <= bottom; row++) {
        for (let column = left; column <= right; column++) {
          let [x, y] = [column + 0.5 - x0, row + 0.5 - y0];
          const share = Math.min(Math.max((x * stepX + y * stepY) / squaredLength, 0), 1);
          x -= share * stepX;
          y -= share * stepY;
          const pixel = row * SIDE + column;
          squared[pixel] = Math.min(squared[pixel], x * x + y * y);
        }
      }
    }
  }
  return squared.map((each) => Math.min(Math.max((reach - Math.sqrt(each)) / EDGE, 0), 1));
}

/** Where the centre of mass of ink (784,) lies: [x, y] in pixels of the field. */
function centreOfMass(ink) {
  let [sum, x, y] = [0, 0, 0];
  ink.forEach((value, pixel) => {
    sum += value;
    x += value * ((pixel % SIDE) + 0.5);
    y += value * (Math.floor(pixel / SIDE) + 0.5);
  });
  return [x / sum, y / sum];
}

/** Check strokes; return those that have points. */
export function asLines(strokes) {
  if (!Array.isArray(strokes)) throw new Error(`${RULE}.`);
  const lines = [];
  let nPoints = 0;
  for (const stroke of strokes) {
    const shape = shapeOf(stroke);
    if (shape.includes(0)) continue;
    if (shape.length !== 2 || shape[1] !== 2) {
      const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
      throw new Error(`${RULE}; got a stroke of shape (${tuple}).`);
    }
    // A pad's unit is its side: what is a million pads away is no drawing.
    if (!stroke.every((point) => point.every((value) => value !== null && Math.abs(value) < 1e6))) {
      throw new Error(`${RULE}; got NaN, infinity or a point far away.`);
    }
    lines.push(stroke);
    nPoints += stroke.length;
    if (nPoints > MOST_POINTS) {
      throw new Error(`${RULE}, at most ${MOST_POINTS.toLocaleString("en-US")} of them.`);
    }
  }
  return lines;
}

/** The shape of an array of arrays of numbers, where null stands for NaN, as in JSON. */
function shapeOf(value) {
  if (!Array.isArray(value)) {
    if (typeof value !== "number" && value !== null) throw new Error(`${RULE}.`);
    return [];
  }
  if (!value.length) return [0];
  const [first, ...others] = value.map(shapeOf).map(String);
  if (others.some((shape) => shape !== first)) throw new Error(`${RULE}.`);
  return [value.length, ...shapeOf(value[0])];
}
