"""What a model with names says of one digit that somebody has drawn or photographed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from vaegmm.model import VAEGMM
from vaegmm.preprocess import Stroke, partial_drawings, render_strokes

Verdict = Literal["sure", "unsure", "strange"]

#: Typicality below which an image is no digit: turns away 2 % of MNIST's validation images.
STRANGE = 0.008
#: p(label) from which on a label is said without a doubt.
SURE = 0.7

_WHOLE = 2.0  # how much more a drawing counts as it is than a part of it
_LEAST_TYPICALITY = 1e-3  # where no view is typical, all count


class View(NamedTuple):
    """What a model says of one view of a digit: the whole of it, or a part."""

    image: np.ndarray  # (28, 28)
    weight: float  # how much it is believed; those of all views sum to 1
    z: np.ndarray  # (D,)
    typicality: float  # the share of training images that are less typical
    responsibilities: np.ndarray  # (K,) p(component | view)
    votes: np.ndarray  # (C,) the share of each label's examples, where the model is adapted
    probabilities: np.ndarray  # (C,) p(label | view)

    @property
    def label(self) -> int:
        """What this view alone would be called."""
        return int(self.probabilities.argmax())


class Reading(NamedTuple):
    """What a model says of one digit, and of the views of it that it looked at.

    It adds up: p(label) = sum_v weight_v sum_k p(component k | view v) p(label | k). Of an adapted
    model a view's examples come first: votes_v(label) + (1 - sum_c votes_v(c)) sum_k ….
    """

    views: tuple[View, ...]  # the first is the whole digit
    probabilities: np.ndarray  # (C,) p(label | digit)

    @property
    def image(self) -> np.ndarray:
        """The whole digit, shape (28, 28)."""
        return self.views[0].image

    @property
    def z(self) -> np.ndarray:
        """The latents of the whole digit, shape (D,)."""
        return self.views[0].z

    @property
    def typicality(self) -> float:
        """The share of training images that are less typical than the whole digit."""
        return self.views[0].typicality

    @property
    def label(self) -> int:
        """The most probable label."""
        return int(self.probabilities.argmax())

    @property
    def is_strange(self) -> bool:
        """Whether the image is less typical than nearly all that the model was trained on."""
        return self.typicality < STRANGE

    @property
    def verdict(self) -> Verdict:
        """What is said in one word: "strange" where it is no digit, however sure the label is."""
        if self.is_strange:
            return "strange"
        return "sure" if self.probabilities.max() >= SURE else "unsure"


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


def _read(model: VAEGMM, images: np.ndarray) -> Reading:
    inference = model.infer(images)
    weights = inference.typicality + _LEAST_TYPICALITY
    weights[0] *= _WHOLE
    weights /= weights.sum()
    views = map(
        View,
        images,
        weights.tolist(),
        inference.mean,
        inference.typicality.tolist(),
        inference.responsibilities,
        inference.votes,
        inference.label_probabilities,
    )
    return Reading(tuple(views), weights @ inference.label_probabilities)
