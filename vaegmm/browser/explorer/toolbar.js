// What one chooses of a view: colours, axes, and what lies on the map.

import { axisSets } from "./axes.js";
import { make, makeButton, makeSelect, setChoices } from "../pieces/elements.js";

const MODES = { pan: "Move", box: "Box", lasso: "Lasso" };
const MODE_TITLES = {
  pan: "Drag to move, scroll or pinch to zoom",
  box: "Draw a box around points",
  lasso: "Draw an outline around points (or drag with Shift)",
};

/** It tells `onChange(part of a view)`, `onMode(mode)` and `onFit()`. */
export class Toolbar {
  choices = make("div", { class: "choices" });
  tools = make("div", { class: "tools", role: "toolbar", "aria-label": "Map" });
  onChange = null;
  onMode = null;
  onFit = null;
  #sets;
  #titles;
  #colour;
  #set;
  #axes;
  #solid;
  #modes = {};
  #toggles = {};
  #view = null;

  constructor(model, titles) {
    this.#sets = axisSets(model);
    this.#titles = titles;
    this.#colour = makeSelect("Colour by", (colour) => this.onChange?.({ colour }));
    this.#set = makeSelect("Axes", (axes) => {
      const most = this.#sets[axes].names.length;
      const along = this.#view.along.map((_, i) => i).filter((axis) => axis < most);
      this.onChange?.({ axes, along });
    });
    this.#axes = ["Across", "Up", "Deep"].map((name, i) =>
      makeSelect(name, (value) => this.#turn(i, Number(value))),
    );
    this.#solid = makeButton("3-D", () => this.#toggleSolid());
    const said = (text, ...children) => make("label", {}, make("span", {}, text), ...children);
    this.choices.append(
      said("colour", this.#colour),
      model.dimension > 1 ? said("axes", this.#set) : "",
      make("span", { class: "axes" }, ...this.#axes, this.#solid),
    );
    for (const [mode, title] of Object.entries(MODES))
      this.#modes[mode] = makeButton(title, () => this.setMode(mode), { title: MODE_TITLES[mode] });
    const toggle = (name, text, title) =>
      makeButton(text, () => this.onChange?.({ [name]: !this.#view[name] }), { title });
    this.#toggles = {
      outlines: toggle("outlines", "Clusters", "The clusters’ ellipses"),
      sheet: toggle("sheet", "Sheet", "What the plane behind the points decodes to"),
    };
    this.tools.append(
      ...Object.values(this.#modes),
      ...Object.values(this.#toggles),
      makeButton("Fit", () => this.onFit?.(), { title: "Show everything (0)" }),
    );
    this.setMode("pan");
  }

  /** @param {View} view */
  show(view) {
    this.#view = view;
    setChoices(this.#colour, this.#titles, view.colour);
    const titles = Object.entries(this.#sets).map(([key, { title }]) => [key, title]);
    setChoices(this.#set, Object.fromEntries(titles), view.axes);
    const { names } = this.#sets[view.axes];
    this.#axes.forEach((select, i) => {
      select.hidden = i >= view.along.length || names.length < 2;
      if (!select.hidden) setChoices(select, { ...names }, view.along[i]);
    });
    this.#solid.hidden = names.length < 3;
    this.#solid.setAttribute("aria-pressed", view.along.length === 3);
    for (const [name, button] of Object.entries(this.#toggles))
      button.setAttribute("aria-pressed", view[name]);
    this.#toggles.sheet.disabled = view.along.length === 3;
  }

  setMode(mode) {
    for (const [name, button] of Object.entries(this.#modes))
      button.setAttribute("aria-pressed", name === mode);
    this.onMode?.(mode);
  }

  // An axis that is already on the map changes places with the one it replaces.
  #turn(place, axis) {
    const along = [...this.#view.along];
    const other = along.indexOf(axis);
    if (other >= 0) along[other] = along[place];
    along[place] = axis;
    this.onChange?.({ along });
  }

  #toggleSolid() {
    const { along, axes } = this.#view;
    if (along.length === 3) return this.onChange?.({ along: along.slice(0, 2) });
    const free = this.#sets[axes].names.findIndex((_, axis) => !along.includes(axis));
    this.onChange?.({ along: [...along, free] });
  }
}
