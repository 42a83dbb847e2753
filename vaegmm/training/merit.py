"""What one training is preferred to another by: no label has a say in it."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
import torch

from vaegmm.config import TrainConfig
from vaegmm.images import as_training_pixels
from vaegmm.stored import StoredImages
from vaegmm.training.start import views_information
from vaegmm.training.state import TrainState


class Merit(NamedTuple):
    """How good a finished training is, in nats: the higher, the better."""

    value: float
    kind: Literal["views' information", "likelihood"]


@torch.no_grad()
def merit(state: TrainState, images: np.ndarray | StoredImages, config: TrainConfig) -> Merit:
    """Judge a finished training by itself.

    Where the encoder has seen views of the images and a mixture was trained with it, this is what
    the components of two views of a training image tell of each other: those of a training that
    has found the digits tell more than those of one that has found ways of writing. Otherwise it
    is the lower bound of log p(x), minus cross-entropy and minus KL: on the validation images,
    where there are any.

    Args:
        state: finished.
        images: the training images, shape (N, 28, 28) or (N, 784).
        config: the training.
    """
    pixels = as_training_pixels(images, state.vae.device)
    told = views_information(state, pixels, config).item()
    if not math.isnan(told):
        return Merit(told, "views' information")
    last = state.history[-1]
    losses = last.validation_cross_entropy, last.validation_kl
    if None in losses:
        losses = last.cross_entropy, last.kl
    return Merit(-math.fsum(filter(None, losses)), "likelihood")
