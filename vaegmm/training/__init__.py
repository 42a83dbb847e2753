"""How the autoencoder learns."""

from vaegmm.training.loop import (
    PRESETS,
    EpochLoss,
    NonFiniteLossError,
    Progress,
    TrainConfig,
    TrainState,
    schedule,
    train,
)

__all__ = [
    "PRESETS",
    "EpochLoss",
    "NonFiniteLossError",
    "Progress",
    "TrainConfig",
    "TrainState",
    "schedule",
    "train",
]
