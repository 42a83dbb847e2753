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
