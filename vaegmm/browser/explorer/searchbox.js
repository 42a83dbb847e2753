// The search: a field with suggestions, and buttons to step through what was found.

import { make, makeButton } from "../pieces/elements.js";
import { queryTitle, suggestions } from "./search.js";
import { countOf } from "../pieces/words.js";

let nBoxes = 0; // so far, for ids

/** It tells `onSearch(query or null)` and `onStep(place)`: which of the results is to be shown. */
export class SearchBox {
  element;
  onSearch = null;
  onStep = null;
  #space;
  #input;
  #list;
  #results;
  #count = make("span", { class: "count", role: "status" });
  #options = [];
  #active = -1;
  #place = 0;
  #n = 0;

  constructor(space) {
    this.#space = space;
    const id = `explorer-search-${++nBoxes}`;
    this.#list = make("ul", { id, role: "listbox", "aria-label": "Searches", hidden: true });
    this.#input = make("input", {
      ...{ type: "search", placeholder: "search  /", "aria-label": "Search", role: "combobox" },
      ...{ "aria-controls": id, "aria-expanded": "false", "aria-autocomplete": "list" },
      ...{ autocomplete: "off", spellcheck: "false", enterkeyhint: "search" },
      oninput: () => {
        if (!this.#input.value) this.onSearch?.(null);
        this.#suggest();
      },
      onfocus: () => {
        this.#input.select();
        this.#suggest("");
      },
      onblur: () => this.#close(),
      onkeydown: (event) => this.#key(event),
    });
    const step = (text, by, name) =>
      makeButton(text, () => this.step(by), { "aria-label": name, title: name });
    this.#results = make(
      "div",
      {
        ...{ class: "results", role: "group", "aria-label": "Results", hidden: true },
        onkeydown: (event) => {
          const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
          if (!by) return;
          event.preventDefault();
          this.step(by);
        },
      },
      step("‹", -1, "Previous result"),
      this.#count,
      step("›", 1, "Next result"),
      makeButton("×", () => this.onSearch?.(null), {
        ...{ "aria-label": "End the search", title: "End the search" },
      }),
    );
    const field = make("div", { class: "field" }, this.#input, this.#list);
    this.element = make("div", { class: "search", role: "search" }, field, this.#results);
  }

  focus() {
    this.#input.focus();
  }

  /**
   * @param {Query | null} query
   * @param {number} n  results
   * @param {number} place  which of them is shown
   */
  show(query, n, place = 0) {
    const title = query ? queryTitle(query, this.#space.model) : "";
    if (!this.#isOpen) this.#input.value = title;
    [this.#n, this.#place] = [n, place];
    this.#results.hidden = query === null;
    this.#say();
  }

  /** Go on by so many results; after the last one comes the first. */
  step(by) {
    if (this.#n) this.goTo((this.#place + by + this.#n) % this.#n);
  }

  /** Show one of the results. */
  goTo(place) {
    this.#place = place;
    this.#say();
    this.onStep?.(place);
  }

  #say() {
    this.#count.textContent = this.#n
      ? `${countOf(this.#place + 1)} of ${countOf(this.#n)}`
      : "none";
  }

  get #isOpen() {
    return !this.#list.hidden;
  }

  #suggest(text = this.#input.value) {
    const { model, truth } = this.#space;
    this.#options = suggestions(text, model, truth !== null).map(({ query, title }, i) => ({
      query,
      element: make(
        "li",
        {
          ...{ role: "option", id: `${this.#list.id}-${i}`, "aria-selected": "false" },
          onpointerdown: (event) => event.preventDefault(), // the field keeps the focus
          onclick: () => this.#choose(query),
        },
        title,
      ),
    }));
    this.#list.replaceChildren(...this.#options.map(({ element }) => element));
    this.#open(this.#options.length > 0);
    this.#mark(text ? 0 : -1);
  }

  #open(isOpen) {
    this.#list.hidden = !isOpen;
    this.#input.setAttribute("aria-expanded", isOpen);
  }

  #close() {
    this.#open(false);
    this.#mark(-1);
  }

  #mark(active) {
    this.#active = active;
    this.#options.forEach(({ element }, i) => element.setAttribute("aria-selected", i === active));
    const chosen = this.#options[active]?.element;
    if (chosen) {
      this.#input.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else this.#input.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    const n = this.#options.length;
    if (event.key === "ArrowDown" && n) this.#mark((this.#active + 1) % n);
    else if (event.key === "ArrowUp" && n) this.#mark((this.#active - 1 + n) % n);
    else if (event.key === "Enter" && this.#options[this.#active])
      this.#choose(this.#options[this.#active].query);
    else if (event.key === "Escape" && this.#isOpen) this.#close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #choose(query) {
    this.#close();
    this.onSearch?.(query);
    this.#results.querySelector("button:nth-of-type(2)").focus({ preventScroll: true });
  }
}
