// Where the map's points lie on the screen. The flat view is the view from above, unturned, of
// points that all have z = 0; so a glide from flat to solid is a glide of the camera's numbers.
//
// Data coordinates: x to the right, y up, z towards the viewer while turn and tilt are 0.
// Screen coordinates: CSS pixels from the map's upper left corner, y down.

const MARGIN = 0.06; // of the shorter side, free on each side of the fitted points
const LEAST_ZOOM = 0.5;
const MOST_ZOOM = 400;
const EYE = 2.4; // distance of the eye, in shorter sides of the map
const NEAR = 0.12; // what is nearer to the eye, as a share of its distance, is not drawn
const TAIL = 0.001; // share of the points on each side that need not lie in the fitted view
const MOST_SORTED = 20000; // for the tails; more points would say the same

/** A view of the points: what is in the middle, how large, and from which side. */
export class Camera {
  constructor() {
    this.width = 1;
    this.height = 1;
    this.extent = { x: 0, y: 0, z: 0, halfWidth: 1, halfHeight: 1, radius: 1, isFlat: true };
    /** The middle in data coordinates, pixels a unit of data, and two angles in radians. */
    this.state = { x: 0, y: 0, z: 0, scale: this.unit, turn: 0, tilt: 0 };
  }

  /** Pixels a unit of data at zoom 1, where everything fits. */
  get unit() {
    const { width, height, extent } = this;
    const margin = 2 * MARGIN * Math.min(width, height);
    if (!extent.isFlat) return (Math.min(width, height) - margin) / 2 / extent.radius;
    const across = (width - margin) / 2 / extent.halfWidth;
    return Math.max(Math.min(across, (height - margin) / 2 / extent.halfHeight), 1e-6);
  }

  get zoom() {
    return this.state.scale / this.unit;
  }

  /** A state as a view: in numbers that do not depend on the map's size. */
  viewOf({ x, y, z, scale, turn, tilt }) {
    const zoom = scale / this.unit;
    return this.extent.isFlat ? { x, y, zoom } : { x, y, z, zoom, turn, tilt };
  }

  /** The state that shows a view; what a view leaves out is as in the view that fits. */
  stateOf(view) {
    const { x, y, z, zoom, turn, tilt } = { ...this.home, ...view };
    return this.#bounded({ x, y, z, scale: zoom * this.unit, turn, tilt });
  }

  /** A state, moved so that data coordinates lie at a place of the screen. */
  stateHolding(state, place, sx, sy) {
    const { right, up } = axesOf(state);
    const across = (sx - this.width / 2) / state.scale;
    const upwards = (this.height / 2 - sy) / state.scale;
    const [x, y, z] = place.map((at, i) => at - right[i] * across - up[i] * upwards);
    return this.#bounded({ ...state, x, y, z });
  }

  /** The view that fits all points. */
  get home() {
    const { x, y, z, isFlat } = this.extent;
    const [turn, tilt] = isFlat ? [0, 0] : [-0.5, 1.1];
    return { x, y, z, zoom: 1, turn, tilt };
  }

  resize(width, height) {
    const zoom = this.zoom;
    [this.width, this.height] = [Math.max(width, 1), Math.max(height, 1)];
    this.state.scale = zoom * this.unit;
  }

  /** Move what is in the middle by pixels: what lies under the pointer stays under it. */
  pan(dx, dy) {
    const { x, y, z, scale } = this.state;
    const { right, up } = axesOf(this.state);
    const move = (at, i) => at - (right[i] * dx - up[i] * dy) / scale;
    this.state = this.#bounded({ ...this.state, x: move(x, 0), y: move(y, 1), z: move(z, 2) });
  }

  /** Enlarge by a factor; the data at a place of the screen stay there. */
  zoomAt(sx, sy, factor) {
    const { x, y, z, scale } = this.state;
    const zoom = Math.min(Math.max((scale * factor) / this.unit, LEAST_ZOOM), MOST_ZOOM);
    const f = (zoom * this.unit) / scale;
    const fixed = this.unproject(sx, sy);
    const move = (at, i) => fixed[i] + (at - fixed[i]) / f;
    const moved = { x: move(x, 0), y: move(y, 1), z: move(z, 2), scale: scale * f };
    this.state = this.#bounded({ ...this.state, ...moved });
  }

  /** Turn about the data's z axis and tilt it towards the viewer, by angles in radians. */
  orbit(turn, tilt) {
    if (this.extent.isFlat) return;
    this.state.turn += turn;
    this.state.tilt = Math.min(Math.max(this.state.tilt + tilt, 0), Math.PI);
  }

  /**
   * Project points.
   *
   * @param {ArrayLike<number>} points  (N, 3)
   * @returns {Float32Array}  screen x, screen y, depth towards the viewer in pixels, (N, 3); NaN
   *   for what is behind the eye
   */
  project(points) {
    const { width, height, eye } = this;
    const { x, y, z, scale } = this.state;
    const { right, up, forward } = axesOf(this.state);
    const [rx, ry, rz] = right;
    const [ux, uy, uz] = up;
    const [fx, fy, fz] = forward;
    const [cx, cy] = [width / 2, height / 2];
    const projected = new Float32Array(points.length);
    for (let at = 0; at < points.length; at += 3) {
      const dx = points[at] - x;
      const dy = points[at + 1] - y;
      const dz = points[at + 2] - z;
      const depth = (fx * dx + fy * dy + fz * dz) * scale;
      const w = 1 - depth / eye;
      const size = w < NEAR ? NaN : scale / w;
      projected[at] = cx + (rx * dx + ry * dy + rz * dz) * size;
      projected[at + 1] = cy - (ux * dx + uy * dy + uz * dz) * size;
      projected[at + 2] = depth;
    }
    return projected;
  }

  /**
   * Return the data at a place of the screen, in the plane through the middle of the view that is
   * parallel to the screen.
   *
   * @returns {number[]}  (3,)
   */
  unproject(sx, sy) {
    const { x, y, z, scale } = this.state;
    const { right, up } = axesOf(this.state);
    const across = (sx - this.width / 2) / scale;
    const upwards = (this.height / 2 - sy) / scale;
    return [x, y, z].map((at, i) => at + right[i] * across + up[i] * upwards);
  }

  /**
   * Project a covariance at a point: J Σ Jᵀ, where J is the derivative of `project` there.
   *
   * @param {number[]} covariance  xx, xy, yy, xz, yz, zz
   * @param {number} depth  of the point, in pixels
   * @returns {number[]}  xx, xy, yy in square pixels, y down
   */
  projectCovariance([xx, xy, yy, xz = 0, yz = 0, zz = 0], depth = 0) {
    const { right, up } = axesOf(this.state);
    const size = this.state.scale / Math.max(1 - depth / this.eye, NEAR);
    const across = (a, b) =>
      a[0] * (xx * b[0] + xy * b[1] + xz * b[2]) +
      a[1] * (xy * b[0] + yy * b[1] + yz * b[2]) +
      a[2] * (xz * b[0] + yz * b[1] + zz * b[2]);
    const down = up.map((value) => -value);
    return [across(right, right), across(right, down), across(down, down)].map(
      (value) => value * size * size,
    );
  }

  /** Data to clip coordinates, column by column, as WebGL takes a matrix. */
  get matrix() {
    const { x, y, z, scale } = this.state;
    const { right, up, forward } = axesOf(this.state);
    const rows = [
      right.map((value) => (2 * value * scale) / this.width),
      up.map((value) => (2 * value * scale) / this.height),
      [0, 0, 0],
      forward.map((value) => (-value * scale) / this.eye),
    ];
    const shift = rows.map((row) => -(row[0] * x + row[1] * y + row[2] * z));
    shift[2] = NEAR; // clip z of all: WebGL keeps -w <= z <= w, hence w >= NEAR
    shift[3] += 1;
    const columns = [0, 1, 2].flatMap((i) => rows.map((row) => row[i]));
    return Float32Array.from([...columns, ...shift]);
  }

  /** Distance of the eye from the middle, in pixels. */
  get eye() {
    return EYE * Math.min(this.width, this.height);
  }

  /** What of the data the flat view shows. */
  get bounds() {
    const [left, top] = this.unproject(0, 0);
    const [right, bottom] = this.unproject(this.width, this.height);
    return { left, right, bottom, top };
  }

  /** Keep the zoom in its range and the middle where points are: nobody gets lost. */
  #bounded(state) {
    const { extent, unit } = this;
    const [across, upwards, deep] = extent.isFlat
      ? [1.5 * extent.halfWidth, 1.5 * extent.halfHeight, 0]
      : Array(3).fill(1.5 * extent.radius);
    const clamp = (value, middle, reach) =>
      Math.min(Math.max(value, middle - reach), middle + reach);
    return {
      x: clamp(state.x, extent.x, across),
      y: clamp(state.y, extent.y, upwards),
      z: clamp(state.z, extent.z, deep),
      scale: Math.min(Math.max(state.scale, LEAST_ZOOM * unit), MOST_ZOOM * unit),
      turn: state.turn,
      tilt: state.tilt,
    };
  }
}

/** The state between two, at a share of the way; sizes grow by equal factors in equal times. */
export function between(from, to, share) {
  const mix = (a, b) => a + (b - a) * share;
  const state = {};
  for (const key of Object.keys(to)) state[key] = mix(from[key], to[key]);
  state.scale = Math.exp(mix(Math.log(from.scale), Math.log(to.scale)));
  return state;
}

/**
 * Find what a view of points should show: all of them but the outermost thousandth on each side.
 *
 * @param {Float32Array} points  (N, 3)
 * @param {boolean} isFlat  whether they all have z = 0
 */
export function extentOf(points, isFlat) {
  const n = points.length / 3;
  if (n === 0) return { x: 0, y: 0, z: 0, halfWidth: 1, halfHeight: 1, radius: 1, isFlat };
  const step = Math.ceil(n / MOST_SORTED);
  const axes = [0, 1, 2].map((axis) => {
    const values = new Float32Array(Math.ceil(n / step));
    for (let i = 0; i < values.length; i++) values[i] = points[3 * i * step + axis];
    values.sort();
    const tail = Math.floor(TAIL * values.length);
    const [low, high] = [values[tail], values[values.length - 1 - tail]];
    return { middle: (low + high) / 2, half: (high - low) / 2 };
  });
  const [x, y, z] = axes.map((axis) => axis.middle);
  const halves = axes.map((axis) => axis.half);
  const widest = Math.max(...halves) || 1;
  // Points on a line have no height, a single one has no size at all.
  const [halfWidth, halfHeight] = halves.map((half) => Math.max(half, widest / 50));
  const radius = 0.72 * Math.hypot(...halves) || 1; // corners of the box are empty
  return { x, y, z, halfWidth, halfHeight, radius, isFlat };
}

// The screen's directions in data coordinates: unit vectors to the right, up, and to the viewer.
function axesOf({ turn, tilt }) {
  const [c, s, ct, st] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
  return { right: [c, -s, 0], up: [s * ct, c * ct, st], forward: [-s * st, -c * st, ct] };
}
