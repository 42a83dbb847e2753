// How much each latent tells of an image: its mean KL divergence from the prior, as a bar.

import { make } from "../pieces/elements.js";
import { decimal } from "../pieces/words.js";

const LEAST_FULL = 1; // nats, of a whole bar: noise is not to look like news

/** A bar a latent; those that tell next to nothing are hollow. */
export class LatentBars {
  #title = make("h4");
  #bars = make("div", { class: "bars", role: "img" });

  /** @param {HTMLElement} element */
  constructor(element) {
    element.append(this.#title, this.#bars);
  }

  /**
   * @param {{kl_per_latent: number[], in_use: boolean[]}} header  of a frame
   * @param {number} most  nats of the highest bar in the whole film
   */
  show({ kl_per_latent: kl, in_use: inUse }, most) {
    const used = inUse.filter(Boolean).length;
    this.#title.textContent = `Latents in use: ${used} of ${kl.length}`;
    if (this.#bars.childElementCount !== kl.length)
      this.#bars.replaceChildren(
        ...kl.map((_, d) =>
          make("span", {}, make("i"), make("small", {}, kl.length <= 16 ? `z${d + 1}` : "")),
        ),
      );
    const full = Math.max(most, LEAST_FULL);
    [...this.#bars.children].forEach((bar, d) => {
      bar.firstChild.style.height = `${(100 * Math.min(kl[d], full)) / full}%`;
      bar.toggleAttribute("data-used", inUse[d]);
      bar.title = `z${d + 1}: ${decimal(kl[d])} nats${inUse[d] ? "" : ", not in use"}`;
    });
    this.#bars.setAttribute("aria-label", kl.map((value) => decimal(value)).join(", "));
  }
}

/** The highest bar of all frames, in nats. */
export function highestBar(headers) {
  return headers.reduce((most, { kl_per_latent: kl }) => Math.max(most, ...(kl ?? [])), 0);
}
