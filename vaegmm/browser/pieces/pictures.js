// Draws images of 28 by 28 pixels in the ink of the page.

const PICTURE_SIDE = 28;

/**
 * Make an empty picture.
 *
 * @param {string} description  for screen readers; empty for one that a text beside it describes
 */
export function makePicture(description = "") {
  const canvas = document.createElement("canvas");
  canvas.className = "picture";
  canvas.width = canvas.height = PICTURE_SIDE;
  describe(canvas, description);
  return canvas;
}

export function describe(canvas, description) {
  if (description) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", description);
  } else canvas.setAttribute("aria-hidden", "true");
}

/**
 * Draw an image; its paper stays clear.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} pixels  bytes, or numbers in [0, 1], (784,)
 * @param {number[]} ink  red, green, blue
 */
export function paint(canvas, pixels, ink, left = 0, top = 0) {
  const data = new ImageData(PICTURE_SIDE, PICTURE_SIDE);
  const unit = pixels instanceof Uint8Array ? 1 : 255;
  for (let i = 0, at = 0; i < PICTURE_SIDE * PICTURE_SIDE; i++, at += 4) {
    [data.data[at], data.data[at + 1], data.data[at + 2]] = ink;
    data.data[at + 3] = unit * pixels[i];
  }
  canvas.getContext("2d").putImageData(data, left, top);
}

/** The colour of an element's text, whichever way its style writes it. */
export function inkRgb(element) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d");
  context.fillStyle = getComputedStyle(element).color;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
}
