// Which points lie near a place, in a rectangle, or in a drawn outline.

const POINTS_A_CELL = 2;
const MOST_CELLS_A_SIDE = 1024;

/** Points of the plane, sorted into the cells of a grid. */
export class PointIndex {
  /**
   * @param {ArrayLike<number>} points  x, y and what else a row holds, (N, stride); a row with NaN
   *   is never found
   * @param {number} stride
   */
  constructor(points, stride) {
    const n = points.length / stride;
    if (!Number.isInteger(n))
      throw new RangeError(`points must have rows of ${stride}; got ${points.length} numbers.`);
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let at = 0; at < points.length; at += stride) {
      const x = points[at];
      const y = points[at + 1];
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < low) low = y;
      if (y > high) high = y;
    }
    Object.assign(this, { points, stride, left, low });
    if (left > right) [right, high, this.left, this.low] = [0, 0, 0, 0];
    const [width, height] = [right - this.left, high - this.low];
    const cells = Math.max(n / POINTS_A_CELL, 1);
    // Points on a line have no area: then the longer side alone is divided.
    const size = Math.max(
      Math.sqrt((width * height) / cells),
      Math.max(width, height) / MOST_CELLS_A_SIDE,
    );
    this.size = size || 1;
    this.columns = Math.floor(width / this.size) + 1;
    this.rows = Math.floor(height / this.size) + 1;
    this.#sort(n);
  }

  // A counting sort: cell c holds order[starts[c]] to order[starts[c + 1] - 1].
  #sort(n) {
    const { points, stride, columns, rows } = this;
    const starts = new Uint32Array(columns * rows + 2);
    const cellOf = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      const cell = this.#row(points[i * stride + 1]) * columns + this.#column(points[i * stride]);
      cellOf[i] = cell >= 0 ? cell : -1;
      if (cellOf[i] >= 0) starts[cell + 2]++;
    }
    for (let cell = 2; cell < starts.length; cell++) starts[cell] += starts[cell - 1];
    this.order = new Uint32Array(starts[starts.length - 1]);
    for (let i = 0; i < n; i++) if (cellOf[i] >= 0) this.order[starts[cellOf[i] + 1]++] = i;
    this.starts = starts;
  }

  #column(x) {
    return Math.floor((x - this.left) / this.size);
  }

  #row(y) {
    return Math.floor((y - this.low) / this.size);
  }

  /**
   * Find the nearest point.
   *
   * @param {number} reach  the greatest distance
   * @param {Uint8Array | null} accepted  (N,), zero for points that are passed over; null: none is
   * @returns {number}  its index, or -1
   */
  nearest(x, y, reach, accepted = null) {
    const { points, stride, order, starts, columns, rows, size } = this;
    // From outside the grid, its nearest cell: to all in the grid it is not further than the place.
    const column = Math.min(Math.max(this.#column(x), 0), columns - 1);
    const row = Math.min(Math.max(this.#row(y), 0), rows - 1);
    let [best, least] = [-1, reach * reach];
    const look = (r, first, last) => {
      if (r < 0 || r >= rows) return;
      const from = r * columns + Math.max(first, 0);
      const to = r * columns + Math.min(last, columns - 1);
      if (from > to) return;
      for (let at = starts[from]; at < starts[to + 1]; at++) {
        const i = order[at];
        if (accepted && !accepted[i]) continue;
        const square = (points[i * stride] - x) ** 2 + (points[i * stride + 1] - y) ** 2;
        if (square < least || (square === least && best < 0)) [best, least] = [i, square];
      }
    };
    // Ring by ring around the cell; in ring k all is at least k - 1 cells away.
    const furthest = Math.max(column, columns - 1 - column, row, rows - 1 - row);
    for (let ring = 0; ring <= furthest; ring++) {
      if (Math.max(ring - 1, 0) * size > Math.sqrt(least)) break;
      const [first, last] = [column - ring, column + ring];
      look(row - ring, first, last);
      if (ring === 0) continue;
      look(row + ring, first, last);
      for (let r = Math.max(row - ring + 1, 0); r <= Math.min(row + ring - 1, rows - 1); r++) {
        if (first >= 0) look(r, first, first);
        if (last < columns) look(r, last, last);
      }
    }
    return best;
  }

  /**
   * Find the points inside a polygon, even-odd.
   *
   * @param {ArrayLike<number>} polygon  its corners in order, (M, 2)
   * @param {Uint8Array | null} accepted  as for `nearest`
   * @returns {Uint32Array}  indices, rising
   */
  inside(polygon, accepted = null) {
    const { points, stride, order, starts, columns, rows } = this;
    const [left, right, low, high] = boxOf(polygon);
    const found = [];
    const first = Math.max(this.#column(left), 0);
    const last = Math.min(this.#column(right), columns - 1);
    if (!(first <= last)) return new Uint32Array(0);
    for (let r = Math.max(this.#row(low), 0); r <= Math.min(this.#row(high), rows - 1); r++)
      for (let at = starts[r * columns + first]; at < starts[r * columns + last + 1]; at++) {
        const i = order[at];
        if (accepted && !accepted[i]) continue;
        if (isInside(points[i * stride], points[i * stride + 1], polygon)) found.push(i);
      }
    return Uint32Array.from(found).sort();
  }
}

/** Whether a ray from a point to the right crosses a polygon's outline an odd number of times. */
function isInside(x, y, polygon) {
  let inside = false;
  let [px, py] = [polygon[polygon.length - 2], polygon[polygon.length - 1]];
  for (let at = 0; at < polygon.length; at += 2) {
    const [qx, qy] = [polygon[at], polygon[at + 1]];
    if (qy > y !== py > y && x < ((px - qx) * (y - qy)) / (py - qy) + qx) inside = !inside;
    [px, py] = [qx, qy];
  }
  return inside;
}

/**
 * Find the nearest point in a direction: within 45° of it, and far enough away to be told apart.
 *
 * @param {ArrayLike<number>} screen  (N, 3), as `Camera.project` returns
 * @param {number} start  the index of the point to start from
 * @param {number[]} direction  a unit vector, y down
 * @param {number} least  pixels
 * @param {Uint8Array | null} accepted  as for `nearest`
 * @returns {number}  an index, or -1
 */
export function nextTowards(screen, start, direction, least, accepted = null) {
  const [x, y] = [screen[3 * start], screen[3 * start + 1]];
  let [best, shortest] = [-1, Infinity];
  for (let i = 0, at = 0; at < screen.length; i++, at += 3) {
    const [dx, dy] = [screen[at] - x, screen[at + 1] - y];
    const along = dx * direction[0] + dy * direction[1];
    const across = Math.abs(dx * direction[1] - dy * direction[0]);
    if (!(along >= least) || across > along || along + 2 * across >= shortest) continue;
    if (accepted && !accepted[i]) continue;
    [best, shortest] = [i, along + 2 * across];
  }
  return best;
}

function boxOf(polygon) {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let at = 0; at < polygon.length; at += 2) {
    left = Math.min(left, polygon[at]);
    right = Math.max(right, polygon[at]);
    low = Math.min(low, polygon[at + 1]);
    high = Math.max(high, polygon[at + 1]);
  }
  return [left, right, low, high];
}
