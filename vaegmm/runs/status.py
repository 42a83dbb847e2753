"""Where a run stands, as its directory says it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from vaegmm.training import EpochLoss, Progress

State = Literal["waiting", "starting", "training", "fitting", "finished", "stopped", "failed"]
WORKING = ("starting", "training", "fitting")


@dataclass(frozen=True)
class Status:
    """Where a run stands."""

    state: State
    updated: float  # seconds since 1970
    pid: int | None = None
    progress: Progress | None = None  # the last one
    error: str | None = None
    reason: str = ""  # of the error, with its facts: see vaegmm.errors
    facts: dict[str, Any] = field(default_factory=dict)
    film_error: str | None = None  # why the film is not whole, in words

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Status:
        """Rebuild a status from what `dataclasses.asdict` made of it.

        Raises:
            KeyError, TypeError, ValueError: if it was damaged since.
        """
        progress = values["progress"]
        status = cls(**{**values, "progress": None if progress is None else _progress(progress)})
        if status.state not in get_args(State) or not isinstance(status.updated, int | float):
            raise ValueError(f"state and updated are {status.state!r} and {status.updated!r}")
        # A signal to 0 or -1 would reach many processes.
        if status.pid is not None and (type(status.pid) is not int or status.pid < 2):
            raise ValueError(f"pid is {status.pid!r}")
        if not (isinstance(status.error, str | None) and isinstance(status.reason, str)):
            raise TypeError(f"error and reason are {status.error!r} and {status.reason!r}")
        if not isinstance(status.film_error, str | None):
            raise TypeError(f"film_error is {status.film_error!r}")
        if not isinstance(status.facts, dict):
            raise TypeError(f"facts are {status.facts!r}")
        return status


def _progress(values: dict[str, Any]) -> Progress:
    finished = values["finished_epoch"]
    progress = Progress(
        **{**values, "finished_epoch": None if finished is None else epoch_loss(finished)}
    )
    _check_numbers(progress)
    if min(progress.steps, progress.epochs, progress.attempts) < 1 or not (
        0 <= progress.fraction <= 1
    ):
        raise ValueError(f"step {progress.step} of {progress.steps} is none")
    return progress


def epoch_loss(values: dict[str, Any]) -> EpochLoss:
    """Rebuild an epoch's losses.

    Raises:
        TypeError: if they were damaged since.
    """
    loss = EpochLoss(**values)
    _check_numbers(loss)
    return loss


def _check_numbers(values: Progress | EpochLoss) -> None:
    """Refuse what is no number: whoever draws or compares it would stumble over it."""
    for entry in fields(values):
        value = getattr(values, entry.name)
        may_lack = entry.default is None or entry.name == "seconds_left"
        if isinstance(value, EpochLoss) or (value is None and may_lack):
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{entry.name} is {value!r}")
