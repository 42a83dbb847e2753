// The legend: a swatch for every colour of the points. A click hides its points, one with a double
// click or Shift leaves them alone.

import { groupSizes } from "./colouring.js";
import { asCss } from "../pieces/colours.js";
import { make, makeButton } from "../pieces/elements.js";
import { countOf, labelTitle } from "../pieces/words.js";

/** It tells `onFilter(hidden)`: the groups that are not to be shown. */
export class Legend {
  element = make("div", { class: "legend", role: "group", "aria-label": "Legend" });
  onFilter = null;
  #buttons = [];
  #shown = null;
  #hidden = new Set();
  #before = this.#hidden; // hidden before the first click of two

  /**
   * @param {object} shown  of `colouring`
   * @param {number[]} hidden  groups
   * @param {{model: Model, palette: string[]}} space
   */
  show(shown, hidden, space) {
    if (shown !== this.#shown) this.#build(shown, space);
    this.#hidden = new Set(hidden);
    for (const { button, groups } of this.#buttons) {
      const isShown = groups.some((group) => !this.#hidden.has(group));
      button.setAttribute("aria-pressed", isShown);
    }
  }

  #build(shown, space) {
    this.#shown = shown;
    this.#buttons = [];
    const sizes = groupSizes(shown);
    const present = shown.entries
      .map((entry, group) => ({ ...entry, group, size: sizes[group] }))
      .filter(({ size, label }) => shown.isScale || size || label !== undefined);
    const isClusters = present.some(({ label }) => label !== undefined);
    const items = isClusters
      ? this.#byLabel(present, space)
      : present.map((entry) => this.#swatch(entry, shown.isScale));
    const kind = shown.isScale ? "scale" : isClusters ? "families" : "entries";
    this.element.replaceChildren(
      make("p", { class: "meaning" }, shown.meaning),
      make("div", { class: kind }, items),
    );
  }

  // Clusters stand behind the label they are named after, in its shades.
  #byLabel(entries, { model }) {
    const labels = [...new Set(entries.map(({ label }) => label))].sort((a, b) => a - b);
    labels.push(...(labels[0] < 0 ? labels.splice(0, 1) : [])); // the unnamed come last
    return labels.map((label) => {
      const members = entries.filter((entry) => entry.label === label);
      const size = members.reduce((sum, { size }) => sum + size, 0);
      const name = label < 0 && labels.length === 1 ? "clusters" : labelTitle(model, label);
      const title = `${name}: ${countOf(members.length, "cluster")}, ${countOf(size, "point")}`;
      const all = this.#toggle(members.map(({ group }) => group), title, { class: "of-label" });
      all.append(name);
      const swatches = members.map((entry) => this.#swatch(entry, true));
      return make("div", { class: "family" }, all, swatches);
    });
  }

  #swatch({ title, colour, group, size, edge }, isBare) {
    const said = `${title}: ${countOf(size, "point")}`;
    const button = this.#toggle([group], said, { class: isBare ? "swatch bare" : "swatch" });
    button.append(make("i", { style: `background: ${asCss(colour)}` }));
    if (!isBare) button.append(title);
    if (edge) button.append(make("small", {}, edge));
    return button;
  }

  #toggle(groups, said, attributes) {
    const button = makeButton("", (event) => this.#press(groups, event), {
      ...{ ...attributes, title: said, "aria-label": said },
      ondblclick: () => this.#alone(groups, this.#before),
    });
    button.replaceChildren();
    this.#buttons.push({ button, groups });
    return button;
  }

  #press(groups, event) {
    if (event.shiftKey) return this.#alone(groups);
    if (event.detail > 1) return; // the second of a double click
    this.#before = this.#hidden;
    const hidden = new Set(this.#hidden);
    const isShown = groups.some((group) => !hidden.has(group));
    for (const group of groups)
      if (isShown) hidden.add(group);
      else hidden.delete(group);
    this.onFilter?.([...hidden].sort((a, b) => a - b));
  }

  // Leave groups alone, or show all where they are alone already.
  #alone(groups, hidden = this.#hidden) {
    const others = this.#shown.entries.map((_, group) => group).filter((g) => !groups.includes(g));
    const isAlone = hidden.size === others.length && others.every((group) => hidden.has(group));
    this.onFilter?.(isAlone ? [] : others);
  }
}
