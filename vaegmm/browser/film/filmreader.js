// Reads a film: a block for the film itself, then one a frame, each compressed on its own. Blocks
// are kept as they came; what lies in one is taken out when it is looked at.

import { momentOf } from "./timeline.js";
import { openFrame } from "./filmframe.js";
import { readBlob } from "../model/blob.js";

const MAGIC = "VAEFILM1";
const LENGTH = 4; // bytes that say how long a block is
const MOST_BYTES = 2 ** 24; // of a block; a longer one is damage
const MOST_OPEN = 48; // frames that are kept open, some 150 kB each

/** A film that may still grow. */
export class Film {
  /** Of the film: title, label_names, epochs, …; null before its first block is here. */
  header = null;
  /** What does not change: images (S, 784), imageLabels (S,) and labels (M,), or null each. */
  images = null;
  imageLabels = null;
  labels = null;
  /** The headers of its frames, in order, and the moment of each, in epochs, rising. */
  frames = [];
  moments = [];
  /** How many bytes of the file were read: whole blocks only, so that it goes on from there. */
  nBytes = 0;
  /** Why no more of it can be read, or an empty text. */
  fault = "";

  #entries = []; // {block} of each frame
  #open = new Map(); // entry -> frame, the one looked at last behind the others
  #opening = new Map(); // entry -> promise of a frame

  /**
   * Take further bytes of the file, from `nBytes` on. A block that is not whole yet is left.
   *
   * A training that went back, after it was killed or because it began again by itself, trains
   * the same epochs anew: their frames replace those of the first time.
   *
   * @param {Uint8Array} bytes
   * @returns {Promise<boolean>}  whether there was a whole block
   */
  async append(bytes) {
    let at = 0;
    if (this.nBytes === 0) {
      if (bytes.length < MAGIC.length) return false;
      if (String.fromCharCode(...bytes.subarray(0, MAGIC.length)) !== MAGIC) {
        this.fault = "This is no film.";
        return false;
      }
      at = MAGIC.length;
    }
    const start = at;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    while (!this.fault && at + LENGTH <= bytes.length) {
      const length = view.getUint32(at, true);
      const end = at + LENGTH + length;
      if (length <= MOST_BYTES && end > bytes.length) break;
      try {
        if (length > MOST_BYTES) throw new Error(`a block has ${length} bytes`);
        await this.#take(bytes.slice(at + LENGTH, end));
        at = end;
      } catch (error) {
        this.fault = `The film is damaged from here on (${error.message}).`;
      }
    }
    if (at === start) return false;
    this.nBytes += at;
    return true;
  }

  /** Forget all of it: the file was cut, and is to be read from its start again. */
  clear() {
    this.header = this.images = this.imageLabels = this.labels = null;
    [this.frames, this.moments, this.#entries] = [[], [], []];
    this.#open.clear();
    this.#opening.clear();
    [this.nBytes, this.fault] = [0, ""];
  }

  /** A frame if it is open, as openFrame says; null if it is not. */
  peek(index) {
    const entry = this.#entries[index];
    const frame = this.#open.get(entry);
    if (!frame) return null;
    this.#open.delete(entry);
    this.#open.set(entry, frame);
    return frame;
  }

  /**
   * Open a frame. What it does not hold is as in the frame before.
   *
   * @param {number} index
   * @returns {Promise<object>}  as openFrame says
   */
  async frame(index) {
    const open = this.peek(index);
    if (open) return open;
    const entry = this.#entries[index];
    if (!this.#opening.has(entry)) this.#opening.set(entry, this.#openEntry(entry, index));
    return this.#opening.get(entry);
  }

  async #openEntry(entry, index) {
    try {
      const own = openFrame(await opened(entry.block), this);
      const before = own.places || index === 0 ? null : await this.frame(index - 1);
      const frame = before ? { ...before, ...held(own) } : own;
      this.#open.set(entry, frame);
      for (const oldest of this.#open.keys()) {
        if (this.#open.size <= MOST_OPEN) break;
        this.#open.delete(oldest);
      }
      return frame;
    } finally {
      this.#opening.delete(entry);
    }
  }

  async #take(block) {
    const blob = await opened(block);
    const { header } = blob;
    if (!this.header) {
      if (header.kind !== "film") throw new Error("it begins with another block");
      const [nSamples] = header.arrays.images.shape;
      this.images = blob.array("images", nSamples, 784);
      if (header.arrays.image_labels) this.imageLabels = blob.array("image_labels", nSamples);
      if (header.arrays.labels) this.labels = blob.array("labels", ...header.arrays.labels.shape);
      this.header = header;
      return;
    }
    const moment = momentOf(header, this.header.steps);
    if (!Number.isFinite(moment)) throw new Error("a frame is of no moment");
    let n = this.#entries.length;
    while (n && this.moments[n - 1] >= moment) n--;
    for (const dropped of this.#entries.splice(n)) this.#open.delete(dropped);
    this.frames.length = this.moments.length = n;
    this.#entries.push({ block });
    this.frames.push(header);
    this.moments.push(moment);
  }
}

/** What of a frame is there. */
function held(frame) {
  return Object.fromEntries(Object.entries(frame).filter(([, part]) => part !== null));
}

async function opened(block) {
  const stream = new Blob([block]).stream().pipeThrough(new DecompressionStream("deflate"));
  return readBlob(await new Response(stream).arrayBuffer());
}
