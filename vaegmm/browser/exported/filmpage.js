// The exported film: a training as it was, in a page that needs nothing else.

import { bytesOf } from "./content.js";
import { createTrainings } from "../film/film.js";
import { make } from "../pieces/elements.js";

/**
 * Open the film in the page, and show it.
 *
 * @param {string} encoded  a film in base64
 * @param {HTMLElement} element  what it holds is replaced
 */
export function openPage(encoded, element) {
  let film;
  try {
    film = bytesOf(encoded);
  } catch (error) {
    element.replaceChildren(make("p", { role: "alert" }, error.message));
    return;
  }
  element.replaceChildren();
  element.dataset.part = "film";
  const alone = { id: "film", filmAddress: null, runAddress: null, colour: null, group: null };
  globalThis.vaegmm = createTrainings(element, { runs: [{ ...alone, name: document.title, film }] });
}
