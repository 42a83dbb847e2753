// The training images of the stored z, where they are on the machine: sheets of a thousand, fetched
// in the background, one after the other. Nothing waits for one: until it is here, z is decoded.

const A_SHEET = 1000; // images
const SHEET_COLUMNS = 40;
const IMAGE_SIDE = 28;
const IMAGE_SIZE = IMAGE_SIDE * IMAGE_SIDE;
const MOST_AHEAD = 100; // sheets that are fetched unasked: 78 MB

/** Images by the row of the training data. */
export class Sheets {
  /** Called when another sheet has come, with its number. */
  onSheet = null;
  /** Why there are no images, or an empty text. */
  fault = "";

  #url;
  #n;
  #sheets = new Map();
  #wanted = [];
  #isFetching = false;
  #stop = new AbortController();

  /**
   * @param {(sheet: number) => string} url  where a sheet is: a PNG of 40 by 25 grey images
   * @param {number} nSheets
   */
  constructor(url, nSheets) {
    this.#url = url;
    this.#n = nSheets;
  }

  /** Whether the images of rows are here, all of them. */
  has(rows) {
    return rows.every((row) => this.#sheets.has(Math.floor(row / A_SHEET)));
  }

  /** How much of all is here, in [0, 1]. */
  get share() {
    return this.#sheets.size / Math.max(this.#n, 1);
  }

  /**
   * @param {number} row
   * @returns {Uint8Array | null}  (784,), null while it is not here
   */
  image(row) {
    const sheet = this.#sheets.get(Math.floor(row / A_SHEET));
    const place = row % A_SHEET;
    return sheet ? sheet.subarray(place * IMAGE_SIZE, (place + 1) * IMAGE_SIZE) : null;
  }

  /** Fetch what is not here yet, the first sheets first. */
  start() {
    for (let sheet = 0; sheet < Math.min(this.#n, MOST_AHEAD); sheet++) this.#wanted.push(sheet);
    this.#next();
  }

  /** Fetch these rows' sheets before all others: something shows them for a while. */
  want(rows) {
    const sheets = [...new Set(Array.from(rows, (row) => Math.floor(row / A_SHEET)))];
    const missing = sheets.filter((sheet) => sheet < this.#n && !this.#sheets.has(sheet));
    if (!missing.length) return;
    this.#wanted.unshift(...missing);
    this.#next();
  }

  stop() {
    this.#stop.abort();
  }

  async #next() {
    if (this.#isFetching || this.#stop.signal.aborted) return;
    const sheet = this.#wanted.find((number) => !this.#sheets.has(number));
    if (sheet === undefined) return;
    this.#isFetching = true;
    this.#wanted = this.#wanted.filter((number) => number !== sheet);
    try {
      const response = await fetch(this.#url(sheet), { signal: this.#stop.signal });
      if (!response.ok) throw new Error(`the server answers ${response.status}`);
      this.#sheets.set(sheet, await pixelsOf(await response.blob()));
      this.fault = "";
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      // Where one is missing the others are too: they are asked for again when one is wanted.
      this.#wanted = [];
      this.fault = `The images cannot be loaded (${error.message}); decoded ones are shown.`;
    }
    this.#isFetching = false;
    this.onSheet?.(sheet);
    this.#next();
  }
}

async function pixelsOf(png) {
  const bitmap = await createImageBitmap(png, { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const nRows = Math.floor(canvas.height / IMAGE_SIDE);
  const pixels = new Uint8Array(nRows * SHEET_COLUMNS * IMAGE_SIZE);
  for (let image = 0, at = 0; image < nRows * SHEET_COLUMNS; image++) {
    const top = Math.floor(image / SHEET_COLUMNS) * IMAGE_SIDE;
    const left = (image % SHEET_COLUMNS) * IMAGE_SIDE;
    for (let row = 0; row < IMAGE_SIDE; row++)
      for (let column = 0; column < IMAGE_SIDE; column++)
        pixels[at++] = data[4 * ((top + row) * canvas.width + left + column)];
  }
  return pixels;
}
