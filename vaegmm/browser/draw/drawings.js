// What somebody has drawn: what is on the pads, and what was kept of it, with what each drawing was
// where they have said so. The model learns from those.

const MOST_KEPT = 500;

/**
 * Drawings that survive a reload of the page.
 *
 * A kept drawing is `{id, strokes, name, share, verdict, nKnown, truth, turn}`: what it was read as
 * when it was drawn, how sure that was, and how many drawings of the hand were known by then; what
 * it was (the name of a label; null: nobody has said so yet), and the place of that word among all
 * that were said, 0 without one. One from a file may have no strokes (null), but an image (784,).
 */
export class Drawings {
  #storage;
  #pads;
  #kept;
  #turn; // the last word
  #id; // of the newest
  #revision;

  /** @param {{read: (name: string) => ?string, write: (name: string, text: string) => void}} storage */
  constructor(storage) {
    this.#storage = storage;
    this.#pads = this.#read("pads", {});
    const { kept = [], revision = "" } = this.#read("kept", {});
    this.#kept = kept;
    this.#revision = revision;
    this.#turn = Math.max(0, ...kept.map(({ turn }) => turn));
    this.#id = Math.max(0, ...kept.map(({ id }) => id));
  }

  /** All that is kept, the newest first. */
  get kept() {
    return this.#kept;
  }

  /** Those of which somebody has said what they were, in the order of that. */
  get learned() {
    return this.#kept.filter(({ truth }) => truth !== null).sort((a, b) => a.turn - b.turn);
  }

  /** Another text whenever what is learned has changed; empty where that is nothing. */
  get revision() {
    return this.#revision;
  }

  /** Strokes on the pad of a name. */
  strokesOn(pad) {
    return this.#pads[pad] ?? [];
  }

  putOn(pad, strokes) {
    this.#pads = { ...this.#pads, [pad]: strokes };
    this.#storage.write("pads", JSON.stringify(this.#pads));
  }

  /**
   * Keep a drawing.
   *
   * @param {{strokes: number[][][], name: string, share: number, verdict: string, nKnown: number}}
   *   drawing
   * @param {?string} truth  what it was
   */
  keep(drawing, truth = null) {
    this.keepAll([[drawing, truth]]);
  }

  /** Keep several: drawings with their truths. */
  keepAll(drawings) {
    const fresh = drawings.map(([drawing, truth]) => {
      const turn = truth === null ? 0 : ++this.#turn;
      return { ...drawing, id: ++this.#id, truth, turn };
    });
    this.#change([...fresh.reverse(), ...this.#kept].slice(0, MOST_KEPT));
  }

  /** Say what a kept drawing was; null takes that back. */
  judge(id, truth) {
    const turn = truth === null ? 0 : ++this.#turn;
    this.#change(this.#kept.map((each) => (each.id === id ? { ...each, truth, turn } : each)));
  }

  /** Take back the last word about what a drawing was. */
  takeBack() {
    const last = this.learned.at(-1);
    if (last) this.judge(last.id, null);
  }

  remove(id) {
    this.#change(this.#kept.filter((each) => each.id !== id));
  }

  /** Forget all that is kept. */
  clear() {
    this.#change([]);
  }

  #change(kept) {
    const said = (drawings) => drawings.filter(({ truth }) => truth !== null).map(({ turn }) => turn);
    const isOther = said(kept).join() !== said(this.#kept).join();
    this.#kept = kept;
    // A time, so that another visit's is another.
    if (isOther) this.#revision = said(kept).length ? `${Date.now()}-${this.#turn}` : "";
    this.#storage.write("kept", JSON.stringify({ kept, revision: this.#revision }));
  }

  #read(name, otherwise) {
    try {
      return JSON.parse(this.#storage.read(name)) ?? otherwise;
    } catch {
      return otherwise; // what is there is damaged
    }
  }
}

/**
 * A place of one's own in the browser's storage; where there is none, for the life of the page.
 *
 * @param {() => Storage} find  which may throw
 * @param {string} prefix  of the names in it
 */
export function storageIn(find, prefix) {
  const here = new Map();
  return {
    read(name) {
      try {
        return find().getItem(`${prefix}-${name}`);
      } catch {
        return here.get(name) ?? null;
      }
    },
    write(name, text) {
      try {
        find().setItem(`${prefix}-${name}`, text);
      } catch {
        here.set(name, text); // forbidden, or full
      }
    },
  };
}
