// What is chosen about a chart of curves.

import { make, makeButton, makeSelect, setChoices } from "../pieces/elements.js";
import { hasAxis, LOSSES } from "./lines.js";

const AXES = { epochs: "epochs", steps: "steps", seconds: "time" };
const MOST_SMOOTHING = 0.99;

/** What is seen at first. */
export const SETTINGS = {
  losses: ["cross_entropy", "kl"],
  axis: "epochs",
  smoothing: 0,
  isLogX: false,
  isLogY: false,
  isAll: false, // whether y reaches over all values
  isGrouped: true,
};

/**
 * Make the toolbar.
 *
 * @param {(changes: object) => void} onChange  called with other values of SETTINGS
 * @param {() => void} onReset  called when the zoom is to be undone
 * @returns {{element: HTMLElement, show: Function}}
 */
export function createToolbar(onChange, onReset) {
  let now = SETTINGS;
  const losses = Object.entries(LOSSES).map(([loss, title]) => ({
    loss,
    button: makeButton(title, () => {
      const wanted = Object.keys(LOSSES).filter(
        (other) => now.losses.includes(other) !== (other === loss),
      );
      if (wanted.length) onChange({ losses: wanted });
    }),
  }));
  const axis = makeSelect("Over", (value) => onChange({ axis: value }));
  const smoothing = make("input", {
    ...{ type: "range", min: 0, max: MOST_SMOOTHING, step: 0.01, "aria-label": "Smoothing" },
    oninput: () => onChange({ smoothing: Number(smoothing.value) }),
  });
  const amount = make("output");
  const toggles = {
    isLogX: makeButton("log x", () => onChange({ isLogX: !now.isLogX })),
    isLogY: makeButton("log y", () => onChange({ isLogY: !now.isLogY })),
    isGrouped: makeButton("mean ± sd", () => onChange({ isGrouped: !now.isGrouped }), {
      title: "Show trainings that differ only in their seed as one",
    }),
  };
  const reset = makeButton("Zoom out", onReset);
  const element = make(
    "div",
    { class: "tools" },
    make("div", { role: "group", "aria-label": "Losses" }, losses.map(({ button }) => button)),
    make("label", {}, "over ", axis),
    make("label", { class: "smoothing" }, "smoothing ", smoothing, amount),
    make("div", { role: "group", "aria-label": "View" }, Object.values(toggles), reset),
  );
  return {
    element,
    show(settings, series, isZoomed) {
      now = settings;
      for (const { loss, button } of losses)
        button.setAttribute("aria-pressed", settings.losses.includes(loss));
      const axes = Object.entries(AXES).filter(([name]) => hasAxis(series, name));
      setChoices(axis, Object.fromEntries(axes), settings.axis);
      smoothing.value = settings.smoothing;
      amount.textContent = settings.smoothing.toFixed(2);
      for (const [name, button] of Object.entries(toggles))
        button.setAttribute("aria-pressed", settings[name]);
      toggles.isGrouped.hidden = !hasGroups(series);
      reset.hidden = !isZoomed;
    },
  };
}

/** Return whether some runs are of one group. */
export function hasGroups(series) {
  const groups = series.map(({ group }) => group).filter(Boolean);
  return new Set(groups).size < groups.length;
}
