"""A photo or scan → the 28×28 image that MNIST would have made of its digit."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from vaegmm.errors import InputError
from vaegmm.mnist_form import centred, with_pen_width
from vaegmm.photo.picture import LARGEST_FILE, LARGEST_PICTURE, as_grey, open_picture

__all__ = ["LARGEST_FILE", "LARGEST_PICTURE", "digit_from_image", "open_picture"]

_LEAST_CONTRAST = 0.08  # of white: less is paper
_SPECK = 0.02  # of the largest piece of ink: what is smaller is dirt


def digit_from_image(picture: Image.Image | np.ndarray) -> np.ndarray:
    """Find the digit in a photo or scan and bring it to MNIST's form.

    Dark on light or light on dark, under uneven light, of any size; of several pieces of ink, those
    at the edge of the picture and specks are left out.

    Args:
        picture: a Pillow image, or an array of shape (H, W), (H, W, 3) or (H, W, 4): uint8, or
            float in [0, 1].

    Returns:
        White ink on black, shape (28, 28) uint8.

    Raises:
        ValueError: if no ink is to be seen, or the picture is too large.
    """
    grey = as_grey(picture)
    height, width = grey.shape
    if min(height, width) < 4:
        raise InputError(
            f"picture must have at least 4×4 pixels; got {width}×{height}.", reason="small picture"
        )
    contrast = _contrast(grey)
    paper, ink = _otsu(contrast)
    if ink - paper < _LEAST_CONTRAST:
        raise InputError(
            "picture must show a digit; got one without visible ink.", reason="blank picture"
        )
    grey_ink = ((contrast - paper) / (ink - paper)).clip(0, 1)
    # With the grey of its edges, which says where between two pixels a stroke ends.
    mask = ndimage.binary_dilation(_main_pieces(grey_ink > 0.5), np.ones((3, 3)))
    return centred(with_pen_width(grey_ink * mask))


def _contrast(grey: np.ndarray) -> np.ndarray:
    """Return how far each pixel stands out from the paper, at least 0, shape (H, W).

    The paper is a quadratic surface, fitted again and again to the pixels that look like it: light
    from one side falls out.
    """
    height, width = grey.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1).reshape(-1, 6)
    values = grey.ravel()
    residual = values - np.median(values)
    is_paper = np.abs(residual) <= max(np.quantile(np.abs(residual), 0.8), 1 / 255)
    for _ in range(8):
        surface = terms @ np.linalg.lstsq(terms[is_paper], values[is_paper], rcond=None)[0]
        residual = values - surface
        spread = max(1.4826 * float(np.median(np.abs(residual[is_paper]))), 2 / 255)
        is_paper = np.abs(residual) < 4 * spread
        if is_paper.sum() < 6:
            break
    # Ink is the side with the longer tail.
    ink = residual if (residual**3).sum() > 0 else -residual
    return ink.clip(0).reshape(grey.shape)


def _otsu(values: np.ndarray) -> tuple[float, float]:
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


def _main_pieces(ink: np.ndarray) -> np.ndarray:
    """Keep the pieces of ink that make up the digit: no specks, nothing that the edge cuts off."""
    pieces, n_pieces = ndimage.label(ink, structure=np.ones((3, 3)))
    areas = np.bincount(pieces.ravel(), minlength=n_pieces + 1)
    areas[0] = 0
    at_edge = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
    inside = np.setdiff1d(np.arange(1, n_pieces + 1), at_edge)
    # A digit that fills the picture touches its edge: then there is nothing of size inside.
    if len(inside) and areas[inside].max() >= 0.2 * areas.max():
        areas[at_edge] = 0
    return (areas >= max(_SPECK * areas.max(), 2))[pieces]
