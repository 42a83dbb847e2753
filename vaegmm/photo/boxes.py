"""Which ink belongs together, and where the digits are."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from vaegmm.photo.cut import Box, main_pieces
from vaegmm.photo.ink import Ink

MOST_BOXES = 40  # of one picture

_MARGIN = 0.12  # of a digit's longer side, around it
_BREAK = 1 / 300  # of the picture's shorter side: grains of chalk and pencil lie closer
_SHARED = 0.35  # of the narrower piece's width, in which two pieces lie one above the other
_FRAGMENT = 0.5  # of the taller piece's height: a bar, or a broken end
_APART = 0.3  # of the larger piece's longer side, between it and a fragment of it
_SAME_LINE = 0.6  # of the taller box's height, between the middles of two in a line


def find_digits(ink: Ink) -> list[Box]:
    """Find the digits of a picture.

    Pieces of ink belong together where one stands above a good part of the other, and is a
    fragment of it or overlaps with it.

    Returns:
        A box around each, as upright as the sheet lies, in reading order; none where all ink is
        dirt or cut off by the picture's edge. Of more than 40 the largest are returned.
    """
    angle = 0.0 if ink.sheet is None else ink.sheet.angle
    extents = [
        [along.min(), along.max(), down.min(), down.max()]
        for along, down in _pieces_along(ink, angle)
    ]
    boxes = [_box_around(extent, angle) for extent in _joined(extents)]
    boxes.sort(key=lambda box: -box.width * box.height)
    return in_reading_order(boxes[:MOST_BOXES])


def box_of_all(ink: Ink) -> Box | None:
    """Return one box around all ink that is neither dirt nor cut off; None where there is none."""
    angle = 0.0 if ink.sheet is None else ink.sheet.angle
    pieces = _pieces_along(ink, angle)
    if not pieces:
        return None
    along, down = (np.concatenate(part) for part in zip(*pieces, strict=True))
    return _box_around([along.min(), along.max(), down.min(), down.max()], angle)


def in_reading_order(boxes: list[Box]) -> list[Box]:
    """Sort boxes into lines, from the top, and each line from the left, as they lie at the mean."""
    angles = [box.angle for box in boxes]
    angle = np.arctan2(np.sin(angles).sum(), np.cos(angles).sum())
    cosine, sine = np.cos(angle), np.sin(angle)
    places = [(box.x * cosine + box.y * sine, box.y * cosine - box.x * sine, box) for box in boxes]
    places.sort(key=lambda place: place[1])
    lines: list[list[tuple[float, float, Box]]] = []
    for place in places:
        before = lines[-1][-1] if lines else None
        taller = max(place[2].height, before[2].height) if before else 0.0
        if before and place[1] - before[1] < _SAME_LINE * taller:
            lines[-1].append(place)
        else:
            lines.append([place])
    return [box for line in lines for _, _, box in sorted(line, key=lambda place: place[0])]


def _pieces_along(ink: Ink, angle: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the places of the pixels of each piece of ink, along the sheet and down it."""
    is_ink = ink.strength > 127
    if ink.sheet is not None:
        is_ink &= ink.sheet.covers(is_ink.shape)
    reach = max(1, round(_BREAK * min(is_ink.shape)))
    near = ndimage.binary_dilation(is_ink, np.ones((3, 3)), iterations=reach)
    pieces, _ = ndimage.label(near & main_pieces(is_ink), np.ones((3, 3)))
    cosine, sine = np.cos(angle), np.sin(angle)
    found = []
    for piece, place in enumerate(ndimage.find_objects(pieces), 1):
        rows, columns = np.nonzero(pieces[place] == piece)
        y, x = rows + place[0].start + 0.5, columns + place[1].start + 0.5
        found.append((x * cosine + y * sine, y * cosine - x * sine))
    return found


def _joined(extents: list[list[float]]) -> list[list[float]]:
    """Join the extents [left, right, top, bottom] of pieces that belong together."""
    extents = sorted(extents, key=lambda extent: extent[2] - extent[3])  # the tallest first
    i = 0
    while i < len(extents):
        for j, other in enumerate(extents):
            if i != j and _belong_together(extents[i], other):
                one = extents[i]
                extents[i] = [
                    *(min(one[0], other[0]), max(one[1], other[1])),
                    *(min(one[2], other[2]), max(one[3], other[3])),
                ]
                del extents[j]
                i = -1  # what was too far away may be near now
                break
        i += 1
    return extents


def _belong_together(one: list[float], other: list[float]) -> bool:
    """Say whether two pieces are of one digit, by their extents."""
    widths = [extent[1] - extent[0] + 1 for extent in (one, other)]
    heights = [extent[3] - extent[2] + 1 for extent in (one, other)]
    across = min(one[1], other[1]) - max(one[0], other[0]) + 1
    down = min(one[3], other[3]) - max(one[2], other[2]) + 1
    if across < _SHARED * min(widths):
        return False
    # What is wider than high is seldom a whole digit.
    is_fragment = min(heights) < _FRAGMENT * max(heights) or any(
        width > height for width, height in zip(widths, heights, strict=True)
    )
    return down > 0 or (is_fragment and -down < _APART * max(*heights, *widths))


def _box_around(extent: list[float], angle: float) -> Box:
    left, right, top, bottom = extent
    width, height = right - left + 1, bottom - top + 1
    margin = 2 * max(1.0, _MARGIN * max(width, height))
    along, down = (left + right) / 2, (top + bottom) / 2
    cosine, sine = np.cos(angle), np.sin(angle)
    return Box(
        *(float(along * cosine - down * sine), float(along * sine + down * cosine)),
        *(float(width + margin), float(height + margin), float(angle)),
    )
