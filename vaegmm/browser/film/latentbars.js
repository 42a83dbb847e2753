// How much each latent tells of an image: its mean KL divergence from the prior, as a bar.

import { make } from "../pieces/elements.js";
import { decimal } from "../pieces/words.js";

const LEAST_FULL = 1; // nats, of a whole bar: noise is not to look like news
const MOST_NAMED = 16; // bars with a name and a number each

/** A bar a latent; those that tell next to nothing are hollow. */
export class LatentBars {
  #title = make("h4");
  #bars = make("div", { class: "bars", role: "img" });

  /** @param {HTMLElement} element */
  constructor(element) {
    element.append(this.#title, this.#bars);
  }

  /**
   * @param {{kl_per_latent: number[], in_use: boolean[]}} header  of a frame; its highest bar has
   *   the whole height, since in the first steps a latent may tell a hundred times as much
   */
  show({ kl_per_latent: kl, in_use: inUse }) {
    const isNamed = kl.length <= MOST_NAMED;
    const used = inUse.filter(Boolean).length;
    this.#title.textContent = `Latents in use: ${used} of ${kl.length}`;
    if (this.#bars.childElementCount !== kl.length)
      this.#bars.replaceChildren(
        ...kl.map((_, d) =>
          make("span", {}, make("small"), make("i"), make("small", {}, isNamed ? `z${d + 1}` : "")),
        ),
      );
    const full = Math.max(...kl, LEAST_FULL);
    [...this.#bars.children].forEach((bar, d) => {
      const [value] = bar.children;
      value.textContent = isNamed ? decimal(kl[d], 1) : "";
      bar.style.setProperty("--share", kl[d] / full);
      bar.toggleAttribute("data-used", inUse[d]);
      bar.title = `z${d + 1}: ${decimal(kl[d])} nats${inUse[d] ? "" : ", not in use"}`;
    });
    this.#bars.setAttribute("aria-label", kl.map((value) => decimal(value)).join(", "));
  }
}
