"""The ruled lines of paper."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_THICKNESS = 1 / 90  # of the picture's shorter side, at most
_PIECE = 0.15  # of the sheet's width: as much of a line, at least, is seen in one piece
_COVERED = 0.5  # of the sheet's width, at least, by all pieces of a line
_GAP = 1 / 30  # of the sheet's width that ink may cover, or noise break


def without_ruled_lines(is_ink: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return what is left of ink when lines across the sheet are taken away.

    A ruled line is thin and long. Where ink crosses it, it is not thin, and stays.

    Args:
        is_ink: lines and what was written between them, shape (H, W) bool.
        inside: which pixels are the sheet's, shape (H, W) bool.

    Returns:
        Which pixels are no line, shape (H, W) bool.
    """
    ink = is_ink & inside
    return ~(_lines_across(ink, inside) | _lines_across(ink.T, inside.T).T)


def _lines_across(ink: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return which pixels are of lines that cross the sheet from left to right."""
    columns = np.nonzero(inside.any(0))[0]
    width = len(columns)
    thickness = int(np.ceil(_THICKNESS * min(ink.shape)))
    thick = ndimage.binary_opening(ink, np.ones((thickness + 1, 1)))
    thin = ink & ~thick
    gap = max(3, int(_GAP * width))
    # A line that leans still meets itself across a gap.
    joined = ndimage.binary_closing(np.pad(thin, gap), np.ones((3, gap)))[gap:-gap, gap:-gap]
    pieces, _ = ndimage.label(joined, np.ones((3, 3)))
    is_line = np.zeros(ink.shape, bool)
    for piece, place in enumerate(ndimage.find_objects(pieces), 1):
        if place[1].stop - place[1].start < _PIECE * width:
            continue
        y, x = np.nonzero((pieces[place] == piece) & thin[place])
        line = np.polyfit(x + place[1].start, y + place[0].start, 1)
        if (y + place[0].start - np.polyval(line, x + place[1].start)).std() > thickness:
            continue
        rows = np.rint(np.polyval(line, columns)).astype(int)
        around = (rows + np.arange(-thickness, thickness + 1)[:, None]).clip(0, len(ink) - 1)
        if thin[around, columns].any(0).mean() >= _COVERED:
            is_line[around, columns] = True
    # Its soft edges are its own, too.
    return ndimage.binary_dilation(thin & is_line, np.ones((5, 1))) & ~thick
