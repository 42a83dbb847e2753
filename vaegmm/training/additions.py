"""Strokes that some people add to a digit and others don't: a flag, a hook, a bar, a foot."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaegmm.vae import IMAGE_SHAPE

_SIDE = IMAGE_SHAPE[0]
_INK = 0.5  # of the fullest pixel: what is fainter is the edge of a stroke
_AROUND = 3  # pixels each way: the neighbourhood that tells an end of the ink from its middle
_SHARPNESS = 16.0  # of the choice of ends: half the ink around is e^8 times as likely
_EDGE = 1.2  # pixels from full ink to none


class _Addition(NamedTuple):
    """One kind of added stroke: a line or an arc through a point of the ink."""

    direction: float  # degrees, from rightwards to downwards
    spread: float  # degrees by which it differs at most
    forth: tuple[float, float]  # pixels that the line goes on from the point, least and most
    back: tuple[float, float]  # likewise, the other way
    bend: float  # by how much of its length its tip turns aside at most
    at_end: float  # how often the point is an end of the ink, else it is anywhere


# Strokes come in from the left and go out to it: flags of 1, hooks of 9.
_FLAG = _Addition(180, 70, forth=(3, 11), back=(0, 0), bend=0.4, at_end=1)
# Level: bars of 7 and feet of 1.
_BAR = _Addition(0, 25, forth=(1, 7), back=(1, 7), bend=0, at_end=0.5)


def add_strokes(
    images: Tensor, flags: float, bars: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Add a flag or hook to some images, and a bar or foot to some, with a pen like theirs.

    Args:
        images: pixels in [0, 1], shape (N, 784).
        flags: the share of the images that get a flag, in [0, 1].
        bars: likewise.
        generator: on the device of `images`.

    Returns:
        The images with what was added, shape (N, 784), and by how many pixels that moved each
        one's centre of mass, to the right and down, shape (2, N).
    """
    before = images
    for share, addition in ((flags, _FLAG), (bars, _BAR)):
        chosen = torch.rand(len(images), generator=generator, device=images.device) < share
        rows = chosen.nonzero().flatten()
        added = _add(images[rows], addition, generator)
        images = images.index_copy(0, rows, added)
    return images, _centres(images) - _centres(before)


def _add(images: Tensor, addition: _Addition, generator: torch.Generator) -> Tensor:
    """Add one stroke to each image."""
    uniform = torch.rand(6, len(images), generator=generator, device=images.device)
    peak = images.amax(1, keepdim=True)
    ink = _ink_around(images / peak.clamp_min(1e-6))
    is_ink = (images > _INK * peak).float()
    mean = (ink * is_ink).sum(1) / is_ink.sum(1).clamp_min(1)
    # The ends are where there is least ink around.
    fullness = ink / mean.clamp_min(1)[:, None] * (uniform[0] < addition.at_end)[:, None]
    point = _draw(is_ink * (-_SHARPNESS * fullness).exp(), uniform[1])
    angle = (addition.direction + (2 * uniform[2] - 1) * addition.spread) * (math.pi / 180)
    forth, back = (
        low + (high - low) * share
        for (low, high), share in zip((addition.forth, addition.back), uniform[3:5], strict=True)
    )
    curvature = (2 * uniform[5] - 1) * addition.bend / forth
    distance = _distance(point, angle, forth, back, curvature)
    width = mean / (2 * _AROUND + 1)  # of a straight stroke that passes through the neighbourhood
    stroke = (((width + _EDGE) / 2)[:, None] - distance) / _EDGE
    return torch.maximum(images, stroke.clamp(0, 1) * peak)


def _ink_around(images: Tensor) -> Tensor:
    """Sum the pixels of the neighbourhood of each pixel, shape (N, 784)."""
    axis = torch.arange(_SIDE, device=images.device)
    is_near = ((axis[:, None] - axis).abs() <= _AROUND).float()
    return (is_near @ images.reshape(-1, *IMAGE_SHAPE) @ is_near).reshape(images.shape)


def _draw(weights: Tensor, uniform: Tensor) -> Tensor:
    """Draw one column of each row by its weight, shape (N,)."""
    rising = weights.cumsum(1)
    below = rising <= uniform[:, None] * rising[:, -1:]
    return below.sum(1).clamp_max(weights.shape[1] - 1)  # a row of zeros has no other


def _distance(
    point: Tensor, angle: Tensor, forth: Tensor, back: Tensor, curvature: Tensor
) -> Tensor:
    """Measure how far each pixel is from a parabola, in pixels, shape (N, 784).

    Args:
        point: the pixel that is its vertex, shape (N,).
        angle: of its tangent there, radians, from rightwards to downwards, shape (N,).
        forth: pixels that it goes on from the point, along the tangent, shape (N,).
        back: likewise, the other way.
        curvature: by which it leaves the tangent: that many times the square of the pixels gone.
    """
    columns, rows = _places(point.device)
    x, y = columns - columns[point][:, None], rows - rows[point][:, None]
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    along, across = x * cos + y * sin, y * cos - x * sin
    nearest = torch.minimum(torch.maximum(along, -back[:, None]), forth[:, None])
    bend = curvature[:, None] * nearest
    # The distance straight across, times the cosine of the slope there.
    aside = (across - bend * nearest).square() / (1 + 4 * bend.square())
    return (aside + (along - nearest).square()).sqrt()


def _centres(images: Tensor) -> Tensor:
    """Return the columns and rows of the centres of mass, in pixels, shape (2, N)."""
    return _places(images.device) @ images.mT / images.sum(1).clamp_min(1e-6)


def _places(device: torch.device) -> Tensor:
    """Return the column and the row of each pixel, shape (2, 784)."""
    place = torch.arange(_SIDE * _SIDE, device=device)
    return torch.stack([place % _SIDE, place // _SIDE]).float()
