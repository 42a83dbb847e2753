"""How the autoencoder learns, a room for each part of it.

`loop`: epochs, progress, restarts. `state`: what a resumed training needs. `step`: one batch, its
costs and their schedule. `joint`: the loss of the joint stage and the prior that it trains.
`start`: which mixture that stage begins with. `augmentation`: the views of an image;
`additions`: the strokes that some of them have more. `merit`: what one training is preferred to
another by.
"""

from vaegmm.training.loop import FIRST_STEPS, NonFiniteLossError, Progress, train
from vaegmm.training.merit import Merit, merit
from vaegmm.training.state import EpochLoss, TrainState

__all__ = [
    "FIRST_STEPS",
    "EpochLoss",
    "Merit",
    "NonFiniteLossError",
    "Progress",
    "TrainState",
    "merit",
    "train",
]
