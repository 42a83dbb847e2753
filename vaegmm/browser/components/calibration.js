// How often the model is right when it says how sure it is.

import { make } from "../pieces/elements.js";
import { makeScale } from "../pieces/scales.js";
import { draw, drawText } from "../pieces/svg.js";
import { countOf, share } from "../pieces/words.js";

const N_BINS = 10;
const [WIDTH, HEIGHT, LEFT, BELOW] = [320, 220, 44, 30];

/**
 * Draw a reliability diagram.
 *
 * @param {HTMLElement} element
 * @param {{right: boolean[], confidence: Uint8Array}} options  of each image whether it was read
 *   rightly, and how sure that was, in 255ths
 */
export function createCalibration(element, { right, confidence }) {
  const bins = binsOf(right, confidence);
  const { at: x } = makeScale([0, 1], [LEFT, WIDTH - 8]);
  const { at: y } = makeScale([0, 1], [HEIGHT - BELOW, 8]);
  const most = Math.max(...bins.map(({ n }) => n));
  const drawing = draw("svg", {
    ...{ viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "calibration" },
    "aria-label": "How often it is right, by how sure it is",
  });
  for (const at of [0, 0.5, 1]) {
    drawing.append(
      draw("line", { x1: x(0), x2: x(1), y1: y(at), y2: y(at), class: "grid" }),
      drawText(LEFT - 6, y(at) + 4, share(at, 0), "end"),
      drawText(x(at), HEIGHT - 14, share(at, 0), "middle"),
    );
  }
  drawing.append(draw("line", { x1: x(0), x2: x(1), y1: y(0), y2: y(1), class: "ideal" }));
  bins.forEach(({ n, sure, hits }) => {
    if (!n) return;
    const dot = draw("circle", {
      ...{ cx: x(sure / n), cy: y(hits / n), r: 3 + 6 * Math.sqrt(n / most), class: "bin" },
    });
    const said = `${countOf(n, "image")}: ${share(sure / n)} sure on average, ${share(hits / n)} right`;
    dot.append(draw("title", {}, said));
    drawing.append(dot);
  });
  drawing.append(drawText(x(0.5), HEIGHT - 1, "how sure it is", "middle"));
  element.append(
    make(
      "section",
      { class: "reliability" },
      make("h3", {}, make("b", {}, "Can its certainty be believed?")),
      drawing,
      make("p", {}, "How often it is right, over how sure it is. On the line both are the same; larger dots are more images."),
    ),
  );
}

function binsOf(right, confidence) {
  const bins = Array.from({ length: N_BINS }, () => ({ n: 0, sure: 0, hits: 0 }));
  confidence.forEach((value, i) => {
    const bin = bins[Math.min(Math.floor((value / 255) * N_BINS), N_BINS - 1)];
    bin.n += 1;
    bin.sure += value / 255;
    bin.hits += right[i] ? 1 : 0;
  });
  return bins;
}
