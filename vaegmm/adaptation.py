"""How a model learns a hand: a few labelled drawings become the examples it is adapted with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaegmm.model import VAEGMM
from vaegmm.preprocess import Stroke, partial_drawings, render_strokes
from vaegmm.reading import read_image, read_strokes

#: Fewer drawings say nothing of what they are worth.
LEAST_TO_JUDGE = 5

#: Strokes, or an image of shape (28, 28) where there are none.
Drawing = Sequence[Stroke] | np.ndarray


@dataclass(frozen=True)
class Worth:
    """What some drawings of one hand are worth to a model."""

    before: float  # the share of them that is read rightly without any
    after: float  # the share that is read rightly with all the others
    of: int  # how many they are


def views_of(drawing: Drawing) -> tuple[np.ndarray, np.ndarray]:
    """Return the images and weights that a drawing is learned by: itself, and parts of it.

    A drawing is read from the same views, and each of them must find its example.

    Returns:
        Images, shape (V, 28, 28) uint8, the drawing itself first, and their weights, shape (V,),
        which sum to 1.

    Raises:
        ValueError: if the strokes are no drawing.
    """
    if isinstance(drawing, np.ndarray):
        return drawing[None], np.ones(1)
    images = render_strokes([drawing, *partial_drawings(drawing)])
    return images, np.full(len(images), 1 / len(images))


def learn(model: VAEGMM, drawings: Sequence[Drawing], labels: Sequence[int]) -> VAEGMM:
    """Adapt a model to labelled drawings (`VAEGMM.adapt`); it stays what it is.

    Raises:
        ValueError: if there is no drawing, one is none, or the labels are unusable.
    """
    images, owners, weights = _views_of_all(drawings)
    if len(labels) != len(drawings):
        raise ValueError(
            f"labels must have one entry a drawing; got {len(labels)} for {len(drawings)} drawings."
        )
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
    images, owners, weights = _views_of_all(drawings)
    latents, after = model.encode(images), np.empty(n, int)
    for i, drawing in enumerate(drawings):
        others = owners != i
        without = model.adapt_latents(latents[others], truth[owners[others]], weights[others])
        after[i] = read(without, drawing)
    return Worth(float((before == truth).mean()), float((after == truth).mean()), n)


def _views_of_all(drawings: Sequence[Drawing]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the views of several drawings, whose each is, and their weights."""
    views = [views_of(drawing) for drawing in drawings]
    owners = np.repeat(np.arange(len(views)), [len(images) for images, _ in views])
    images, weights = (np.concatenate(parts) for parts in zip(*views, strict=True))
    return images, owners, weights


def read(model: VAEGMM, drawing: Drawing) -> int:
    """Return the label that a model reads a drawing or an image as."""
    if isinstance(drawing, np.ndarray):
        return read_image(model, drawing).label
    return read_strokes(model, drawing).label
