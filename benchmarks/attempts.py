"""Whether the views' information chooses well among seeds: train several, and compare.

    python benchmarks/attempts.py --data mnist,fashion --seeds 6 --epochs 16 --out attempts.jsonl
    python benchmarks/attempts.py --out attempts.jsonl --table    # what has been measured so far

Each training appends one line, and one that is there is not trained again, so an interrupted
benchmark goes on where it was. What an attempt is chosen by sees neither a label nor a test image:
what two views of training images tell of each other's component, in nats. The table says how it
goes with the figures on the test images over the seeds, and what choosing the best of N attempts
gives on average over all groups of N seeds, beside their mean and their worst.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vaegmm import data
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.evaluation import evaluate
from vaegmm.model import VAEGMM
from vaegmm.training import TrainState, merit, train

GROUPS = (2, 3, 5)  # attempts
FIGURES = ("clustering_accuracy", "nmi", "classification_accuracy")
KEPT = (*FIGURES, "views_information", "cross_entropy", "kl", "latents_in_use")


def main() -> None:
    """Train what is missing, and print the table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="mnist,fashion", help="data sets, with commas between")
    parser.add_argument("--seeds", type=int, default=6, help="seeds 0 to N - 1 of each data set")
    parser.add_argument("--epochs", type=int, help="instead of the preset's")
    parser.add_argument("--preset", choices=PRESETS, default="default")
    parser.add_argument("--out", type=Path, required=True, help="a .jsonl, which is added to")
    parser.add_argument("--table", action="store_true", help="train nothing")
    options = parser.parse_args()
    config = PRESETS[options.preset]
    if options.epochs:
        config = replace(config, epochs=options.epochs)
    if not options.table:
        for seed, name in itertools.product(range(options.seeds), options.data.split(",")):
            key = {"preset": options.preset, "epochs": config.epochs, "data": name, "seed": seed}
            if not any(key.items() <= line.items() for line in measured(options.out)):
                line = key | measure(name, replace(config, seed=seed))
                with options.out.open("a") as out:
                    out.write(json.dumps(line) + "\n")
                print(line, flush=True)
    print_table(measured(options.out))


def measured(path: Path) -> list[dict[str, Any]]:
    """Return the lines of the trainings so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def measure(name: str, config: TrainConfig) -> dict[str, Any]:
    """Train once, and return what it is chosen by, its figures and its CPU seconds."""
    dataset = data.load(name)
    began = time.process_time()  # of CPU: other work on the machine makes a training no dearer
    state = TrainState.start(config)
    for report in train(state, dataset.train.images, config):
        if report.finished_epoch:
            print(f"{name}, seed {config.seed}: {report.finished_epoch}", flush=True)
    told = merit(state, dataset.train.images, config)
    validation = dataset.validation
    model = VAEGMM(config, "cpu").finish(
        state,
        dataset.train.images,
        None if validation.labels is None else (validation.images, validation.labels),
        dataset.label_names,
    )
    seconds = time.process_time() - began
    figures = evaluate(model, dataset.test.images, dataset.test.labels)
    return {
        "information": told.value,
        "first_information": None if state.prior is None else state.prior.first_information.item(),
        "restarts": state.restarts,
        "cpu_seconds": round(seconds, 1),
        **{figure: figures.get(figure) for figure in KEPT},
    }


def print_table(lines: list[dict[str, Any]]) -> None:
    """Print what choosing by information gives, a data set and a length of training at a time."""
    print(
        "| data | epochs | seeds | figure | r | of N | chosen | mean | worst | best | CPU minutes |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    kinds = sorted({(line["data"], line["preset"], line["epochs"]) for line in lines})
    for name, preset, epochs in kinds:
        kind = {"data": name, "preset": preset, "epochs": epochs}
        of_kind = [line for line in lines if kind.items() <= line.items()]
        information = np.array([line["information"] for line in of_kind])
        minutes = np.mean([line.get("cpu_seconds", np.nan) for line in of_kind]) / 60
        for figure in FIGURES:
            values = np.array([line[figure] for line in of_kind])
            r = np.corrcoef(information, values)[0, 1] if len(values) > 2 else np.nan
            for size in GROUPS:
                if size > len(values):
                    continue
                means = choosing(information, values, size)
                row = [name, epochs, len(values), figure.replace("_", " "), f"{r:.2f}", size]
                row += [f"{mean:.3f}" for mean in means]
                print(f"| {' | '.join(map(str, row))} | {size * minutes:.0f} |")


def choosing(information: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Return the mean over all groups of what is chosen, their mean, worst and best, shape (4,).

    Args:
        information: what an attempt is chosen by, shape (N,).
        values: the figure that it is then scored by, shape (N,).
        size: attempts of a group, at most N.
    """
    groups = np.array(list(itertools.combinations(range(len(values)), size)))
    chosen = np.take_along_axis(groups, information[groups].argmax(1)[:, None], 1)[:, 0]
    of_groups = values[groups]
    columns = values[chosen], of_groups.mean(1), of_groups.min(1), of_groups.max(1)
    return np.array([column.mean() for column in columns])


if __name__ == "__main__":
    main()
