"""How long a training will take on this machine: measured once, while the page goes on."""

from __future__ import annotations

from vaegmm.app.trainings.options import Options
from vaegmm.config import TrainConfig


def show(config: TrainConfig, n_images: int, options: Options) -> None:
    """Say how long a training will take."""
