"""What a box holds of a picture's ink → the 28×28 image that MNIST would have made of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from vaegmm.errors import InputError
from vaegmm.mnist_form import from_ink
from vaegmm.photo.ink import otsu

_CELLS = 160  # along a box's longer side: as fine as the strokes will be drawn
_MOST_SAMPLES = 4  # of a cell, along each of its sides
_LEAST_STRENGTH = 0.25  # of full ink: less is paper
_SPECK = 0.02  # of the largest piece of ink: what is smaller is dirt
_OF_SIZE = 0.2  # of the largest piece: what is larger may be the digit, wherever that piece lies


class Box(NamedTuple):
    """A rectangle on a picture, in pixels: the upper left one's centre lies at (0.5, 0.5)."""

    x: float  # of its middle
    y: float
    width: float
    height: float
    angle: float = 0.0  # radians, clockwise: the direction of its upper edge


def cut(strength: np.ndarray, box: Box) -> np.ndarray:
    """Cut the digit out of a box and bring it to MNIST's form.

    Of several pieces of ink, specks and those that the box's edge cuts off are left out.

    Args:
        strength: of the ink, as `find_ink` returns it, shape (H, W) uint8.
        box: where; what of it lies outside the picture holds no ink.

    Returns:
        White ink on black, shape (28, 28) uint8.

    Raises:
        ValueError: if the box has no extent, or holds no ink.
    """
    if not (np.isfinite(box).all() and box.width > 0 and box.height > 0):
        raise InputError(f"box must have an extent; got {box}.", reason="box")
    cells = _sampled(strength, box)
    paper, ink = otsu(cells)
    if ink - paper < _LEAST_STRENGTH:
        raise InputError("box must hold a digit; got one without ink.", reason="empty box")
    ink_share = ((cells - paper) / (ink - paper)).clip(0, 1)
    # With the grey of its edges, which says where between two cells a stroke ends.
    kept = ndimage.binary_dilation(main_pieces(ink_share > 0.5), np.ones((3, 3)))
    return from_ink(ink_share * kept)


def main_pieces(is_ink: np.ndarray) -> np.ndarray:
    """Keep the pieces of ink that make up a digit: no specks, nothing that the edge cuts off.

    Args:
        is_ink: shape (H, W) bool.

    Returns:
        Which of it is kept, likewise.
    """
    pieces, n_pieces = ndimage.label(is_ink, structure=np.ones((3, 3)))
    areas = np.bincount(pieces.ravel(), minlength=n_pieces + 1)
    areas[0] = 0
    at_edge = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
    inside = np.setdiff1d(np.arange(1, n_pieces + 1), at_edge)
    # A digit that fills the picture touches its edge: then there is nothing of size inside.
    if len(inside) and areas[inside].max() >= _OF_SIZE * areas.max():
        areas[at_edge] = 0
    return (areas >= max(_SPECK * areas.max(), 2))[pieces]


def _sampled(strength: np.ndarray, box: Box) -> np.ndarray:
    """Return the ink of a box's cells, in [0, 1], shape (rows, columns).

    A cell is the mean of places within it, each linear between the centres of the pixels.
    """
    cell = max(box.width, box.height) / _CELLS
    n = min(max(1, int(np.ceil(cell))), _MOST_SAMPLES)
    columns, rows = (max(1, int(np.floor(side / cell + 0.5))) for side in (box.width, box.height))
    across = ((np.arange(columns * n) + 0.5) / (columns * n) - 0.5) * box.width
    down = ((np.arange(rows * n) + 0.5) / (rows * n) - 0.5) * box.height
    cosine, sine = np.cos(box.angle), np.sin(box.angle)
    x = box.x + across * cosine - down[:, None] * sine - 0.5
    y = box.y + across * sine + down[:, None] * cosine - 0.5
    samples = ndimage.map_coordinates(
        strength.astype(np.float64), [y, x], order=1, mode="grid-constant"
    )
    return samples.reshape(rows, n, columns, n).mean((1, 3)) / 255
