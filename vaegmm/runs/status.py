"""Where a run stands, as its directory says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from vaegmm.training import EpochLoss, Progress

State = Literal["starting", "training", "fitting", "finished", "stopped", "failed"]
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
        """Rebuild a status from what `dataclasses.asdict` made of it."""
        progress = values["progress"]
        if progress is not None:
            finished = progress["finished_epoch"]
            progress = Progress(
                **{**progress, "finished_epoch": finished and EpochLoss(**finished)}
            )
        return cls(**{**values, "progress": progress})
