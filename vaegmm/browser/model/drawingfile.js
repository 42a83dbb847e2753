// The file that labelled drawings are kept in, as data.py writes and reads it: a .npz of images,
// labels and strokes.

import { N_PIXELS } from "./network.js";
import { fromNpz, toNpz } from "./npz.js";

const STROKES = ["stroke_points", "stroke_ends", "drawing_ends"];

/**
 * @param {{image: Uint8Array, label: number, strokes: ?number[][][]}[]} drawings
 * @returns {Uint8Array}  images (N, 28, 28); labels (N,); all points of all strokes, (P, 2), where
 *   each of the S strokes ends among them, (S,), and where each drawing ends among the strokes,
 *   (N,): one without strokes ends where the one before does
 */
export function toFile(drawings) {
  const n = drawings.length;
  const images = new Uint8Array(n * N_PIXELS);
  drawings.forEach(({ image }, i) => images.set(image, i * N_PIXELS));
  const drawn = drawings.map(({ strokes }) => (strokes ?? []).filter(({ length }) => length));
  const strokes = drawn.flat();
  const points = Float64Array.from(strokes.flat(2));
  return toNpz({
    images: { data: images, shape: [n, 28, 28] },
    labels: { data: Int32Array.from(drawings, ({ label }) => label), shape: [n] },
    stroke_points: { data: points, shape: [points.length / 2, 2] },
    stroke_ends: ends(strokes.map(({ length }) => length)),
    drawing_ends: ends(drawn.map(({ length }) => length)),
  });
}

/**
 * @param {ArrayBuffer | Uint8Array} bytes  what `toFile` or vaegmm's `as_npz` wrote, or a .npz with
 *   images and labels alone
 * @returns {{image: Uint8Array, label: number, strokes: ?number[][][]}[]}
 * @throws {Error} if it is another kind of file, or damaged
 */
export function fromFile(bytes) {
  const arrays = fromNpz(bytes);
  const { images, labels } = arrays;
  if (!images || !labels) throw new Error("file must hold drawings: images and labels.");
  const n = labels.data.length;
  if (!n || images.data.length !== n * N_PIXELS || !(images.data instanceof Uint8Array))
    throw new Error("file must hold images of 28×28 bytes, and one label for each.");
  if (!labels.data.every((label) => Number.isInteger(label) && label >= 0))
    throw new Error("file must hold labels that are whole numbers from 0.");
  const strokes = STROKES.some((name) => arrays[name]) ? strokesOf(arrays, n) : [];
  return Array.from({ length: n }, (_, i) => ({
    image: images.data.slice(i * N_PIXELS, (i + 1) * N_PIXELS),
    label: labels.data[i],
    strokes: strokes[i]?.length ? strokes[i] : null,
  }));
}

/** Where runs of these lengths end, one after the other. */
function ends(lengths) {
  let end = 0;
  return { data: Int32Array.from(lengths, (length) => (end += length)), shape: [lengths.length] };
}

/** The strokes of each drawing, (N,). */
function strokesOf(arrays, n) {
  const damaged = () => new Error("file must say where each stroke and each drawing ends.");
  if (STROKES.some((name) => !arrays[name])) throw damaged();
  const [points, strokeEnds, drawingEnds] = STROKES.map((name) => arrays[name].data);
  const rises = (values, least, last) =>
    values.every((end, i) => Number.isInteger(end) && end - (values[i - 1] ?? 0) >= least) &&
    (values.at(-1) ?? 0) === last;
  if (
    drawingEnds.length !== n ||
    !rises(strokeEnds, 1, points.length / 2) ||
    !rises(drawingEnds, 0, strokeEnds.length)
  )
    throw damaged();
  const strokes = Array.from(strokeEnds, (end, i) => {
    const start = strokeEnds[i - 1] ?? 0;
    return Array.from({ length: end - start }, (_, p) => [
      points[2 * (start + p)],
      points[2 * (start + p) + 1],
    ]);
  });
  return Array.from(drawingEnds, (end, i) => strokes.slice(drawingEnds[i - 1] ?? 0, end));
}
