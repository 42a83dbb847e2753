"""How a model learns a hand: a few labelled drawings become the examples it is adapted with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaegmm.model import VAEGMM
from vaegmm.preprocess import Stroke
from vaegmm.reading import Reading, read_image, read_strokes

#: Fewer drawings say nothing of what they are worth.
LEAST_TO_JUDGE = 5
_LEAST_WEIGHT = 0.01  # of a view, where those of a drawing sum to 1

#: Strokes, or an image of shape (28, 28) where there are none.
Drawing = Sequence[Stroke] | np.ndarray


@dataclass(frozen=True)
class Worth:
    """What some drawings of one hand are worth to a model."""

    before: float  # the share of them that is read rightly without any
    after: float  # the share that is read rightly with all the others
    of: int  # how many they are


def views_of(model: VAEGMM, drawing: Drawing) -> tuple[np.ndarray, np.ndarray]:
    """Return the images and weights that a drawing is learned by: the views it is read by.

    Each counts as much as it is believed, so that what looks like another digit without one of its
    strokes teaches little; views that are hardly believed are left out.

    Returns:
        Images, shape (V, 28, 28), and their weights, shape (V,), which sum to 1.

    Raises:
        ValueError: if the strokes are no drawing.
    """
    views = _reading(model, drawing).views
    weights = np.array([view.weight for view in views])
    counts = weights >= _LEAST_WEIGHT
    images = np.stack([view.image for view in views])
    return images[counts], weights[counts] / weights[counts].sum()


def learn(model: VAEGMM, drawings: Sequence[Drawing], labels: Sequence[int]) -> VAEGMM:
    """Adapt a model to labelled drawings (`VAEGMM.adapt`); it stays what it is.

    Raises:
        ValueError: if there is no drawing, one is none, or the labels are unusable.
    """
    if len(drawings) == 0:
        raise ValueError("drawings must not be empty; got none to learn.")
    if len(labels) != len(drawings):
        raise ValueError(
            f"labels must have one entry a drawing; got {len(labels)} for {len(drawings)} drawings."
        )
    images, owners, weights = _views_of_all(model, drawings)
    return model.adapt(images, np.asarray(labels)[owners], weights)


def worth(model: VAEGMM, drawings: Sequence[Drawing], labels: Sequence[int]) -> Worth | None:
    """Measure what drawings are worth to a model that has not learned them: leave one out.

    Returns:
        None where they are too few to tell.
    """
    n = len(drawings)
    if n < LEAST_TO_JUDGE:
        return None
    truth = np.asarray(labels)
    before = np.array([read(model, drawing) for drawing in drawings])
    images, owners, weights = _views_of_all(model, drawings)
    latents, after = model.encode(images), np.empty(n, int)
    for i, drawing in enumerate(drawings):
        others = owners != i
        without = model.adapt_latents(latents[others], truth[owners[others]], weights[others])
        after[i] = read(without, drawing)
    return Worth(float((before == truth).mean()), float((after == truth).mean()), n)


def _views_of_all(
    model: VAEGMM, drawings: Sequence[Drawing]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the views of several drawings, whose each is, and their weights."""
    views = [views_of(model, drawing) for drawing in drawings]
    owners = np.repeat(np.arange(len(views)), [len(images) for images, _ in views])
    images, weights = (np.concatenate(parts) for parts in zip(*views, strict=True))
    return images, owners, weights


def read(model: VAEGMM, drawing: Drawing) -> int:
    """Return the label that a model reads a drawing or an image as."""
    return _reading(model, drawing).label


def _reading(model: VAEGMM, drawing: Drawing) -> Reading:
    if isinstance(drawing, np.ndarray):
        return read_image(model, drawing)
    return read_strokes(model, drawing)
