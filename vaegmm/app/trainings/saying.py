"""What is said of a training in the same words everywhere on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from vaegmm.config import TrainConfig
from vaegmm.runs import Run
from vaegmm.training import Progress


class Badge(NamedTuple):
    """How a state is shown."""

    word: str
    icon: str
    colour: Literal["blue", "gray", "green", "red"]


#: For each state of a run its badge.
BADGES = {
    "starting": Badge("starting", ":material/hourglass_empty:", "gray"),
    "training": Badge("training", ":material/play_arrow:", "blue"),
    "fitting": Badge("fitting the mixture", ":material/bubble_chart:", "blue"),
    "finished": Badge("finished", ":material/check:", "green"),
    "stopped": Badge("stopped", ":material/pause:", "gray"),
    "failed": Badge("failed", ":material/error:", "red"),
}


def data_name_of(run: Run) -> str:
    """Say what a run is trained on, without the folder it lies in."""
    return Path(run.settings["data"]).name


def words_for(progress: Progress, config: TrainConfig) -> str:
    """Say how far a training is."""
    words = [f"Epoch {progress.epoch} of {progress.epochs}"]
    if progress.starts_tried:
        words.append(
            f"{progress.starts_tried} of {config.joint.n_init} starts of the mixture tried"
        )
    else:
        words.append(f"step {progress.step} of {progress.steps}")
        words.append(f"{duration(progress.seconds_left or 0)} left")
    if progress.restarts:
        words.append("begun again, since its clusters had collapsed")
    return ", ".join(words)


def duration(seconds: float) -> str:
    """Say a duration as people do: two units at most."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
