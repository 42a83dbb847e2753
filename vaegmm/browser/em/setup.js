// Where a fit begins and how it is fitted: the row under a map.

import { COVARIANCE_TYPES } from "../model/em.js";
import { STARTS } from "../model/starts.js";
import { countOf, decimal } from "../pieces/words.js";
import { make, makeButton, makeSelect, setChoices } from "../pieces/elements.js";
import { MANY } from "./board.js";
import { presetTitles } from "./presets.js";

const MOST_CLUSTERS = 300;
const FEWER = 10;
const NARROW = 420; // pixels: a phone, on which the map and what answers come first
const MOST_REG_COVAR = 10;
const MOST_SEED = 2 ** 31 - 1;

/**
 * Settings of a fit.
 *
 * @typedef {object} Settings
 * @property {string} start  "fitted", a kind of STARTS, a preset, "hand" or "moved"
 * @property {number} nComponents
 * @property {string} covarianceType
 * @property {number} regCovar
 * @property {number} seed
 */

/** What one chooses a fit with. */
export class Setup {
  settings = { start: "kmeans", nComponents: 10, covarianceType: "full", regCovar: 1e-6, seed: 0 };

  #act;
  #starts = {};
  #fields;
  #fault;
  #state;
  #most;
  #undo;
  #use;
  #stop;

  /**
   * @param {HTMLElement} element
   * @param {Sample} sample
   * @param {object} act  begin(settings); takeBack(): the mean put last; stop(); use(): fit to all,
   *   or null where nobody can
   */
  constructor(element, sample, act) {
    this.#act = act;
    this.#most = Math.min(MOST_CLUSTERS, sample.length);
    const titles = { fitted: "", ...STARTS, ...presetTitles(sample), hand: "by hand" };
    for (const [start, title] of Object.entries(titles))
      this.#starts[start] = makeButton(title, () => this.choose({ start }), {
        "aria-pressed": "false",
      });
    this.#starts.fitted.hidden = true;
    const number = (name, label, attributes) =>
      make("input", {
        ...{ type: "number", "aria-label": label, inputmode: "decimal", ...attributes },
        onchange: () => this.#typed(name),
        oninput: () => this.#check(),
      });
    this.#fields = {
      nComponents: number("nComponents", "Clusters", { step: 1 }),
      covarianceType: makeSelect("Covariances", () => this.#typed("covarianceType")),
      regCovar: number("regCovar", "reg_covar", { step: "any" }),
      seed: number("seed", "Seed", { step: 1 }),
    };
    setChoices(
      this.#fields.covarianceType,
      Object.fromEntries(COVARIANCE_TYPES.map((type) => [type, type])),
      "full",
    );
    const field = (label, input) => make("label", {}, make("span", {}, label), input);
    this.#fault = make("p", { class: "fault", role: "alert", hidden: true });
    this.#state = make("span", { class: "state" });
    this.#undo = makeButton("Take the last back", () => act.takeBack(), { hidden: true });
    this.#stop = makeButton("Stop", () => act.stop(), { hidden: true });
    this.#use = makeButton(`Fit this to all ${countOf(sample.total)}`, () => act.use(), {
      hidden: true,
    });
    const settings = make(
      "details",
      { open: element.clientWidth > NARROW },
      make("summary", {}, "Begin elsewhere"),
      make(
        "div",
        { class: "starts", role: "group", "aria-label": "Where it begins" },
        make("span", {}, "begin at"),
        ...Object.values(this.#starts),
      ),
      make(
        "div",
        { class: "fields" },
        field(`clusters (1 to ${this.#most})`, this.#fields.nComponents),
        field("type", this.#fields.covarianceType),
        field("reg_covar", this.#fields.regCovar),
        field("seed", this.#fields.seed),
        this.#undo,
      ),
      this.#fault,
    );
    element.append(
      settings,
      make("div", { class: "progress" }, this.#state, this.#stop, this.#use),
    );
  }

  /** Offer the fit of the page by its title, or say that it comes. */
  offer(title, isThere) {
    this.#starts.fitted.hidden = false;
    this.#starts.fitted.disabled = !isThere;
    this.#starts.fitted.textContent = isThere ? title : `${title} …`;
    this.#starts.fitted.title = isThere ? "" : "The server goes through its fit once more.";
  }

  /** Begin anew with other settings; what is left out stays. */
  choose(changed) {
    const next = { ...this.settings, ...changed };
    // From a fit of many clusters one goes to few, where more is seen.
    const isFirst = this.settings.start === "fitted" && Object.hasOwn(STARTS, next.start);
    if (isFirst && changed.start && next.nComponents > MANY && !changed.nComponents)
      next.nComponents = FEWER;
    this.show(next);
    this.#act.begin(this.settings);
  }

  /** Show settings without beginning. */
  show(settings) {
    this.settings = settings;
    for (const [name, input] of Object.entries(this.#fields)) input.value = settings[name];
    const { regCovar } = settings; // 0.000001 is 1e-6
    if (regCovar > 0 && regCovar < 1e-3) this.#fields.regCovar.value = regCovar.toExponential();
    for (const [start, button] of Object.entries(this.#starts))
      button.setAttribute("aria-pressed", String(start === settings.start));
    const isDrawn = Object.hasOwn(STARTS, settings.start);
    this.#fields.seed.parentElement.hidden = !isDrawn; // nothing else is drawn
    this.#check();
  }

  /**
   * @param {Fit | null} fit  whose progress is shown
   * @param {string} end  what is to be said of how it ended
   */
  update(fit, end = "") {
    const isLocal = Boolean(fit) && !fit.isRecorded;
    this.#stop.hidden =
      !isLocal || fit.isDone || (this.settings.start === "hand" && fit.last === 0);
    this.#use.hidden = !isLocal || !fit.isDone || Boolean(fit.fault) || !this.#act.use;
    this.#undo.hidden = this.settings.start !== "hand";
    this.#state.textContent = [stateOf(fit, this.settings), end].filter(Boolean).join(" ");
  }

  #typed(name) {
    if (this.#check()) return;
    const input = this.#fields[name];
    const value = name === "covarianceType" ? input.value : Number(input.value);
    const changed = { nComponents: this.settings.nComponents, [name]: value };
    // Another number of clusters, or other ways to fit, need a start that can be drawn again.
    const { start } = this.settings;
    const isPut = !Object.hasOwn(STARTS, start);
    if (name === "nComponents" && isPut) changed.start = "kmeans";
    else if (["fitted", "moved"].includes(start)) changed.start = "kmeans";
    this.choose(changed);
  }

  // What is wrong with a field is said before anything is tried, and nothing else is shown for it.
  #check() {
    const { nComponents, regCovar, seed } = this.#fields;
    const isWhole = (value, least, most) =>
      Number.isInteger(value) && value >= least && value <= most;
    const faults = [
      [
        nComponents,
        isWhole(read(nComponents), 1, this.#most),
        `Clusters: a whole number from 1 to ${this.#most}.`,
      ],
      [
        regCovar,
        read(regCovar) >= 0 && read(regCovar) <= MOST_REG_COVAR,
        `reg_covar: from 0 to ${MOST_REG_COVAR}.`,
      ],
      [seed, isWhole(read(seed), 0, MOST_SEED), "Seed: a whole number, 0 or more."],
    ].filter(([input, isRight]) => {
      input.setAttribute("aria-invalid", String(!isRight));
      return !isRight;
    });
    const said = faults.map(([, , sentence]) => sentence).join(" ");
    this.#fault.textContent = said && `${said} The map still shows the fit before.`;
    this.#fault.hidden = !said;
    return said;
  }
}

function read(input) {
  return input.value.trim() === "" ? NaN : Number(input.value);
}

function stateOf(fit, { start }) {
  if (!fit) return "";
  const images = countOf(fit.nPoints);
  if (fit.isOnwards)
    return "How this mixture was fitted is not known: EM goes on from where it stands.";
  if (fit.isRecorded)
    return `Fitted to all ${images} images, some of which are shown: this very fit.`;
  if (fit.fault) return fit.fault;
  const iterations = countOf(fit.last, "iteration");
  if (start === "hand" && fit.last === 0)
    return "Click on the map where a cluster shall begin; drag it; then press E.";
  const bound = fit.likelihoods.at(-1);
  const so = bound === undefined ? "" : `, ${decimal(bound, 4)} nats a point`;
  if (!fit.isDone) return `Fitting: ${iterations}${so}`;
  const end = fit.isConverged ? "" : ", not converged";
  return `Fitted here to the ${images} images that are shown: ${iterations}${so}${end}.`;
}
