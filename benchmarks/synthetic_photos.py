"""Photos of digits on paper and on boards, made from images of digits, with light and table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from scipy import ndimage

_TABLE_MARGIN = 0.12  # of the photo, at least, around a sheet that lies on a table


@dataclass(frozen=True)
class Kind:
    """How a photo is taken; shares are of the photo's shorter side, brightness is in [0, 1]."""

    n_digits: int = 1
    size: float = 0.45  # of a digit
    ink: float = 0.15
    paper: float = 0.85
    grain: float = 0.0  # share of the ink that is missing, in spots
    lines: float = 0.0  # how much darker ruled lines are than the paper
    is_grid: bool = False
    table: float | None = None  # what lies around the sheet; None: the sheet fills the photo
    tilt: float = 0.0  # of the sheet's corners, by perspective
    angle: float = 0.0  # degrees by which the sheet is turned, at most, either way
    gradient: float = 0.0  # how much darker one side is
    shadow: float = 0.0  # how much darker a shadow is, whose edge crosses the photo
    quarter_turns: int = 0  # of the whole photo
    noise: float = 0.012
    side: int = 900  # pixels


KINDS = {
    "sheet only": Kind(gradient=0.2),
    "lined": Kind(lines=0.3, gradient=0.2, angle=4),
    "squared": Kind(lines=0.25, is_grid=True, gradient=0.2, angle=4),
    "pencil": Kind(ink=0.62, grain=0.35, gradient=0.3, noise=0.02),
    "pencil on lines": Kind(ink=0.5, grain=0.25, lines=0.25, gradient=0.2, angle=4),
    "chalk": Kind(ink=0.75, paper=0.2, grain=0.3, gradient=0.3),
    "tiny": Kind(side=48, size=0.6, noise=0.02),
    "sheet on a dark table": Kind(table=0.2, tilt=0.06, angle=12, gradient=0.2, size=0.3),
    "sheet on a wooden table": Kind(table=0.5, tilt=0.06, angle=12, gradient=0.2, size=0.3),
    "in a shadow": Kind(shadow=0.55, gradient=0.2),
    "in a shadow, on a table": Kind(table=0.2, tilt=0.05, angle=8, shadow=0.5, size=0.3),
    "lying on its side": Kind(gradient=0.2, quarter_turns=1),
    "four in a row": Kind(n_digits=4, size=0.2, gradient=0.3),
    "four, on a table": Kind(n_digits=4, size=0.14, table=0.2, tilt=0.05, angle=8),
    "four, in a shadow": Kind(n_digits=4, size=0.2, shadow=0.5),
    "four on lines": Kind(n_digits=4, size=0.2, lines=0.25, angle=3),
}


def take(kind: Kind, digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Take a photo of digits in a row.

    Args:
        kind: how.
        digits: white on black, shape (n_digits, 28, 28) uint8.
        rng: of everything that happens to differ.

    Returns:
        Grey, uint8, shape (side, 4/3 · side); turned on its side (4/3 · side, side).
    """
    height, width = kind.side, kind.side * 4 // 3
    on_sheet = _sheet(kind, digits, height, width, rng)
    scene, covered = _laid(kind, on_sheet, rng)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    if kind.table is not None:
        stripes = np.sin(60 * y + 4 * np.sin(5 * x)) * 0.03 + rng.normal(0, 0.01, scene.shape)
        scene = np.where(covered, scene, kind.table * (1 + stripes))
    scene = scene * _light(kind, x, y, rng)
    scene = ndimage.gaussian_filter(scene, kind.side / 1500) + rng.normal(
        0, kind.noise, scene.shape
    )
    return np.rot90((scene.clip(0, 1) * 255).round().astype(np.uint8), kind.quarter_turns)


def still(kind: Kind) -> Kind:
    """Return a kind as small as a test may be."""
    return replace(kind, side=min(kind.side, 300))


def _sheet(
    kind: Kind, digits: np.ndarray, height: int, width: int, rng: np.random.Generator
) -> np.ndarray:
    """Write digits in a row on a sheet that fills the photo."""
    sheet = np.full((height, width), kind.paper)
    if kind.lines:
        # Lines, and what is written on them, lie as obliquely as the photo was held.
        slope = np.tan(np.radians(rng.uniform(-kind.angle, kind.angle)))
        y, x = np.mgrid[:height, :width]
        spacing, thickness = kind.side / 9, max(1.0, kind.side / 350)
        ruled = (y + slope * x) % spacing < thickness
        if kind.is_grid:
            ruled |= (x - slope * y) % spacing < thickness
        sheet[ruled] *= 1 - kind.lines
    size = round(kind.size * height)
    gap = 1.0 if len(digits) == 1 else rng.uniform(0.95, 1.15)
    left = width / 2 - size * gap * len(digits) / 2
    for i, digit in enumerate(digits):
        ink = np.asarray(
            Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC), float
        )
        ink = ((ink / 255 - 0.5) * max(size / 60, 1) + 0.5).clip(0, 1)  # an edge of a pixel or two
        spots = ndimage.gaussian_filter(rng.normal(size=ink.shape), max(size / 200, 0.5))
        ink *= 1 - kind.grain * (spots > 0.3 * spots.std()) * 2 / 3
        top = round(height / 2 - size / 2 + rng.uniform(-0.15, 0.15) * size)
        at = np.s_[top : top + size, round(left + gap * size * i) :][:2]
        part = sheet[at][:, :size]
        part += (kind.ink - part) * ink[: part.shape[0], : part.shape[1]]
    return sheet


def _laid(kind: Kind, sheet: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Lay the sheet on the table as the camera sees it; return it, and where it covers that."""
    if kind.table is None:
        return sheet, np.ones(sheet.shape, bool)
    height, width = sheet.shape
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (0.5 - _TABLE_MARGIN)
    corners = corners + rng.uniform(-kind.tilt, kind.tilt, (4, 2))
    turn = np.radians(rng.uniform(-kind.angle, kind.angle))
    corners = (
        corners
        * [width, height]
        @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    )
    corners = corners * 0.9 + [width / 2, height / 2]
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    coefficients = _perspective(corners, flat)
    size, how = (width, height), Image.Transform.PERSPECTIVE
    picture = Image.fromarray(sheet.astype(np.float32)).transform(
        size, how, coefficients, Image.Resampling.BILINEAR
    )
    whole = Image.fromarray(np.full(sheet.shape, 255, np.uint8))
    covered = np.asarray(whole.transform(size, how, coefficients, Image.Resampling.NEAREST)) > 0
    return np.asarray(picture, float), covered


def _perspective(corners: np.ndarray, flat: np.ndarray) -> list[float]:
    """Return the eight coefficients that take corners, shape (4, 2), to `flat`."""
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, flat, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.linalg.solve(np.array(rows), np.array(values)).tolist()


def _light(kind: Kind, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return how much light falls on each place, at most 1."""
    direction = rng.uniform(0, 2 * np.pi)
    along = (x - 0.5) * np.cos(direction) + (y - 0.5) * np.sin(direction)
    light = 1 - kind.gradient * (along + 0.5)
    if kind.shadow:
        edge = rng.uniform(-0.15, 0.15)  # it crosses what is written
        direction = rng.uniform(0, 2 * np.pi)
        along = (x - 0.5) * np.cos(direction) + (y - 0.5) * np.sin(direction)
        light = light * (1 - kind.shadow / (1 + np.exp((along - edge) / 0.012)))
    return light
