// Losses of trainings, large enough to be read: laid over each other, smoothed, zoomed into, and
// trainings that differ only in their seed as one curve with its spread.

import { make } from "../pieces/elements.js";
import { countOf, decimal } from "../pieces/words.js";
import { createLegend, said } from "./legend.js";
import { KINDS, LOSSES, hasAxis, linesOf, nearest, placeOf } from "./lines.js";
import { Plot } from "./plot.js";
import { createToolbar, SETTINGS } from "./toolbar.js";

const LEAST_WIDTH = 400; // pixels, of a plot beside another one
const GAP = 24;
const [LOW, HIGH] = [240, 360]; // pixels: heights on a phone and on a desk

/**
 * Show curves.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {(epoch: number) => void} [options.onSeek]  called with an epoch that was clicked
 * @returns {{setSeries: Function, setMarker: Function, destroy: Function}}
 */
export function createCurves(element, { onSeek = () => {} } = {}) {
  let settings = SETTINGS;
  let series = [];
  let lines = [];
  let zoom = null; // of x, or all
  let marker = null;
  let cursor = null; // where one reads, on the axis
  const hidden = new Set();

  const toolbar = createToolbar(change, () => zoomTo(null));
  const legend = createLegend((key) => {
    if (!hidden.delete(key)) hidden.add(key);
    show();
  });
  const plots = new Map(
    Object.entries(LOSSES).map(([loss, title]) => [
      loss,
      new Plot(title, {
        onHover: read,
        onStep: step,
        onSeek: (x) => seek(x ?? cursor),
        onZoom: zoomTo,
        onZoomBy: zoomBy,
        onAll: (isAll) => change({ isAll }),
      }),
    ]),
  );
  const panels = make("div", { class: "plots" });
  const empty = make("p", { class: "empty" }, "The curves begin when the first epoch is done.");
  const note = make(
    "p",
    { class: "note" },
    "Solid: training images. Dotted: validation images, which are not trained on. Drag sideways " +
      "to zoom in, double-click to see all.",
  );
  const parts = [toolbar.element, panels, legend.element, note];
  const root = make("section", { class: "curves" }, parts, empty);
  element.append(root);
  const sizes = new ResizeObserver(() => show());
  sizes.observe(root);

  function change(changes) {
    if (changes.axis && changes.axis !== settings.axis) zoom = cursor = null;
    settings = { ...settings, ...changes };
    renew();
  }

  function renew() {
    if (!hasAxis(series, settings.axis)) settings = { ...settings, axis: "epochs" };
    lines = linesOf(series, settings.axis, settings.smoothing, settings.isGrouped);
    if (zoom && zoom[0] >= whole()[1]) zoom = null; // a training has begun again
    show();
  }

  const seen = () => lines.filter(({ key, epochs }) => epochs.length && !hidden.has(key));

  // All that there is on the axis; a logarithmic one begins at the first epoch.
  function whole() {
    const places = seen().flatMap(({ x }) => [x[0], x.at(-1)]).filter(Number.isFinite);
    const [least, most] = [Math.min(...places), Math.max(...places)];
    if (!(most >= least)) return [0, 1];
    const first = settings.isLogX ? least : Math.min(least, settings.axis === "epochs" ? 1 : 0);
    return most > first ? [first, most] : [first, first + (first || 1)];
  }

  function show() {
    const any = lines.some(({ epochs }) => epochs.length);
    empty.hidden = any;
    for (const part of parts) part.hidden = !any;
    const width = root.clientWidth;
    if (!any || !width) return;
    toolbar.show(settings, series, zoom !== null);
    const columns = Math.max(
      Math.min(settings.losses.length, Math.floor((width + GAP) / (LEAST_WIDTH + GAP))),
      1,
    );
    panels.style.setProperty("--columns", columns);
    const wanted = settings.losses.map((loss) => plots.get(loss).element);
    // Only where they are others: what is taken out of the page for a moment loses the focus.
    if (wanted.length !== panels.children.length || wanted.some((plot) => !plot.isConnected))
      panels.replaceChildren(...wanted);
    const each = Math.floor((width - GAP * (columns - 1)) / columns);
    const height = width < 600 ? LOW : HIGH;
    const shown = { lines: seen(), range: zoom ?? whole(), settings, axis: axisOf() };
    for (const loss of settings.losses) plots.get(loss).show({ ...shown, loss }, each, height);
    read(cursor);
  }

  function axisOf() {
    if (settings.axis !== "seconds") return { unit: 1, least: 1, title: settings.axis };
    const [, last] = zoom ?? whole();
    const [unit, title] = [[3600, "hours"], [60, "minutes"], [1, "seconds"]].find(
      ([unit]) => last >= 2 * unit || unit === 1,
    );
    return { unit, least: 0, title: `${title} of training` };
  }

  // Where the slider is, of each run; in the colour of a run where others are elsewhere.
  function marks() {
    if (marker === null) return [];
    const colours = new Map(); // by place
    for (const { runs, colour } of seen())
      for (const run of runs) {
        const x = markedIn(run);
        if (Number.isFinite(x)) colours.set(x, [...(colours.get(x) ?? []), colour]);
      }
    const isOne = colours.size === 1;
    return [...colours].map(([x, of]) => {
      const isShared = isOne || new Set(of).size > 1;
      return { x, colour: isShared ? null : of[0] };
    });
  }

  // One reads where the pointer is, or else where the slider is, or else at the end.
  function read(x) {
    cursor = x;
    const marked = marks();
    const indices = new Map(
      lines.map((line) => [line.key, nearest(line.x, cursor ?? markedIn(line.runs[0]))]),
    );
    legend.show(lines, hidden, settings, indices, sayPlace(cursor));
    const readings = seen().map((line) => ({ line, index: indices.get(line.key) }));
    for (const loss of settings.losses) {
      plots.get(loss).mark(marked);
      plots.get(loss).hover(cursor, readings, sayReadings(readings, loss));
    }
  }

  function sayPlace(x) {
    if (x === null || settings.axis === "epochs") return "";
    const { unit, title } = axisOf();
    return `at ${unit === 1 ? countOf(Math.round(x)) : decimal(x / unit, 1)} ${title}`;
  }

  // Where the slider is in one run; without a slider at the end.
  function markedIn(run) {
    if (marker === null) return Infinity;
    const epoch = typeof marker === "number" ? marker * run.epochs : marker.epoch;
    return placeOf(run, epoch, settings.axis);
  }

  function step(by) {
    const line = seen()[0];
    if (!line) return;
    const index = nearest(line.x, cursor ?? markedIn(line.runs[0]));
    const next = Math.min(Math.max(index + by, 0), line.x.length - 1);
    const x = line.x[next];
    const [from, to] = zoom ?? whole();
    const beyond = Math.min(x - from, 0) + Math.max(x - to, 0);
    if (beyond) zoomTo([from + beyond, to + beyond]);
    read(x);
  }

  function seek(x) {
    const line = seen()[0];
    if (x === null || !line) return;
    onSeek(line.epochs[nearest(line.x, x)]);
  }

  function zoomTo(range) {
    const [first, last] = whole();
    const [from, to] = [Math.max(range?.[0] ?? first, first), Math.min(range?.[1] ?? last, last)];
    const x = seen()[0]?.x ?? [0];
    if (to - from < (x.at(-1) - x[0]) / x.length) return; // hardly an epoch would be left
    zoom = from > first || to < last ? [from, to] : null;
    show();
  }

  function zoomBy(factor) {
    const [from, to] = zoom ?? whole();
    const middle = Math.min(Math.max(cursor ?? (from + to) / 2, from), to);
    zoomTo([middle - (middle - from) * factor, middle + (to - middle) * factor]);
  }

  return {
    /**
     * @param {object[]} wanted  of each training {id, name, colour, group, epochs, stepsPerEpoch,
     *   losses}: group is what runs share that differ only in their seed, or null; losses are those
     *   of the finished epochs, from the first one on
     */
    setSeries(wanted) {
      series = wanted;
      renew();
    },
    /** Mark an epoch, {epoch}, or a share of each training in [0, 1]; null marks nothing. */
    setMarker(wanted) {
      marker = wanted;
      read(cursor);
    },
    destroy() {
      sizes.disconnect();
      root.remove();
    },
  };
}

function sayReadings(readings, loss) {
  return readings
    .map(({ line, index }) => {
      const [training, validation] = KINDS.map((kind) => said(line.curves[loss][kind], index));
      const epoch = countOf(line.epochs[index]);
      return `${line.name}, epoch ${epoch}: ${training}, validation ${validation}`;
    })
    .join("; ");
}
