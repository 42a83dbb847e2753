// How large and how dense points are drawn, in which colours, and in which order.

const DIMMED_OPACITY = 0.16;
const GREY = 140; // as far from black as from white, nearly: dimmed points suit both themes
const DEPTHS = 4096; // steps of depth that the order tells apart

/** What a mask says of a point. */
const SHOWN = 0;
export const DIMMED = 1;
export const HIDDEN = 2;

/**
 * Choose the size and opacity of points: small and translucent where thousands lie on each other,
 * larger and firmer as one comes nearer.
 *
 * @param {number} n  how many
 * @param {number} area  of the map, in square pixels
 * @param {number} zoom
 * @returns {{size: number, opacity: number}}  diameter in CSS pixels, opacity in [0, 1]
 */
export function appearance(n, area, zoom) {
  const room = area / Math.max(n, 1); // square pixels a point has, were they spread evenly
  const size = Math.min(Math.max(0.95 * room ** 0.38 * zoom ** 0.4, 2), 11);
  // Points crowd in about a third of the map, and a zoom spreads them.
  const layers = (size * size) / (0.35 * room * zoom ** 1.6);
  const opacity = Math.min(Math.max(0.66 / layers ** 0.4, 0.25), 0.9);
  return { size, opacity };
}

/**
 * Apply a mask to colours: dimmed points turn grey and faint, hidden ones are not there.
 *
 * @param {Uint8Array} colours  RGBA, (N, 4)
 * @param {Uint8Array | null} mask  SHOWN, DIMMED or HIDDEN, (N,)
 * @param {number} step  of how many points one is drawn
 * @returns {{colours: Uint8Array, pickable: Uint8Array | null}}  pickable: 1 for points that are
 *   shown undimmed; null if all are
 */
export function masked(colours, mask, step) {
  if (!mask && step === 1) return { colours: Uint8Array.from(colours), pickable: null };
  const n = colours.length / 4;
  const result = new Uint8Array(colours.length);
  const pickable = new Uint8Array(n);
  for (let i = 0, at = 0; i < n; i++, at += 4) {
    const state = i % step ? HIDDEN : mask ? mask[i] : SHOWN;
    if (state === HIDDEN) continue;
    pickable[i] = state === SHOWN ? 1 : 0;
    for (let c = 0; c < 3; c++)
      result[at + c] = state === SHOWN ? colours[at + c] : 0.25 * colours[at + c] + 0.75 * GREY;
    result[at + 3] = state === SHOWN ? colours[at + 3] : DIMMED_OPACITY * colours[at + 3];
  }
  return { colours: result, pickable };
}

/**
 * Order points for drawing: dimmed ones below, and of the rest the nearest to the eye on top.
 *
 * @param {number} n
 * @param {Float32Array | null} screen  (N, 3), its last column the depth; null: a flat view
 * @param {Uint8Array | null} pickable  1 for points that are not dimmed
 * @returns {Uint32Array | null}  indices, what is drawn first first; null: as they are stored
 */
export function drawingOrder(n, screen, pickable) {
  if (!screen && !pickable) return null;
  let [low, high] = [Infinity, -Infinity];
  if (screen)
    for (let at = 2; at < screen.length; at += 3) {
      low = Math.min(low, screen[at]);
      high = Math.max(high, screen[at]);
    }
  const step = high > low ? (DEPTHS - 1) / (high - low) : 0;
  const keys = new Uint16Array(n);
  const starts = new Uint32Array(2 * DEPTHS + 1);
  for (let i = 0; i < n; i++) {
    keys[i] = step ? (screen[3 * i + 2] - low) * step : 0;
    if (!pickable || pickable[i]) keys[i] += DEPTHS;
    starts[keys[i] + 1]++;
  }
  for (let key = 1; key < starts.length; key++) starts[key] += starts[key - 1];
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[starts[keys[i]]++] = i;
  return order;
}
