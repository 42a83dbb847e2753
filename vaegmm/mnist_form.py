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


def centred(ink: np.ndarray) -> np.ndarray:
    """Put the centre of mass at the field's centre and scale down to 28×28 with soft edges.

    Args:
        ink: in [0, 1], shape (28 · _FINE, 28 · _FINE).
    """
    offset = np.rint((np.array(ink.shape) - 1) / 2 - ndimage.center_of_mass(ink)).astype(int)
    # Never so far that ink would leave the field.
    rows, columns = np.nonzero(ink)
    for axis, places in enumerate((rows, columns)):
        offset[axis] = np.clip(offset[axis], -places.min(), ink.shape[axis] - 1 - places.max())
    shifted = np.roll(ink, offset, axis=(0, 1))
    pixels = shifted.reshape(SIDE, _FINE, SIDE, _FINE).mean((1, 3))
    soft = ndimage.gaussian_filter(pixels, _SOFTNESS)
    return np.rint(soft / soft.max() * 255).astype(np.uint8)


def with_pen_width(ink: np.ndarray) -> np.ndarray:
    """Scale ink to the box and bring its strokes to PEN_WIDTH.

    The mean distance to the edge of a stroke is a quarter of its width; moving the edge by half of
    what is missing makes every stroke wider or thinner.

    Args:
        ink: in [0, 1], shape (H, W).

    Returns:
        Ink as 0 or 1, shape (28 · _FINE, 28 · _FINE).
    """
    ink = np.pad(ink, 1)
    rows, columns = np.nonzero(ink > 0.5)
    step = _FINE
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    pen, moved = PEN_WIDTH * step, 0.0
    box = ink[rows.min() - 1 : rows.max() + 2, columns.min() - 1 : columns.max() + 2]
    for _ in range(2):  # the scale depends on how far the edge will be moved
        scale = (BOX * step - 2 * moved) / longest
        size = [max(1, round(side * scale)) for side in box.shape]
        smooth = Image.fromarray(box.astype(np.float32)).resize(
            (size[1], size[0]), Image.Resampling.BICUBIC
        )
        inside = np.pad(np.asarray(smooth), SIDE * step // 4) > 0.5
        distance = ndimage.distance_transform_edt(inside)
        stroke = 4 * float(distance[inside].mean())
        # Thinning stops before a stroke's thinner places break.
        moved = max((pen - stroke) / 2, -0.3 * stroke)
    signed = np.where(inside, distance - 0.5, 0.5 - ndimage.distance_transform_edt(~inside))
    drawn = signed > -moved
    rows, columns = np.nonzero(drawn)
    cut = drawn[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    field = np.zeros((SIDE * step, SIDE * step))
    cut = cut[: SIDE * step, : SIDE * step]
    top, left = ((SIDE * step - side) // 2 for side in cut.shape)
    field[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return field
