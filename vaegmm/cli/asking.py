"""What `vaegmm train` says and asks before it begins: the work, the time, and what is unusual."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from vaegmm.cli.output import print_figures, say
from vaegmm.config import TrainConfig

if TYPE_CHECKING:
    from vaegmm.estimation import Estimate

# Below so many images an epoch has, times epochs, times attempts, no training takes a day: its
# time is not worth measuring before it begins.
_MANY_IMAGES = 100_000_000


def print_work(config: TrainConfig, data_name: str, options: argparse.Namespace) -> None:
    """Print how much a training would do and how long it would take, and what is unusual in it."""
    from vaegmm.estimation import estimate
    from vaegmm.questions import questions

    n_images, attempts = count_images(data_name), options.attempts or 1
    expected = estimate(config, n_images, options.device, attempts, not options.no_film)
    asked = questions(config, n_images, attempts, expected)
    work = {
        "training_images": n_images,
        "batch_size": config.batch_size,
        "epochs": config.epochs,
        "steps": -(-n_images // config.batch_size) * config.epochs,
        "attempts": attempts,
        "parameters": _n_parameters(config),
    }
    if options.json:
        facts = {**work, "estimate": expected and asdict(expected), "questions": asked}
        print(json.dumps(facts, indent=1))
        return
    print_figures(work)
    if expected is None:
        print("The network is too large to be tried: its time is not estimated.")
    else:
        print(_in_words(expected))
    for question in asked:
        print(question)


def confirm(config: TrainConfig, data_name: str, options: argparse.Namespace) -> None:
    """Ask about what is unusual; where nobody is there to answer, just say it.

    Raises:
        KeyboardInterrupt: if the answer is no.
    """
    from vaegmm.estimation import estimate
    from vaegmm.questions import questions

    if options.yes:
        return
    n_images, attempts = count_images(data_name), options.attempts or 1
    expected = None
    if n_images * config.epochs * attempts > _MANY_IMAGES:
        expected = estimate(config, n_images, options.device, attempts, not options.no_film)
    asked = questions(config, n_images, attempts, expected)
    for question in asked:
        say(question, 0)
    if asked and sys.stdin.isatty() and sys.stderr.isatty():
        print("Train it all the same? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise KeyboardInterrupt


def count_images(data_name: str) -> int:
    """Return how many images of a data set are trained on, without a download.

    Raises:
        DataError: if it is no data set.
    """
    from vaegmm import data

    if data_name in data.NAMED:
        return data.NAMED[data_name].n_train
    return len(data.load(data_name).train)


def _n_parameters(config: TrainConfig) -> int:
    from vaegmm.estimation import n_parameters

    return n_parameters(config.vae)


def _in_words(expected: Estimate) -> str:
    threads = f"{expected.threads} thread{'s' * (expected.threads > 1)}"
    return (
        f"It takes about {duration(expected.seconds)} ({duration(expected.low)} to "
        f"{duration(expected.high)}) on {expected.device} with {threads}, "
        "while the machine does little else."
    )


def duration(seconds: float) -> str:
    """Say a duration as people do: two units at most."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
