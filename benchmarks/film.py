"""What a training's film costs: its share of the training's time, and the bytes of a frame.

    python benchmarks/film.py [--data mnist,digits] [--epochs 4] [--pairs 3]

Trains each data set with its preset (MNIST and Fashion-MNIST: default, the digits: quick) with and
without a film, by turns, in one process and thread, and prints per training CPU seconds without a
film, the share that the film adds (the median over the pairs), the share of the time that is spent
in the film's own code, and the frames and their bytes. Fewer epochs than the preset's are the worse
for the film: its first steps, of which each has a frame, weigh more.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from vaegmm import data
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.film import Recorder, read_film
from vaegmm.film.file import encode
from vaegmm.training import TrainState, train


class Cost(NamedTuple):
    """Of one training."""

    total: float  # CPU seconds
    in_film: float  # CPU seconds


def main() -> None:
    """Print the table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="mnist,digits", help="names, by commas")
    parser.add_argument(
        "--epochs", type=int, default=4, help="of default; quick has all of its own"
    )
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| training | CPU s without | added | in the film | frames | bytes: mean | most |")
    print("|---|---|---|---|---|---|---|")
    for name in options.data.split(","):
        preset = "quick" if name == "digits" else "default"
        config = PRESETS[preset]
        if preset == "default":
            config = replace(config, epochs=options.epochs)
        print(row(f"{preset} on {name}, {config.epochs} epochs", config, name, options.pairs))


def row(title: str, config: TrainConfig, name: str, pairs: int) -> str:
    """Measure one training, and say it as a row of the table."""
    dataset = data.load(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.bin"
        costs: dict[bool, list[Cost]] = {True: [], False: []}
        for pair in range(pairs):
            for is_filmed in (True, False) if pair % 2 else (False, True):
                costs[is_filmed].append(cost(config, dataset, path if is_filmed else None))
        sizes = [len(encode(frame)) for frame in read_film(path).frames]
    added = [w.total / wo.total - 1 for w, wo in zip(costs[True], costs[False], strict=True)]
    inside = [each.in_film / each.total for each in costs[True]]
    seconds = np.median([each.total for each in costs[False]])
    return (
        f"| {title} | {seconds:.1f} | {np.median(added):.1%} | {np.median(inside):.2%} | "
        f"{len(sizes)} | {np.mean(sizes):,.0f} | {max(sizes):,} |"
    )


def cost(config: TrainConfig, dataset: data.Dataset, path: Path | None) -> Cost:
    """Train once, with a film if there is a path for it."""
    state, in_film = TrainState.start(config), 0.0
    began = time.process_time()
    film = Recorder(path, config, dataset, state) if path else None
    for report in train(state, dataset.train.images, config, dataset.validation.images):
        if film:
            before = time.process_time()
            film.take(state, report)
            in_film += time.process_time() - before
    return Cost(time.process_time() - began, in_film)


if __name__ == "__main__":
    main()
