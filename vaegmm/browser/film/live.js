// Follows a training: asks how it stands, and fetches what its film has new.

const EVERY = 500; // milliseconds between two questions
const PATIENCE = 4000; // after a question that nobody answered
const WAITING = ["waiting", "starting", "training", "fitting"];

/** Fetches a film, and goes on for as long as its training does and somebody looks. */
export class Follower {
  /** What the server told last: state, progress, error, film, …; null before that. */
  run = null;
  /** The losses of the epochs that are done. */
  losses = [];
  /** Why nothing is heard, or an empty text. */
  fault = "";

  #addresses;
  #film;
  #told;
  #timer = 0;
  #isAsking = false;
  #isWanted = false;
  #stop = new AbortController();

  /**
   * @param {{filmAddress: string | null, runAddress: string | null}} addresses  without one of a
   *   run, the film is whole
   * @param {Film} film
   * @param {() => void} told  called whenever anything has changed
   */
  constructor(addresses, film, told) {
    this.#addresses = addresses;
    this.#film = film;
    this.#told = told;
    const { signal } = this.#stop;
    document.addEventListener("visibilitychange", () => this.#ask(), { signal });
    this.#ask();
  }

  /** Whether more is to come. */
  get isLive() {
    return WAITING.includes(this.run?.state);
  }

  /** Ask again: somebody may have resumed it. */
  wake() {
    this.#ask();
  }

  destroy() {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  async #ask() {
    if (document.hidden) return; // it is asked when somebody looks again
    if (this.#isAsking) {
      this.#isWanted = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#isAsking = true;
    this.#isWanted = false;
    let wait = EVERY;
    try {
      const { runAddress } = this.#addresses;
      if (runAddress) {
        await this.#askRun(runAddress);
        this.#told(); // how it stands is known before its film is here
      }
      await this.#fetchFilm();
      this.fault = "";
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      wait = PATIENCE;
      this.fault =
        error instanceof Gone
          ? "This training is not here any more."
          : `The server does not answer (${error.message}); it is asked again.`;
      if (error instanceof Gone) this.run = null;
    } finally {
      this.#isAsking = false;
    }
    if (this.#stop.signal.aborted) return;
    this.#told();
    const goesOn = this.isLive || (this.fault && wait === PATIENCE && !this.#isGone);
    if (this.#isWanted) this.#ask();
    else if (goesOn) this.#timer = setTimeout(() => this.#ask(), wait);
  }

  get #isGone() {
    return this.fault.startsWith("This training");
  }

  async #askRun(address) {
    let run = await this.#json(address, this.losses.length);
    if (run.n_losses < this.losses.length) {
      this.losses = []; // it has begun again by itself
      run = await this.#json(address, 0);
    }
    this.losses = [...this.losses, ...run.losses];
    this.run = run;
  }

  async #json(address, from) {
    const response = await this.#fetch(address, from);
    if (response.status === 404) throw new Gone();
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return response.json();
  }

  async #fetchFilm() {
    const { filmAddress, runAddress } = this.#addresses;
    if (!filmAddress || (runAddress && !this.run.film)) return;
    if (this.run?.film && this.run.film.bytes < this.#film.nBytes) this.#film.clear(); // it was cut
    const { nBytes } = this.#film;
    await this.#fetchRest(filmAddress);
    // A file that was cut, and has grown again, goes on with other bytes than those read last.
    if (!this.#film.fault || nBytes === 0) return;
    this.#film.clear();
    await this.#fetchRest(filmAddress);
  }

  async #fetchRest(address) {
    while (!this.run?.film || this.run.film.bytes > this.#film.nBytes) {
      const response = await this.#fetch(address, this.#film.nBytes);
      if (response.status === 404) return;
      if (!response.ok) throw new Error(`it answers ${response.status}`);
      const isFurther = await this.#film.append(new Uint8Array(await response.arrayBuffer()));
      if (!isFurther) return;
      this.#told();
    }
  }

  #fetch(address, from) {
    return fetch(`${address}?from=${from}`, { signal: this.#stop.signal, cache: "no-store" });
  }
}

class Gone extends Error {}
