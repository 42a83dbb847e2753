// Where texts on the map stand: on what they name, or beside it, never on each other.

const SHIFTS = [
  [0, 0],
  ...[1, 1.8].flatMap((far) =>
    [[0, -1], [0, 1], [-1, 0], [1, 0], [-1, -1], [1, -1], [-1, 1], [1, 1]].map(([x, y]) => [
      far * x,
      far * y,
    ]),
  ),
];

/**
 * Place texts.
 *
 * @param {{x: number, y: number, width: number, height: number}[]} boxes  wished middles and sizes,
 *   in pixels, what matters most first
 * @returns {({x: number, y: number} | null)[]}  middles that overlap nowhere; null: no room near
 */
export function placeLabels(boxes) {
  const placed = [];
  return boxes.map((box) => {
    if (!Number.isFinite(box.x) || !Number.isFinite(box.y)) return null;
    for (const [x, y] of SHIFTS) {
      const tried = { ...box, x: box.x + x * box.width, y: box.y + y * box.height };
      if (placed.some((other) => overlap(tried, other))) continue;
      placed.push(tried);
      return { x: tried.x, y: tried.y };
    }
    return null;
  });
}

function overlap(a, b) {
  return (
    Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2
  );
}

/**
 * Find the middles of groups of points: on each axis the median, which no stragglers move.
 *
 * @param {Float32Array} points  (N, dimension), row by row
 * @param {number} dimension
 * @param {ArrayLike<number>} groups  the group of each point, (N,)
 * @param {number} nGroups
 * @returns {Float32Array}  (nGroups, dimension); NaN for a group without points
 */
export function middlesOf(points, dimension, groups, nGroups) {
  const counts = new Uint32Array(nGroups);
  for (let i = 0; i < groups.length; i++) counts[groups[i]]++;
  const middles = new Float32Array(nGroups * dimension).fill(NaN);
  for (let axis = 0; axis < dimension; axis++) {
    const values = Array.from(counts, (count) => new Float32Array(count));
    const filled = new Uint32Array(nGroups);
    for (let i = 0; i < groups.length; i++)
      values[groups[i]][filled[groups[i]]++] = points[i * dimension + axis];
    values.forEach((group, g) => {
      if (group.length) middles[g * dimension + axis] = group.sort()[group.length >> 1];
    });
  }
  return middles;
}
