"""What a model with names says of one digit that somebody has drawn or photographed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from vaegmm.model import VAEGMM
from vaegmm.preprocess import Part, Stroke, drawing_parts, has_dot, render_strokes, runs_off
from vaegmm.typicality import evidence

Verdict = Literal["sure", "unsure", "strange", "off the pad"]

#: Typicality below which an image is no digit: turns away 1.5 % of MNIST's test images.
STRANGE = 0.0055
#: p(label) from which on a label is said without a doubt.
SURE = 0.8

# How much a view is believed is the exponential of a sum, relative to the other views. These are
# chosen by benchmarks/views.py.
_EVIDENCE = 0.5  # for each nat of evidence
_WHOLE = 2.5  # for nothing being left out
_SHARE = -2.0  # for all of a stroke that is cut off
_TURN = 2.2  # for a beginning that goes on straight into the rest
_LEFTWARD = 2.2  # for an end that goes to the left, as the hook of a 9 does


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
    #: The share of training images that are less typical than the whole digit: 0 for a drawing with
    #: a dot, which none of them has.
    typicality: float
    is_off_pad: bool = False  # whether a part of it lies on or behind the edge of its pad

    @property
    def image(self) -> np.ndarray:
        """The whole digit, shape (28, 28)."""
        return self.views[0].image

    @property
    def z(self) -> np.ndarray:
        """The latents of the whole digit, shape (D,)."""
        return self.views[0].z

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
        """What is said in a word: a label only where this is a digit, and all of it is there."""
        if self.is_off_pad:
            return "off the pad"
        if self.is_strange:
            return "strange"
        return "sure" if self.probabilities.max() >= SURE else "unsure"


def read_image(model: VAEGMM, image: np.ndarray) -> Reading:
    """Let a model with names read one image, shape (28, 28)."""
    return _read(model, image[None], np.zeros(1))


def read_strokes(
    model: VAEGMM, strokes: Sequence[Stroke], pad: tuple[float, float] | None = None
) -> Reading:
    """Let a model with names read one digit drawn in strokes.

    People add flags, hooks and bars that MNIST's writers don't. So the model looks at the drawing
    and at parts of it, and believes each view the more, the more likely its z is, the better the
    decoder explains it, and the more what was left out looks like an addition.

    Args:
        model: with names.
        strokes: a list of [x, y] for each stroke, y downwards.
        pad: width and height of what was drawn on, in the strokes' unit, to be told what runs off
            it; the origin is its upper left corner.

    Raises:
        ValueError: if the strokes are no drawing.
    """
    parts = drawing_parts(strokes)
    beliefs = [_WHOLE, *(_belief_in(part) for part in parts)]
    images = render_strokes([strokes, *(part.strokes for part in parts)])
    reading = _read(model, images, np.array(beliefs))
    if has_dot(strokes):
        reading = reading._replace(typicality=0.0)
    return reading._replace(is_off_pad=pad is not None and runs_off(strokes, *pad))


def _belief_in(part: Part) -> float:
    """Return how far a part is believed before it is looked at, as a logarithm."""
    return _SHARE * part.share + _TURN * part.turn + _LEFTWARD * part.leftward


def _read(model: VAEGMM, images: np.ndarray, beliefs: np.ndarray) -> Reading:
    inference = model.infer(images)
    beliefs = beliefs + _EVIDENCE * evidence(inference.log_likelihood, inference.excess)
    weights = np.exp(beliefs - beliefs.max())
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
    return Reading(
        tuple(views), weights @ inference.label_probabilities, float(inference.typicality[0])
    )
