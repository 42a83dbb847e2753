"""The form that MNIST gave its digits.

They were scaled, aspect kept, to fit a box of 20×20 pixels, and placed in a field of 28×28 with
their centre of mass at its centre. Source: LeCun, Cortes and Burges, The MNIST database.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

SIDE = 28  # pixels of the field
BOX = 20  # pixels of the box that the digit is scaled to
PEN_WIDTH = 2.4  # pixels: thin, as the thinner half of MNIST's pens; chosen on pen_digits_dev

_FINE = 8  # sub-pixels of one pixel, along each side
_SOFTNESS = 0.35  # pixels of blur: MNIST's edges are softer than a box filter's


def in_mnist_form(ink: np.ndarray) -> np.ndarray:
    """Bring grey ink to MNIST's form without changing its stroke width.

    Args:
        ink: 0 where there is none, 1 where it is full, shape (H, W).

    Returns:
        White ink on black, shape (28, 28) uint8.
    """
    rows, columns = np.nonzero(ink)
    box = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = (max(1, round(side * BOX / max(box.shape))) for side in box.shape)
    scaled = np.asarray(
        Image.fromarray(box.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    )
    canvas = np.zeros((SIDE, SIDE))
    canvas[:height, :width] = scaled.clip(0, 1)
    offset = (SIDE - 1) / 2 - np.array(ndimage.center_of_mass(canvas))
    # "grid-constant" keeps the halves of pixels that cross the canvas' first row and column.
    shifted = ndimage.shift(canvas, offset, order=1, mode="grid-constant")
    return np.rint(shifted.clip(0, 1) * 255).astype(np.uint8)


def from_ink(ink: np.ndarray) -> np.ndarray:
    """Bring grey ink to MNIST's form, drawn with a pen of PEN_WIDTH.

    The mean distance to the edge of a stroke is a quarter of its width; moving the edge by half of
    what is missing makes every stroke wider or thinner.

    Args:
        ink: 0 where there is none, 1 where it is full, shape (H, W); somewhere above one half.

    Returns:
        White ink on black, shape (28, 28) uint8.
    """
    ink = np.pad(ink, 1)
    top, bottom, left, right = _extent(ink > 0.5)
    longest = max(bottom - top, right - left)
    box = ink[top - 1 : bottom + 1, left - 1 : right + 1]
    moved = 0.0
    for _ in range(2):  # the scale depends on how far the edge will be moved
        scale = (BOX * _FINE - 2 * moved) / longest
        inside = np.pad(_resampled(box, scale), SIDE * _FINE // 4) > 0.5
        distance = ndimage.distance_transform_edt(inside)
        stroke = 4 * float(distance[inside].mean())
        # Thinning stops before a stroke's thinner places break.
        moved = max((PEN_WIDTH * _FINE - stroke) / 2, -0.3 * stroke)
    signed = np.where(inside, distance - 0.5, 0.5 - ndimage.distance_transform_edt(~inside))
    return _centred(signed > -moved)


def _extent(is_ink: np.ndarray) -> tuple[int, int, int, int]:
    """Return the first row and the one after the last, then the same of the columns."""
    rows, columns = np.nonzero(is_ink)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def _resampled(ink: np.ndarray, scale: float) -> np.ndarray:
    """Scale ink, linear between the centres of its pixels."""
    for axis, side in enumerate(ink.shape):
        n = max(1, int(np.floor(side * scale + 0.5)))
        place = ((np.arange(n) + 0.5) * (side / n) - 0.5).clip(0, side - 1)
        first = np.minimum(place.astype(int), side - 2)
        share = place - first
        before, after = ink.take(first, axis), ink.take(first + 1, axis)
        share = share[:, None] if axis == 0 else share
        ink = before + share * (after - before)
    return ink


def _centred(drawn: np.ndarray) -> np.ndarray:
    """Put the centre of mass at the field's centre, and scale down to 28×28 with soft edges.

    Args:
        drawn: which of the sub-pixels are ink, shape (H, W) bool.
    """
    top, bottom, left, right = _extent(drawn)
    side = SIDE * _FINE
    field = np.zeros((side, side))
    cut = drawn[top : min(bottom, top + side), left : min(right, left + side)]
    for_centre = np.array([np.arange(n) @ cut.sum(1 - axis) for axis, n in enumerate(cut.shape)])
    start = np.floor((side - 1) / 2 - for_centre / cut.sum() + 0.5).astype(int)
    # Never so far that ink would leave the field.
    row, column = start.clip(0, side - np.array(cut.shape))
    field[row : row + cut.shape[0], column : column + cut.shape[1]] = cut
    pixels = field.reshape(SIDE, _FINE, SIDE, _FINE).mean((1, 3))
    soft = ndimage.gaussian_filter(pixels, _SOFTNESS)
    return np.rint(soft / soft.max() * 255).astype(np.uint8)
