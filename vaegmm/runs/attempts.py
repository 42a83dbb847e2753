"""Several attempts at one training, of which one is kept: no label has a say in which.

Each has a seed of its own and is trained after the one before. The directory of a run with more
than one attempt holds, beside what every run holds:

    attempts.jsonl      one line a finished attempt: seed, merit, figures
    best.safetensors    the model of the best of them, until the run is finished
    best.film           and its film
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from vaegmm.config import TrainConfig
from vaegmm.model import VAEGMM, load
from vaegmm.runs.directory import RunDirectory
from vaegmm.runs.errors import unwritable
from vaegmm.runs.files import replace as replace_file
from vaegmm.training import EpochLoss, Merit, Progress


@dataclass(frozen=True)
class Attempt:
    """One finished attempt."""

    attempt: int  # counted from 1
    seed: int
    merit: float | None  # nats; None where it is not finite
    merit_of: str  # what the merit is: see `vaegmm.training.Merit`
    restarts: int
    seconds: float  # of the process that finished it
    metrics: dict[str, Any]  # on the test images; they have no say

    def __post_init__(self) -> None:
        """Refuse what people may have made of the line that it was read from."""
        numbers = self.attempt, self.seed, self.restarts, self.seconds, self.merit or 0.0
        if not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
            raise ValueError(f"an attempt must have numbers; got {numbers}.")
        if not (isinstance(self.merit_of, str) and isinstance(self.metrics, dict)):
            raise TypeError(f"merit_of and metrics are {self.merit_of!r} and {self.metrics!r}")

    @classmethod
    def of(cls, number: int, config: TrainConfig, merit: Merit, model: VAEGMM) -> Attempt:
        """Describe the attempt that has just finished with this model."""
        value = merit.value if math.isfinite(merit.value) else None
        made = model.provenance
        return cls(
            number, config.seed, value, merit.kind, made["restarts"], made["seconds"], model.metrics
        )


def config_of(config: TrainConfig, number: int) -> TrainConfig:
    """Return what an attempt, counted from 1, trains: the same with the next seed."""
    return replace(config, seed=(config.seed + number - 1) % 2**32)


def finished_attempts(run: RunDirectory) -> list[Attempt]:
    """Return the attempts of a run that are finished; none where only one is made.

    One damaged line makes all of them worthless: which is best is not known any more.
    """
    try:
        lines = (run.path / "attempts.jsonl").read_text(encoding="utf-8").splitlines()
        return [Attempt(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def kept_attempts(run: RunDirectory) -> list[Attempt]:
    """Return the attempts that need not be made again: none without the model of the best."""
    return finished_attempts(run) if (run.path / "best.safetensors").is_file() else []


def best_of(attempts: Iterable[Attempt]) -> Attempt:
    """Return the attempt with the highest merit, of equal ones the first."""
    return max(attempts, key=_merit)


def _merit(attempt: Attempt) -> float:
    return -math.inf if attempt.merit is None else attempt.merit


def keep(run: RunDirectory, attempt: Attempt, model: VAEGMM) -> None:
    """Remember a finished attempt, and its model if it is the best so far.

    Interrupted, it leaves the attempt unfinished, which is then finished again.

    Raises:
        CheckpointError: if the model cannot be written.
        RunError: if anything else cannot.
    """
    attempts = [*kept_attempts(run), attempt]
    if best_of(attempts) is attempt:
        model.save(run.path / "best.safetensors")
        try:
            (run.path / "best.film").unlink(missing_ok=True)
            if run.film_path.exists():
                shutil.copyfile(run.film_path, run.path / "best.film")
        except OSError as error:
            raise unwritable(run.path, error) from error
    lines = [json.dumps(asdict(each)) + "\n" for each in attempts]
    replace_file(run.path / "attempts.jsonl", "".join(lines))


def chosen(run: RunDirectory, device: torch.device) -> VAEGMM:
    """Return the best attempt's model, and make its losses and its film those of the run.

    Raises:
        CheckpointError: if the model cannot be read.
        RunError: if the directory cannot be written.
    """
    attempts = finished_attempts(run)
    best = best_of(attempts)
    model = load(run.path / "best.safetensors", device)
    model.provenance |= {
        "attempt": best.attempt,
        "attempts": [asdict(attempt) for attempt in attempts],
    }
    run.write_losses([EpochLoss(**loss) for loss in model.history])
    try:
        if (run.path / "best.film").exists():
            (run.path / "best.film").replace(run.film_path)
    except OSError as error:
        raise unwritable(run.path, error) from error
    return model


def forget_best(run: RunDirectory) -> None:
    """Remove what is kept of the best attempt, once it has become the run's result."""
    (run.path / "best.safetensors").unlink(missing_ok=True)


def counted(reports: Iterable[Progress], number: int, attempts: int) -> Iterator[Progress]:
    """Say on each report of an attempt which it is, and when all of them will be over."""
    seconds_of_step = None
    for report in reports:
        steps = report.epochs * report.steps
        left = steps - (report.epoch - 1) * report.steps - report.step
        if report.seconds_left is not None and left:
            seconds_of_step = report.seconds_left / left
        seconds_left = report.seconds_left
        if attempts > 1 and seconds_of_step is not None:
            seconds_left = seconds_of_step * (left + (attempts - number) * steps)
        yield replace(report, attempt=number, attempts=attempts, seconds_left=seconds_left)
