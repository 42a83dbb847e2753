// The exported page: the overview, the map and the pad, of the model that lies in the page itself.

import { fromAddress, toAddress } from "../explorer/address.js";
import { bytesOf } from "./content.js";
import { createDraw } from "../draw/draw.js";
import { storageIn } from "../draw/drawings.js";
import { make, makeButton } from "../pieces/elements.js";
import { createExplorer } from "../explorer/explorer.js";
import { Model } from "../model/model.js";
import { createOverview } from "../overview/overview.js";
import { readStrokes } from "../model/reading.js";

const DIGITS = 3; // after the point, of z in the address
const SETTLED = 250; // milliseconds without a change, after which a view goes into the address
const TABS = { overview: "Overview", map: "Map", draw: "Draw" };

/**
 * Open the model in the page, and show it.
 *
 * The console gets `vaegmm`: `model`; `read(strokes)`, what a drawing is called, how sure that is
 * and how typical it is; `encode(pixels)` and `decode(z)`.
 *
 * @param {string} encoded  a blob in base64
 * @param {HTMLElement} element  what it holds is replaced
 */
export function openPage(encoded, element) {
  let model;
  try {
    model = Model.from(bytesOf(encoded));
  } catch (error) {
    element.replaceChildren(
      make("p", { role: "alert" }, "The model in this file cannot be opened. ", error.message),
    );
    return;
  }
  globalThis.vaegmm = {
    model,
    read: (strokes) => {
      const { label, probabilities, typicality } = readStrokes(model, strokes);
      return { label, name: model.labelNames[label] ?? null, probabilities, typicality };
    },
    encode: (pixels) => model.encode(pixels),
    decode: (z) => model.decode(z),
  };
  element.replaceChildren();
  new Page(element, model);
}

class Page {
  #model;
  #tabs = {};
  #panels = {};
  #parts = {}; // what was opened so far
  #views = {}; // of each tab, as the address says it
  #chosen = null;
  #writing = 0;

  constructor(element, model) {
    this.#model = model;
    const list = make("nav", { role: "tablist", "aria-label": "Views" });
    for (const [name, title] of Object.entries(TABS)) {
      // A panel named as the address is would be scrolled to.
      const [id, panel] = [`tab-${name}`, `panel-${name}`];
      const attributes = { role: "tab", id, "aria-controls": panel };
      this.#tabs[name] = makeButton(title, () => this.#choose(name, true), attributes);
      this.#panels[name] = make("div", { id: panel, role: "tabpanel", "aria-labelledby": id });
      this.#panels[name].hidden = true;
    }
    list.append(...Object.values(this.#tabs));
    list.addEventListener("keydown", (event) => this.#press(event));
    const title = model.title || "A model to touch";
    element.append(make("header", { class: "bar" }, make("h1", {}, title), list));
    element.append(...Object.values(this.#panels));
    addEventListener("hashchange", ({ newURL }) => {
      // Of the event: by now an older view, which has just come to rest, may be in the address.
      this.#read(new URL(newURL).hash);
      this.#write();
    });
    this.#read(location.hash);
  }

  // The address: "#overview=" and z, "#map=" and a view, or "#draw".
  #read(hash) {
    const [, name, view] = /^#?([^=]*)=?(.*)$/.exec(hash);
    let decoded = "";
    try {
      decoded = decodeURIComponent(view);
    } catch {
      // Not what this page writes: the tab is opened as if for the first time.
    }
    const known = Object.hasOwn(TABS, name) ? name : "overview";
    if (this.#chosen === known && this.#views[known] === decoded) return;
    this.#views[known] = decoded;
    this.#parts[known]?.destroy();
    delete this.#parts[known];
    this.#choose(known);
  }

  #choose(name, isWritten = false) {
    this.#chosen = name;
    for (const [key, tab] of Object.entries(this.#tabs)) {
      tab.setAttribute("aria-selected", `${key === name}`);
      tab.tabIndex = key === name ? 0 : -1;
      this.#panels[key].hidden = key !== name;
    }
    this.#parts[name] ??= this.#open(name);
    if (isWritten) this.#write();
  }

  #open(name) {
    const [panel, model] = [this.#panels[name], this.#model];
    const view = this.#views[name] ?? "";
    const keep = (value) => {
      this.#views[name] = value;
      clearTimeout(this.#writing);
      this.#writing = setTimeout(() => this.#write(), SETTLED);
    };
    if (name === "overview")
      return createOverview(panel, {
        model,
        z: view ? view.split("*").map(Number) : null,
        onPlace: (z) => keep(Array.from(z, (value) => value.toFixed(DIGITS)).join("*")),
      });
    if (name === "map")
      return createExplorer(panel, {
        ...{ model, images: null, truth: null, view: fromAddress(view) },
        onView: (next) => keep(toAddress(next)),
      });
    // Files share a browser's storage, so that each model has a place of its own there.
    const storage = storageIn(() => localStorage, `vaegmm-${model.fingerprint}`);
    return createDraw(panel, { model, storage });
  }

  #write() {
    clearTimeout(this.#writing);
    const view = this.#views[this.#chosen];
    const hash = `#${this.#chosen}${view ? `=${encodeURIComponent(view)}` : ""}`;
    if (location.hash !== hash) history.replaceState(null, "", hash);
  }

  #press(event) {
    const names = Object.keys(TABS);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = names[(names.indexOf(this.#chosen) + step + names.length) % names.length];
    this.#choose(next, true);
    this.#tabs[next].focus();
    event.preventDefault();
  }
}
