"""What a new run begins with that is to be another one with changes."""

from __future__ import annotations

from typing import NamedTuple

from vaegmm.config import TrainConfig
from vaegmm.runs.about import again
from vaegmm.runs.run import Run


class Prefill(NamedTuple):
    """What `Run.create` takes, with the values of another run."""

    config: TrainConfig
    data: str  # a name or path; a file in the other run's directory is kept in the new one's too
    device: str | None
    attempts: int
    title: str
    note: str
    tags: tuple[str, ...]


def duplicate(run: Run) -> Prefill:
    """Return what to fill a form with: all of a run, under a title of its own.

    A run without a title leaves it empty, so that the new one is called what it trains.

    Raises:
        RunError: if the run's configuration cannot be read.
    """
    settings, about = run.settings, run.about
    title = again(about.title) if about.title else ""
    return Prefill(
        run.config,
        settings["data"],
        settings["device"],
        run.attempts,
        title,
        about.note,
        about.tags,
    )
