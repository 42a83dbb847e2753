// What is said of a film and of the training that makes it.

import { countOf } from "../pieces/words.js";

const [MINUTE, HOUR] = [60, 3600];

/**
 * Say which moment a frame shows.
 *
 * @param {object} header  of the frame
 * @param {{epochs: number, steps: number}} film  its header
 */
export function momentTitle({ kind, epoch, step, starts }, { epochs, steps }) {
  if (kind === "start") return `start ${starts.length} of the clusters`;
  if (kind === "epoch") return `epoch ${epoch} of ${epochs}`;
  if (step === 0 && epoch === 1) return "before the first step";
  return `${epoch === 1 ? "" : `epoch ${epoch}, `}step ${countOf(step)} of ${countOf(steps)}`;
}

/** Say a time that is left: "6 min left". */
export function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < MINUTE) return `${Math.max(Math.round(seconds), 1)} s left`;
  if (seconds < HOUR) return `${Math.round(seconds / MINUTE)} min left`;
  return `${Math.floor(seconds / HOUR)} h ${Math.round((seconds % HOUR) / MINUTE)} min left`;
}

/**
 * Say where a training stands.
 *
 * @param {object | null} run  as the server tells of it; null: it has told nothing
 */
export function standing(run) {
  if (!run) return "";
  const { state, progress, epochs } = run;
  if (state === "waiting") return "waiting for its turn";
  if (state === "starting") return "getting ready …";
  if (state === "fitting") return "all epochs are done; fitting the mixture …";
  if (state === "training" && progress) {
    const at = `epoch ${progress.epoch} of ${progress.epochs}`;
    const starts = progress.starts_tried;
    if (starts && progress.step === 0) return `${at} · trying starts of the clusters: ${starts}`;
    return [at, timeLeft(progress.seconds_left)].filter(Boolean).join(" · ");
  }
  const done = `${countOf(run.n_losses ?? run.losses?.length ?? 0)} of ${countOf(epochs, "epoch")}`;
  if (state === "finished") return `finished · ${countOf(epochs, "epoch")}`;
  if (state === "stopped") return `stopped · ${done}`;
  if (state === "failed") return `failed · ${done}`;
  return state;
}

/**
 * The stages of a film, as the slider names them.
 *
 * @param {object[]} headers  of its frames
 * @returns {{title: string, first: number}[]}  first: the frame that each begins with
 */
export function chaptersOf(headers) {
  const chapters = [];
  headers.forEach((header, first) => {
    const title = chapterOf(header);
    if (chapters.at(-1)?.title !== title) chapters.push({ title, first });
  });
  return chapters;
}

function chapterOf({ kind, arrays }) {
  if (kind === "start") return "starts";
  if (arrays.means) return "clusters";
  return kind === "step" ? "steps" : "epochs";
}
