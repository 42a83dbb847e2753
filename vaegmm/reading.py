"""What a model with names says of one digit that somebody has drawn or photographed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vaegmm.model import VAEGMM
from vaegmm.preprocess import Stroke, partial_drawings, render_strokes

#: Typicality below which an image is no digit: turns away 2 % of MNIST's validation images.
STRANGE = 0.008

_WHOLE = 2.0  # how much more a drawing counts as it is than a part of it
_LEAST_TYPICALITY = 1e-3  # where no view is typical, all count


class Reading(NamedTuple):
    """What a model says of one digit, and of the views of it that it looked at."""

    image: np.ndarray  # (28, 28)
    z: np.ndarray  # (D,) of the image
    typicality: float  # of the image: the share of training images that are less typical
    probabilities: np.ndarray  # (C,) p(label | digit)
    views: np.ndarray  # (V, 28, 28); the first is the image
    view_labels: np.ndarray  # (V,) what each view alone would be called
    view_weights: np.ndarray  # (V,) how much each was believed; they sum to 1

    @property
    def label(self) -> int:
        """The most probable label."""
        return int(self.probabilities.argmax())

    @property
    def is_strange(self) -> bool:
        """Whether the image is less typical than nearly all that the model was trained on."""
        return self.typicality < STRANGE


def read_image(model: VAEGMM, image: np.ndarray) -> Reading:
    """Let a model with names read one image, shape (28, 28)."""
    return _read(model, image[None])


def read_strokes(model: VAEGMM, strokes: Sequence[Stroke]) -> Reading:
    """Let a model with names read one digit drawn in strokes.

    People add flags, hooks and bars that MNIST's writers don't. So the model looks at the drawing
    and at parts of it, and believes each view as much as it finds it typical; the whole counts
    twice.

    Raises:
        ValueError: if the strokes are no drawing.
    """
    return _read(model, render_strokes([strokes, *partial_drawings(strokes)]))


def _read(model: VAEGMM, views: np.ndarray) -> Reading:
    inference = model.infer(views)
    probabilities, typicality = inference.label_probabilities, inference.typicality
    weights = typicality + _LEAST_TYPICALITY
    weights[0] *= _WHOLE
    weights /= weights.sum()
    return Reading(
        image=views[0],
        z=inference.mean[0],
        typicality=float(typicality[0]),
        probabilities=weights @ probabilities,
        views=views,
        view_labels=probabilities.argmax(1),
        view_weights=weights,
    )
