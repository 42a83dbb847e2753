"""What is asked before a training begins that may not be meant as it is set."""

from __future__ import annotations

from vaegmm.config import TrainConfig
from vaegmm.estimation import Estimate, n_parameters

_MANY_EPOCHS = 1000
_HIGH_RATE = 0.02  # of Adam's learning; losses end as not a number soon above it
_IMAGES_A_COMPONENT = 10  # fewer say little about its covariance
_MANY_PARAMETERS = 50_000_000
_BYTES_A_PARAMETER = 20  # weight, gradient, two moments, and the copy of the last good epoch
_DAY = 86_400.0


def questions(
    config: TrainConfig, n_images: int, attempts: int = 1, expected: Estimate | None = None
) -> list[str]:
    """Say what about a training is unusual enough to be asked about, in sentences.

    Args:
        config: what is trained.
        n_images: to train on.
        attempts: that are made.
        expected: how long it takes, where that has been estimated.
    """
    asked = []
    if config.epochs > _MANY_EPOCHS:
        asked.append(
            f"{config.epochs:,} epochs are a lot: the presets have learned what they can after 25 "
            "to 120."
        )
    if config.batch_size > n_images:
        asked.append(
            f"A batch of {config.batch_size:,} is larger than the data: all {n_images:,} training "
            "images make a single step of each epoch."
        )
    n_components = config.mixture.n_components
    if config.joint_epochs:
        n_components = max(n_components, config.joint.n_components)
    if n_components * _IMAGES_A_COMPONENT > n_images >= n_components:
        asked.append(
            f"{n_components:,} clusters share {n_images:,} training images: that is "
            f"{n_images / n_components:.1f} for each, too few to tell its form."
        )
    if config.learning_rate > _HIGH_RATE:
        asked.append(
            f"A learning rate of {config.learning_rate:g} is high: the loss may stop being a "
            "number. The presets learn at 0.0005 to 0.002."
        )
    n_learned = n_parameters(config.vae)
    if n_learned > _MANY_PARAMETERS:
        asked.append(
            f"The network has {n_learned:,} parameters, for which the training needs about "
            f"{n_learned * _BYTES_A_PARAMETER / 1e9:,.0f} GB of memory."
        )
    if expected is not None and expected.seconds > _DAY:
        others = f" for {attempts} attempts" if attempts > 1 else ""
        asked.append(
            f"It would take about {expected.seconds / _DAY:,.1f} days on this machine{others}."
        )
    return asked
