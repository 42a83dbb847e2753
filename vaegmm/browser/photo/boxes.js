// Boxes on a photo: where their corners are, what a drag makes of them, in which order they are read.
//
// A box is {x, y, width, height, angle}: its middle and its sides in pixels, radians clockwise.

const SAME_LINE = 0.6; // of the taller box's height, between the middles of two in a line
/** Pixels of a side, at least. */
export const LEAST_SIDE = 4;

/** Each corner as a direction from the middle: right and down, clockwise from the upper left. */
export const CORNERS = [
  [-1, -1],
  [1, -1],
  [1, 1],
  [-1, 1],
];

/** A place as a box sees it from its middle: how far to its right and how far down. */
export function within({ x, y, angle }, px, py) {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return [(px - x) * cosine + (py - y) * sine, (py - y) * cosine - (px - x) * sine];
}

/** Move a box, its middle kept on the picture. */
export function moved(box, dx, dy, { width, height }) {
  return {
    ...box,
    x: Math.min(Math.max(box.x + dx, 0), width),
    y: Math.min(Math.max(box.y + dy, 0), height),
  };
}

/** Pull a corner to a place; the opposite one stays. */
export function pulled(box, [right, down], px, py) {
  const [across, below] = within(box, px, py);
  const width = Math.max(LEAST_SIDE, box.width / 2 + right * across);
  const height = Math.max(LEAST_SIDE, box.height / 2 + down * below);
  const [u, v] = [(right * (width - box.width)) / 2, (down * (height - box.height)) / 2];
  const [cosine, sine] = [Math.cos(box.angle), Math.sin(box.angle)];
  return { ...box, width, height, x: box.x + u * cosine - v * sine, y: box.y + u * sine + v * cosine };
}

/** Scale a box around its middle. */
export function scaled(box, factor) {
  return {
    ...box,
    width: Math.max(LEAST_SIDE, box.width * factor),
    height: Math.max(LEAST_SIDE, box.height * factor),
  };
}

/** Turn a box so that its upper side looks to a place. */
export function facing(box, px, py) {
  return { ...box, angle: Math.atan2(py - box.y, px - box.x) + Math.PI / 2 };
}

/** A box around the same place, turned clockwise by quarter turns. */
export function turned(box, turn) {
  const [width, height] = turn % 2 ? [box.height, box.width] : [box.width, box.height];
  return { ...box, width, height, angle: box.angle + (turn * Math.PI) / 2 };
}

/** The box between two places, as level as the picture. */
export function between([x0, y0], [x1, y1]) {
  const [width, height] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
  return { x: (x0 + x1) / 2, y: (y0 + y1) / 2, width, height, angle: 0 };
}

/** Sort boxes into lines, from the top, and each line from the left, as they lie at the mean. */
export function inReadingOrder(boxes) {
  const sum = (of) => boxes.reduce((total, { angle }) => total + of(angle), 0);
  const angle = Math.atan2(sum(Math.sin), sum(Math.cos));
  const places = boxes.map((box) => {
    const [along, down] = within({ x: 0, y: 0, angle }, box.x, box.y);
    return { along, down, box };
  });
  places.sort((one, other) => one.down - other.down);
  const lines = [];
  for (const place of places) {
    const before = lines.at(-1)?.at(-1);
    const taller = before && Math.max(place.box.height, before.box.height);
    if (before && place.down - before.down < SAME_LINE * taller) lines.at(-1).push(place);
    else lines.push([place]);
  }
  return lines.flatMap((line) =>
    line.sort((one, other) => one.along - other.along).map(({ box }) => box),
  );
}
