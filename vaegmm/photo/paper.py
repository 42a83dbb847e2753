"""The light of the paper under what is written on it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_STROKE = 0.25  # of the picture's shorter side: what is wider is no stroke


def filled(grey: np.ndarray, strokes_go_on: bool) -> np.ndarray:
    """Fill up all that is dark and thinner than a stroke can be: a closing.

    Args:
        grey: in [0, 1], shape (H, W).
        strokes_go_on: whether what is dark at the picture's edge goes on beyond it: a table does,
            a stroke that the edge cuts off is mirrored there.

    Returns:
        The light of what is left: paper, table, shadows; shape (H, W).

    Source: Haralick, Sternberg and Zhuang, Image Analysis Using Mathematical Morphology, 1987.
    """
    window = max(3, round(_STROKE * min(grey.shape)))
    wide = np.pad(grey, window, mode="edge" if strokes_go_on else "symmetric")
    return ndimage.grey_closing(wide, size=(window, window))[window:-window, window:-window]
