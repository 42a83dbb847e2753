"""What is said of a training in the same words everywhere on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from vaegmm.config import TrainConfig
from vaegmm.runs import Status
from vaegmm.training import EpochLoss, Progress

Phase = Literal["waiting", "active", "ended"]


class Badge(NamedTuple):
    """How a state is shown."""

    word: str
    icon: str
    colour: Literal["blue", "gray", "green", "orange", "red"]


#: For each state of a run its badge.
BADGES = {
    "waiting": Badge("waiting", ":material/hourglass_top:", "orange"),
    "starting": Badge("starting", ":material/hourglass_empty:", "gray"),
    "training": Badge("training", ":material/play_arrow:", "blue"),
    "fitting": Badge("fitting the mixture", ":material/bubble_chart:", "blue"),
    "finished": Badge("finished", ":material/check:", "green"),
    "stopped": Badge("stopped", ":material/pause:", "gray"),
    "failed": Badge("failed", ":material/error:", "red"),
    "damaged": Badge("damaged", ":material/broken_image:", "red"),
}


def phase_of(status: Status) -> Phase:
    """Return what a run is about: waiting for its turn, active, or neither any more."""
    if status.state == "waiting":
        return "waiting"
    return "ended" if status.state in ("finished", "stopped", "failed") else "active"


def words_for(progress: Progress, config: TrainConfig) -> str:
    """Say how far a training is."""
    words = [f"epoch {progress.epoch} of {progress.epochs}"]
    if progress.attempts > 1:
        words.insert(0, f"attempt {progress.attempt} of {progress.attempts}")
    if progress.starts_tried:
        words.append(
            f"{progress.starts_tried} of {config.joint.n_init} starts of the mixture tried"
        )
    else:
        words.append(f"step {progress.step} of {progress.steps}")
        words.append(f"{duration(progress.seconds_left or 0)} left")
    if progress.restarts:
        words.append("begun again, since its clusters had collapsed")
    text = ", ".join(words)
    return text[0].upper() + text[1:]


def seconds_of(losses: Sequence[EpochLoss]) -> float | None:
    """Return how long the finished epochs took, where that was kept."""
    return losses[-1].seconds if losses else None


def duration(seconds: float) -> str:
    """Say a duration as people do: two units at most."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
