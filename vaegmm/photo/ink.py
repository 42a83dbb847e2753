"""What is written on a picture, whatever light falls on it and whatever it was written with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from vaegmm.errors import InputError
from vaegmm.photo.paper import filled
from vaegmm.photo.picture import as_grey
from vaegmm.photo.ruling import without_ruled_lines
from vaegmm.photo.sheet import Sheet, find_sheet

_LEAST_SIDE = 4  # pixels of a picture
_LEAST_CONTRAST = 0.08  # of what paper sends back: less is paper
_NOISE = 5.0  # standard deviations that ink stands out by
_DARK = 0.04  # of white: what is darker says little about what is lighter than it by a share
_SMOOTHED = 200  # pixels of the shorter side, from which noise is finer than strokes
_POLARITY_SIDE = 48  # pixels, at which paper and ink are told apart
_LEAST_EXTENT = 0.012  # of the shorter side: what is smaller is dirt


class Ink(NamedTuple):
    """The ink of a picture, its light evened out."""

    strength: np.ndarray  # (H, W) uint8: 0 on paper, 255 where ink is full
    sheet: Sheet | None  # of paper that the ink is on; None where it fills the picture


def find_ink(picture: Image.Image | np.ndarray) -> Ink:
    """Find the ink of a picture: dark on light, or light on dark.

    Paper is what remains when everything thinner than a stroke can be is filled up with its
    surroundings (a closing), so that a table, a shadow's edge and a gradient are no ink; how much
    of the paper's light is missing is the same in the sun and in the shade. Ruled lines are taken
    away.

    Args:
        picture: a Pillow image, or an array of shape (H, W), (H, W, 3) or (H, W, 4): uint8, or
            float in [0, 1].

    Returns:
        The ink, at a longer side of at most 1,000 pixels.

    Raises:
        ValueError: if no ink is to be seen, or the picture is too small or too large.
    """
    grey = as_grey(picture)
    shorter = min(grey.shape)
    if shorter < _LEAST_SIDE:
        height, width = grey.shape
        raise InputError(
            f"picture must have at least {_LEAST_SIDE}×{_LEAST_SIDE} pixels; got {width}×{height}.",
            reason="small picture",
        )
    if shorter >= _SMOOTHED:
        grey = ndimage.median_filter(grey, 3)
    sheet = find_sheet(grey)
    if sheet is None and _is_light_on_dark(grey):
        grey = 1 - grey
    paper = filled(grey, strokes_go_on=sheet is not None)
    contrast = (paper - grey) / (paper + _DARK)
    inside = np.ones(grey.shape, bool) if sheet is None else sheet.covers(grey.shape)
    contrast -= np.median(contrast[inside])
    noise = 1.4826 * float(np.median(np.abs(contrast[inside])))
    least = max(_NOISE * noise, _LEAST_CONTRAST)
    contrast[~without_ruled_lines(contrast > least, inside)] = 0
    seen = contrast[inside & (contrast > least)]
    if len(seen) < max(4, (_LEAST_EXTENT * shorter) ** 2):
        raise InputError(
            "picture must show a digit; got one without visible ink.", reason="blank picture"
        )
    full = otsu(seen)[1]
    return Ink(np.rint((contrast / full).clip(0, 1) * 255).astype(np.uint8), sheet)


def otsu(values: np.ndarray) -> tuple[float, float]:
    """Return the means of the two groups that values in [0, 1] part into best.

    Source: Otsu, A Threshold Selection Method from Gray-Level Histograms, 1979.
    """
    counts, edges = np.histogram(values, bins=256, range=(0, 1))
    centres = (edges[:-1] + edges[1:]) / 2
    below = counts.cumsum()[:-1]
    above = counts.sum() - below
    sums = (counts * centres).cumsum()
    low = sums[:-1] / np.maximum(below, 1)
    high = (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    best = int((below * above * (high - low) ** 2).argmax())
    return float(low[best]), float(high[best])


def _is_light_on_dark(grey: np.ndarray) -> bool:
    """Say whether what stands out from its surroundings is lighter than they are."""
    small = Image.fromarray(grey.astype(np.float32))
    small.thumbnail((_POLARITY_SIDE, _POLARITY_SIDE), Image.Resampling.BOX)
    values = np.asarray(small, float)
    around = ndimage.median_filter(values, max(3, min(values.shape) // 3), mode="nearest")
    return bool(((values - around) ** 3).sum() > 0)
