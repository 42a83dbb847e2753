// One slider a latent: its usual range, where the encoder is unsure, and a thumb to drag.

const BEYOND = 0.5; // of the usual range, on either side of it
const STEPS = 400;
const WIDTHS = 2; // standard deviations of q(z | x) that are marked on either side

/**
 * Make sliders for a point of the latent space.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Model} options.model
 * @param {(dimension: number, value: number) => void} options.onInput  called while one is dragged
 * @returns {{show: (z: ArrayLike<number>, std?: ArrayLike<number> | null) => void}}  std: of
 *   q(z | x), where z is an image's
 */
export function createSliders(element, { model, onInput }) {
  const { low, high } = model.usualRange;
  const rows = Array.from(low, (_, d) => createRow(d, [low[d], high[d]], onInput));
  element.append(...rows.map(({ row }) => row));
  return {
    show: (z, std = null) => rows.forEach(({ show }, d) => show(z[d], std ? std[d] : null)),
  };
}

function createRow(d, [low, high], onInput) {
  const span = high - low || 1;
  const [least, most] = [low - BEYOND * span, high + BEYOND * span];
  const row = document.createElement("label");
  row.className = "latent";
  const name = document.createElement("span");
  const index = document.createElement("sub");
  index.textContent = d + 1;
  name.append("z", index);
  const input = document.createElement("input");
  input.type = "range";
  input.setAttribute("aria-label", `z${d + 1}`);
  const value = document.createElement("output");
  row.append(name, input, value);
  let shown = [NaN, NaN]; // the ends of the slider

  function show(z, std) {
    const ends = [Math.min(least, z), Math.max(most, z)];
    if (ends[0] !== shown[0] || ends[1] !== shown[1]) {
      shown = ends;
      [input.min, input.max] = ends;
      input.step = (ends[1] - ends[0]) / STEPS;
    }
    input.value = z;
    const text = z.toFixed(2);
    value.textContent = text.replace("-", "−");
    input.setAttribute("aria-valuetext", text);
    const place = (at) => Math.min(Math.max((at - ends[0]) / (ends[1] - ends[0]), 0), 1);
    const marks = { low, high, from: z - WIDTHS * (std ?? 0), to: z + WIDTHS * (std ?? 0) };
    for (const [key, at] of Object.entries(marks)) input.style.setProperty(`--${key}`, place(at));
  }

  input.addEventListener("input", () => onInput(d, Number(input.value)));
  return { row, show };
}
