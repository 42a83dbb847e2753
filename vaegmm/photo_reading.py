"""What a model with names says of the digits of a photo, and whether they lie on their side."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from vaegmm.model import VAEGMM
from vaegmm.photo import Box, cut, find_digits, find_ink
from vaegmm.reading import Reading, Verdict, read_image

# Of 600 MNIST test digits these offer to turn one that stands upright, and the right turn of 83 %
# of those on their side and of 71 % of those upside down: benchmarks/photos.py.
_ATYPICAL = 0.05  # typicality below which a digit may stand upright only turned
_TURNED = 0.1  # typicality, at least, of what is offered instead
_SURE = 0.7  # p(label), at least, of what is offered instead


class BoxReading(NamedTuple):
    """What a model says of one box of a photo."""

    box: Box
    reading: Reading  # of the box as it stands
    turn: int  # quarter turns, clockwise, after which the box would stand upright; 0: it does
    turned: Reading | None  # of the box after that turn; None where it stands upright

    @property
    def verdict(self) -> Verdict:
        """As the reading's; never "sure" of what may lie on its side."""
        said = self.reading.verdict
        return "unsure" if self.turn and said == "sure" else said


def read_photo(model: VAEGMM, picture: Image.Image | np.ndarray) -> list[BoxReading]:
    """Let a model with names read the digits of a photo, in reading order.

    Raises:
        ValueError: if no ink is to be seen, or the picture is too small or too large.
    """
    ink = find_ink(picture)
    return [read_box(model, box, cut(ink.strength, box)) for box in find_digits(ink)]


def read_box(model: VAEGMM, box: Box, image: np.ndarray) -> BoxReading:
    """Let a model with names read what was cut out of a box, shape (28, 28).

    A 6 upside down is a 9. So a digit stands upright unless it is atypical as it stands, and
    typical and surely named after a turn.
    """
    reading = read_image(model, image)
    if reading.typicality < _ATYPICAL:
        turns = [read_image(model, np.rot90(image, turn).copy()) for turn in (1, 2, 3)]
        best = int(np.argmax([each.typicality for each in turns]))
        turned = turns[best]
        if turned.typicality > _TURNED and turned.probabilities.max() > _SURE:
            return BoxReading(box, reading, best + 1, turned)
    return BoxReading(box, reading, 0, None)


def turned(box: Box, turn: int) -> Box:
    """Return a box around the same place, turned clockwise by quarter turns."""
    width, height = (box.height, box.width) if turn % 2 else (box.width, box.height)
    return Box(box.x, box.y, width, height, box.angle + turn * np.pi / 2)
