// What all parts of the explorer look at: the model with its data, and what follows from the view.

import { axisSets } from "./axes.js";
import { colourings } from "./colouring.js";
import { Sheets } from "../pieces/images.js";
import { inkRgb } from "../pieces/pictures.js";
import { Scores, readingOf } from "../model/scores.js";
import { indexOfRow } from "./search.js";
import { countOf, nounOf } from "../pieces/words.js";

const PER_SHEET = 1000; // images

/**
 * @typedef {object} Space
 * @property {Model} model
 * @property {?Uint8Array} truth  true labels of the stored z
 * @property {string[]} palette  a colour a label
 * @property {?Sheets} sheets  the training images, where they are to be had
 * @property {Scores} scores
 * @property {Object<string, string>} titles  of the colourings there are
 * @property {string} noun  what a label is
 * @property {HTMLElement} root  of the explorer
 * @property {HTMLElement} mapElement
 * @property {Projection} projection  of the view; so are all that follow
 * @property {Float32Array} places  of the stored z on the map
 * @property {object} colouring
 * @property {?{indices: Uint32Array, isSelective: boolean}} results  of the search
 * @property {Uint32Array} neighbours  of the pinned place
 * @property {Float32Array[]} trail  places in the latent space that a walk has come by
 * @property {Float32Array} outline  of what is selected, on the map
 * @property {() => View} view
 * @property {(place: number | number[]) => Float32Array} zOf  of a stored z, or of a place
 * @property {() => ArrayLike<number>} through  where the map's plane goes through: the pinned
 *   place, or else the mean
 * @property {(index: number) => {pixels: ArrayLike<number>, isDecoded: boolean}} imageOf  a stored
 *   z's image, or what it decodes to while that is not here
 * @property {(z: ArrayLike<number>) => object} reading  as `readingOf`
 * @property {(isOther?: boolean) => number[]} ink  of images; isOther: it may have changed
 */

/**
 * @param {object} options  model, images, truth, palette, root, mapElement, and view()
 * @returns {Space}
 */
export function makeSpace({ model, images, truth, palette, root, mapElement, view }) {
  const { latents, dimension } = model;
  const sheets = images && new Sheets(images.url, Math.ceil(latents.total / PER_SHEET));
  let ink = null;
  const zOf = (place) =>
    typeof place === "number"
      ? latents.z.subarray(place * dimension, (place + 1) * dimension)
      : Float32Array.from(place);
  return {
    ...{ model, truth, palette, sheets, root, mapElement, view, zOf },
    ...{ scores: new Scores(model), titles: colourings(model, truth), noun: nounOf(model) },
    ...{ projection: null, places: null, colouring: null, results: null },
    ...{ neighbours: new Uint32Array(0), trail: [], outline: new Float32Array(0) },
    through: () => (view().pin === null ? model.pca.mean : zOf(view().pin)),
    imageOf: (index) => {
      const pixels = sheets?.image(latents.row(index)) ?? null;
      return { pixels: pixels ?? model.decode(zOf(index)), isDecoded: pixels === null };
    },
    reading: (z) => readingOf(model, z),
    ink: (isOther = false) => (ink = isOther || !ink ? inkRgb(root) : ink),
  };
}

/** What a view of the space can be, for `sensible`. */
export function limitsOf({ model, truth, titles }) {
  const { latents, dimension, nComponents, labelNames } = model;
  const sets = Object.entries(axisSets(model)).map(([set, { names }]) => [set, names.length]);
  const most = {
    ...{ label: labelNames.length, cluster: nComponents, row: Infinity },
    ...{ strange: 1, uncertain: model.names ? 1 : 0, misread: model.names && truth ? 1 : 0 },
  };
  return {
    ...{ nStored: latents.length, dimension, nAxes: Object.fromEntries(sets) },
    colours: Object.keys(titles),
    isSearchable: ({ kind, value }) =>
      value < most[kind] && (kind !== "row" || indexOfRow(latents, value) >= 0),
  };
}

/** Say how many points there are, and what of the data is missing. */
export function statusOf({ model, scores, sheets }, isWaiting) {
  const { length, total } = model.latents;
  const parts = [countOf(length, "point")];
  if (length < total) parts[0] = `${countOf(length)} of ${countOf(total, "point")}, evenly chosen`;
  if (isWaiting && !scores.isReady) parts.push("computing log p(z) …");
  if (!sheets) parts.push("the images are not here: all are decoded");
  else if (sheets.fault) parts.push(sheets.fault);
  return parts.join(" · ");
}
