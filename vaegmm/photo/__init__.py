"""A photo or scan → its digits, each a box and the 28×28 image that MNIST would have made of it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vaegmm.errors import InputError
from vaegmm.photo.boxes import MOST_BOXES, box_of_all, find_digits, in_reading_order
from vaegmm.photo.cut import Box, cut
from vaegmm.photo.ink import Ink, find_ink
from vaegmm.photo.picture import LARGEST_FILE, LARGEST_PICTURE, opaque, open_picture
from vaegmm.photo.sheet import Sheet

__all__ = [
    "LARGEST_FILE",
    "LARGEST_PICTURE",
    "MOST_BOXES",
    "Box",
    "Ink",
    "Sheet",
    "cut",
    "digit_from_image",
    "find_digits",
    "find_ink",
    "in_reading_order",
    "opaque",
    "open_picture",
]


def digit_from_image(picture: Image.Image | np.ndarray) -> np.ndarray:
    """Find what is written on a photo or scan and bring it to MNIST's form, as one digit.

    Dark on light or light on dark, under uneven light, of any size, on a sheet that fills the
    picture or lies on a darker table; of several pieces of ink, those at the edge of the picture
    and specks are left out.

    Args:
        picture: a Pillow image, or an array of shape (H, W), (H, W, 3) or (H, W, 4): uint8, or
            float in [0, 1].

    Returns:
        White ink on black, shape (28, 28) uint8.

    Raises:
        ValueError: if no ink is to be seen, or the picture is too large.
    """
    ink = find_ink(picture)
    box = box_of_all(ink)
    if box is None:
        raise InputError(
            "picture must show a digit; got one without visible ink.", reason="blank picture"
        )
    return cut(ink.strength, box)
