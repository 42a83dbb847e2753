// A view of the latent space as a short text for an address, and back. Numbers in it are chosen so
// that neither a query nor a fragment must escape them: name*value*value_name*value…

const MOST_LENGTH = 4000; // of an address that is read at all
const Z_DIGITS = 3;
const KINDS = ["label", "cluster", "strange", "uncertain", "misread", "row"];

/**
 * What is looked at, and how. Whatever it leaves out is as in the first view.
 *
 * @typedef {object} View
 * @property {string} axes  "pca" or "mixture"
 * @property {number[]} along  which of them: one, two or three
 * @property {string} colour  what points are coloured by
 * @property {?{by: string, hidden: number[]}} filter  groups of a colouring that are not shown
 * @property {?{kind: string, value: number}} search
 * @property {?(number | number[])} pin  a stored z by its index, or a place (D,); so a and b
 * @property {?(number | number[])} a  where a way begins
 * @property {?(number | number[])} b  where it ends
 * @property {boolean} outlines  whether the clusters' ellipses are drawn
 * @property {boolean} sheet  whether decoded images lie behind the points
 * @property {?object} zoom  the map's view: x, y, zoom, and in space z, turn, tilt; null: all
 */
export const FIRST_VIEW = {
  axes: "pca",
  along: [0, 1],
  colour: "cluster",
  filter: null,
  search: null,
  pin: null,
  a: null,
  b: null,
  outlines: false,
  sheet: false,
  zoom: null,
};

/**
 * @param {View} view
 * @returns {string}  empty for the first view
 */
export function toAddress(view) {
  const parts = [];
  const say = (name, ...values) => parts.push([name, ...values].join("*"));
  const place = (name, value) => {
    if (typeof value === "number") say(name, value);
    else if (value) say(name, "z", ...value.map((part) => short(part, Z_DIGITS)));
  };
  const { axes, along, colour, filter, search, zoom } = { ...FIRST_VIEW, ...view };
  if (axes !== FIRST_VIEW.axes) say("axes", axes);
  if (`${along}` !== `${FIRST_VIEW.along}`) say("along", ...along.map((axis) => axis + 1));
  if (colour !== FIRST_VIEW.colour) say("colour", colour);
  if (filter?.hidden.length) say("hide", filter.by, ...filter.hidden);
  if (search) say("find", search.kind, search.value);
  for (const name of ["pin", "a", "b"]) place(name, view[name]);
  for (const name of ["outlines", "sheet"]) if (view[name]) say(name);
  if (zoom) {
    const { x, y, z, turn, tilt } = zoom;
    const numbers = z === undefined ? [x, y] : [x, y, z, turn, tilt];
    say("zoom", ...[zoom.zoom, ...numbers].map((value) => Number(value.toPrecision(4))));
  }
  return parts.join("_");
}

/**
 * Read what `toAddress` wrote. What is not understood is left out.
 *
 * @param {string} address
 * @returns {View}
 */
export function fromAddress(address) {
  const view = { ...FIRST_VIEW };
  for (const part of String(address ?? "").slice(0, MOST_LENGTH).split("_")) {
    const [name, ...values] = part.split("*");
    if (Object.hasOwn(READ, name)) Object.assign(view, READ[name](values));
  }
  return view;
}

const isWhole = (value) => /^\d{1,9}$/.test(value);
const isNumber = (value) => value.trim() !== "" && Number.isFinite(Number(value));
const all = (values, is) => values.length > 0 && values.every(is);

function readPlace(name) {
  return ([first, ...rest]) => {
    if (first === "z" && all(rest, isNumber)) return { [name]: rest.map(Number) };
    return first !== undefined && isWhole(first) ? { [name]: Number(first) } : {};
  };
}

/** What the values behind each name say of a view. */
const READ = {
  axes: ([axes]) => (axes ? { axes } : {}),
  colour: ([colour]) => (colour ? { colour } : {}),
  along: (axes) => (all(axes, isWhole) ? { along: axes.map((axis) => axis - 1) } : {}),
  hide: ([by, ...hidden]) =>
    all(hidden, isWhole) ? { filter: { by, hidden: hidden.map(Number) } } : {},
  find: ([kind, value = ""]) =>
    KINDS.includes(kind) && isWhole(value) ? { search: { kind, value: Number(value) } } : {},
  pin: readPlace("pin"),
  a: readPlace("a"),
  b: readPlace("b"),
  outlines: () => ({ outlines: true }),
  sheet: () => ({ sheet: true }),
  zoom: (values) => {
    const [zoom, x, y, z, turn, tilt] = values.map(Number);
    if (!all(values, isNumber) || zoom <= 0) return {};
    if (values.length === 3) return { zoom: { x, y, zoom } };
    return values.length === 6 ? { zoom: { x, y, z, zoom, turn, tilt } } : {};
  },
};

/**
 * Make of any view one that a model has: what it lacks is as in the first view.
 *
 * @param {object} view
 * @param {{nStored: number, dimension: number, nAxes: Object<string, number>, colours: string[],
 *   isSearchable: (query: object) => boolean}} limits  nAxes: how many each set has
 * @returns {View}
 */
export function sensible(view, { nStored, dimension, nAxes, colours, isSearchable }) {
  const given = { ...FIRST_VIEW, ...view };
  const place = (value) => {
    if (Number.isInteger(value)) return value >= 0 && value < nStored ? value : null;
    const isPlace = Array.isArray(value) && value.length === dimension;
    return isPlace && value.every((part) => Number.isFinite(part)) ? value : null;
  };
  const axes = Object.hasOwn(nAxes, given.axes) ? given.axes : FIRST_VIEW.axes;
  const most = nAxes[axes];
  const chosen = Array.isArray(given.along) ? given.along : [];
  const along = [...new Set(chosen)].filter((a) => Number.isInteger(a) && a >= 0 && a < most);
  for (let axis = 0; along.length < Math.min(2, most) && axis < most; axis++)
    if (!along.includes(axis)) along.push(axis);
  const filter =
    colours.includes(given.filter?.by) && given.filter.hidden?.length ? given.filter : null;
  const numbers = given.zoom ? Object.values(given.zoom) : [];
  const isZoom = numbers.length >= 3 && numbers.every((part) => Number.isFinite(part));
  return {
    axes,
    along: along.slice(0, 3),
    colour: colours.includes(given.colour) ? given.colour : colours[0],
    filter,
    search: given.search && isSearchable(given.search) ? given.search : null,
    pin: place(given.pin),
    a: place(given.a),
    b: place(given.b),
    outlines: Boolean(given.outlines),
    sheet: Boolean(given.sheet),
    zoom: isZoom ? given.zoom : null,
  };
}

function short(value, digits) {
  return Number(value.toFixed(digits));
}
