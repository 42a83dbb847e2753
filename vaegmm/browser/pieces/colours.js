// The colour of a label, as in colours.py, and the shades of it that its components have.

/** One colour a digit, 0 to 9; a test holds them to Python's. */
export const PALETTE = [
  "#b9ac70",
  "#717581",
  "#94a4a2",
  "#832db6",
  "#ffa90e",
  "#92dadd",
  "#a96b59",
  "#bd1f01",
  "#e76300",
  "#3f90da",
];
export const UNNAMED_COLOUR = "#cfcdc9";

const LIGHTER = 0.16; // of the lightness, and as much darker
const [LIGHTEST, DARKEST] = [0.85, 0.2];
// From what is strange to what is usual: apart for colour-blind eyes, visible on light and dark.
const SCALE = ["#d4450c", "#e48a2c", "#c3ad5c", "#79aa8f", "#4594ab", "#3a6fb5"];

/**
 * @param {number} label  negative: unnamed
 * @param {string[]} palette
 * @returns {number[]}  red, green, blue in 0..255
 */
export function colourOf(label, palette = PALETTE) {
  return fromHex(label >= 0 ? palette[label % palette.length] : UNNAMED_COLOUR);
}

/** The lightest and the darkest shade of a label's colour. */
function shadesOf(label, palette = PALETTE) {
  const [hue, lightness, saturation] = toHls(colourOf(label, palette));
  return [
    fromHls(hue, Math.min(lightness + LIGHTER, LIGHTEST), saturation),
    fromHls(hue, Math.max(lightness - LIGHTER, DARKEST), saturation),
  ];
}

/**
 * Give each component a shade of the colour of the label it is named after.
 *
 * @param {Int32Array} names  the label of each component, negative: unnamed, (K,)
 * @returns {number[][]}  K colours
 */
export function componentColours(names, palette = PALETTE) {
  // Where no component has a name, shades of grey would tell none from another.
  const isNamed = names.some((label) => label >= 0);
  const members = new Map();
  names.forEach((name, k) => {
    const label = isNamed ? name : k % palette.length;
    members.set(label, [...(members.get(label) ?? []), k]);
  });
  const colours = [];
  for (const [label, group] of members) {
    const [light, dark] = shadesOf(label, palette);
    group.forEach((k, i) => {
      const place = group.length > 1 ? i / (group.length - 1) : 0.5;
      colours[k] = light.map((part, c) => Math.round(part + (dark[c] - part) * place));
    });
  }
  return colours;
}

/** The colour at a share of the way from strange, 0, to usual, 1. */
export function scaleColour(place) {
  const at = Math.min(Math.max(place, 0), 1) * (SCALE.length - 1);
  const i = Math.min(Math.floor(at), SCALE.length - 2);
  const [from, to] = [fromHex(SCALE[i]), fromHex(SCALE[i + 1])];
  return from.map((part, c) => Math.round(part + (to[c] - part) * (at - i)));
}

/** A colour as CSS writes it. */
export function asCss([red, green, blue]) {
  return `rgb(${red}, ${green}, ${blue})`;
}

function fromHex(hex) {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

function toHls(rgb) {
  const [red, green, blue] = rgb.map((part) => part / 255);
  const [least, most] = [Math.min(red, green, blue), Math.max(red, green, blue)];
  const lightness = (least + most) / 2;
  const chroma = most - least;
  if (chroma === 0) return [0, lightness, 0];
  const saturation = chroma / (1 - Math.abs(2 * lightness - 1));
  let hue = (red - green) / chroma + 4;
  if (red === most) hue = (green - blue) / chroma;
  else if (green === most) hue = (blue - red) / chroma + 2;
  return [(hue / 6 + 1) % 1, lightness, saturation];
}

function fromHls(hue, lightness, saturation) {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  return [0, 8, 4].map((turn) => {
    const k = (turn + 12 * hue) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}
