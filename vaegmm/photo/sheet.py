"""The sheet of paper on a picture of a table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from vaegmm.photo.paper import filled

_SIDE = 200  # pixels at which it is looked for
_LEAST_AREA = 0.1  # of the picture
_LEAST_FILLED = 0.92  # of the four corners' area
_LEAST_STEP = 0.15  # of the sheet's light, by which the table is darker
_N_LEVELS = 24  # of light at which it is looked for
_INSET = 0.03  # of the way to the sheet's middle, within which its edge lies


class Sheet(NamedTuple):
    """A sheet of paper that lies on something darker."""

    corners: np.ndarray  # (4, 2): x and y in pixels, clockwise from the upper left one

    @property
    def angle(self) -> float:
        """The direction of its upper and lower edges, in radians, clockwise, within 45°."""
        upper, lower = self.corners[1] - self.corners[0], self.corners[2] - self.corners[3]
        x, y = upper / np.hypot(*upper) + lower / np.hypot(*lower)
        return float(np.arctan2(y, x))

    def covers(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return which pixels of a picture lie on it, well within its edge."""
        middle = self.corners.mean(0)
        corners = self.corners + _INSET * (middle - self.corners)
        picture = Image.new("1", (shape[1], shape[0]))
        ImageDraw.Draw(picture).polygon([tuple(corner) for corner in corners], fill=1)
        return np.asarray(picture)


def find_sheet(grey: np.ndarray) -> Sheet | None:
    """Find the largest bright region with four corners.

    A shadow across the sheet is as dark as a table may be. So the region is looked for at many
    levels of light: the table is out, and the shadow in, at one of them. What touches two edges of
    the picture may be the lit part of a sheet that fills it, and is no sheet.

    Args:
        grey: the picture, in [0, 1], shape (H, W).

    Returns:
        The sheet; None where there is none, or it fills the picture.
    """
    scale = max(1.0, max(grey.shape) / _SIDE)
    small = Image.fromarray(grey.astype(np.float32))
    small = small.resize([max(1, round(side / scale)) for side in small.size], Image.Resampling.BOX)
    light = filled(np.asarray(small, float), strokes_go_on=True)
    best, most = None, _LEAST_AREA * light.size
    for level in np.linspace(light.min(), light.max(), _N_LEVELS + 2)[1:-1]:
        region = _largest(light > level)
        area = int(region.sum())
        if area <= most or _n_edges_touched(region) > 1:
            continue
        around = ndimage.binary_dilation(region, iterations=4) & ~ndimage.binary_dilation(
            region, iterations=1
        )
        if np.median(light[around]) > (1 - _LEAST_STEP) * np.quantile(light[region], 0.25):
            continue
        corners = _corners(region)
        if corners is not None and area >= _LEAST_FILLED * _area(corners):
            best, most = corners, area
    if best is None:
        return None
    factor = np.array(grey.shape[::-1]) / light.shape[::-1]
    return Sheet(_from_upper_left(best * factor))


def _largest(region: np.ndarray) -> np.ndarray:
    pieces, n_pieces = ndimage.label(region)
    if n_pieces == 0:
        return region
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return ndimage.binary_fill_holes(pieces == sizes.argmax())


def _n_edges_touched(region: np.ndarray) -> int:
    return sum(bool(edge.any()) for edge in (region[0], region[-1], region[:, 0], region[:, -1]))


def _corners(region: np.ndarray) -> np.ndarray | None:
    """Return the corners, shape (4, 2), of the quadrangle around a region.

    Of its convex hull the side is left out, and those beside it are prolonged, that adds the least
    area, until four remain.
    """
    rows, columns = np.nonzero(region & ~ndimage.binary_erosion(region))
    points = np.stack([columns, rows], 1)
    # The corners of the pixels: the region is as large as they are.
    points = np.concatenate([points + offset for offset in ((0, 0), (0, 1), (1, 0), (1, 1))])
    try:
        hull = points[ConvexHull(points).vertices].astype(float)
    except QhullError:
        return None
    while len(hull) > 4:
        before, start, end, after = (np.roll(hull, by, 0) for by in (1, 0, -1, -2))
        corners, areas = _prolonged(before, start, end, after)
        side = int(areas.argmin())
        if not np.isfinite(areas[side]):
            return None
        hull[side] = corners[side]
        hull = np.delete(hull, (side + 1) % len(hull), 0)
    return hull if len(hull) == 4 else None


def _prolonged(
    before: np.ndarray, start: np.ndarray, end: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the sides before and after a side meet beyond it, and the area that this adds.

    Args:
        before: where the side before each side starts, shape (S, 2).
        start: where each side starts.
        end: where it ends.
        after: where the side after it ends.
    """
    one, other, side = start - before, end - after, end - start
    with np.errstate(divide="ignore", invalid="ignore"):
        along = _cross(side, other) / _cross(one, other)
        corners = start + along[:, None] * one
        areas = np.abs(_cross(side, corners - start)) / 2
    return corners, np.where(along > 0, areas, np.inf)


def _cross(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]


def _area(corners: np.ndarray) -> float:
    return float(np.abs(_cross(corners, np.roll(corners, -1, 0)).sum()) / 2)


def _from_upper_left(corners: np.ndarray) -> np.ndarray:
    """Order corners clockwise so that the first side is the one that lies most level, on top."""
    around = corners - corners.mean(0)
    corners = corners[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]
    sides = np.roll(corners, -1, 0) - corners
    # Clockwise, the upper side goes to the right.
    return np.roll(corners, -int(np.argmax(sides[:, 0] / np.hypot(*sides.T))), 0)
