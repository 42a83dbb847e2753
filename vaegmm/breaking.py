"""The smallest change of a drawing that changes what it is read as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from vaegmm.model import VAEGMM
from vaegmm.preprocess import Stroke, as_lines, between, distances_along, is_dot
from vaegmm.reading import Reading, read_strokes

#: Sizes that are tried one after the other, in units of the drawing's longer side.
SIZES = (0.06, 0.12, 0.18, 0.24, 0.3, 0.36, 0.42, 0.48)

_HALVINGS = 3  # of the step in which the answer changed
_MOST_STROKES = 3  # the longest ones, whose ends are changed
_TAIL = 0.3  # of a stroke's length, that follows its end when that is moved
_BARS_AT = (0.25, 0.5, 0.75)  # of the longest stroke's length

_EIGHTH = float(np.sqrt(0.5))
# x and y, from the right on by eighths of a turn clockwise, as y grows downwards.
_DIRECTIONS = np.array(
    [
        (1.0, 0.0),
        (_EIGHTH, _EIGHTH),
        (0.0, 1.0),
        (-_EIGHTH, _EIGHTH),
        (-1.0, 0.0),
        (-_EIGHTH, -_EIGHTH),
        (0.0, -1.0),
        (_EIGHTH, -_EIGHTH),
    ]
)


class Change(NamedTuple):
    """One way to change a drawing.

    "cut" takes away an end, "move" moves it, "add" draws on from it, "bar" lays a short stroke
    across.
    """

    kind: Literal["cut", "move", "add", "bar"]
    stroke: int  # whose end, or on which the bar lies
    place: float  # along the stroke: 0 or 1 for an end
    direction: int  # in eighths of a turn, clockwise from the right; 0 for a cut


class Break(NamedTuple):
    """A change that makes another digit of a drawing."""

    change: Change
    size: float  # of the ink added, cut or moved, in units of the drawing's longer side
    strokes: list[Stroke]  # of the changed drawing
    before: Reading
    after: Reading


def break_drawing(model: VAEGMM, strokes: Sequence[Stroke]) -> Break | None:
    """Look for the smallest change after which a model with names reads another label.

    Ends are moved, cut and drawn on, and bars laid across, in rising sizes; of the changes of the
    first size that changes the answer the one that can be made smallest is kept. What comes of it
    must not be strange, unless the drawing was.

    Returns:
        The change, or None where none of at most half of the drawing's longer side is enough.

    Raises:
        ValueError: if the strokes are no drawing.
    """
    before = read_strokes(model, strokes)
    lines = as_lines(strokes)
    unit = float(np.ptp(np.concatenate(lines), axis=0).max())
    changes = changes_of(lines)

    def read_as_other(change: Change, size: float) -> Reading | None:
        changed = apply_change(lines, change, size * unit)
        if changed is None:
            return None
        after = read_strokes(model, [line.tolist() for line in changed])
        is_fit = not after.is_strange or before.is_strange
        return after if after.label != before.label and is_fit else None

    smaller = 0.0
    for size in SIZES:
        broken = []
        for change in changes:
            after = read_as_other(change, size)
            if after is None:
                continue
            enough, low = size, smaller
            for _ in range(_HALVINGS):
                middle = (low + enough) / 2
                other = read_as_other(change, middle)
                if other is None:
                    low = middle
                else:
                    enough, after = middle, other
            broken.append((enough, change, after))
        if broken:
            enough, change, after = min(broken, key=lambda found: found[0])
            changed = apply_change(lines, change, enough * unit)
            assert changed is not None
            return Break(change, enough, [line.tolist() for line in changed], before, after)
        smaller = size
    return None


def changes_of(lines: Sequence[np.ndarray]) -> list[Change]:
    """List the ways to change a drawing: its longest strokes, in the order they were drawn in."""
    lengths = np.array([distances_along(line)[-1] for line in lines])
    longest = np.sort(np.argsort(-lengths, kind="stable")[:_MOST_STROKES])
    changes = []
    for stroke in longest.tolist():
        for end in (0.0, 1.0):
            changes.append(Change("cut", stroke, end, 0))
            for kind in ("move", "add"):
                changes += [Change(kind, stroke, end, way) for way in range(len(_DIRECTIONS))]
    # A bar to the left is the same as one to the right.
    across = range(len(_DIRECTIONS) // 2)
    along = int(lengths.argmax())
    return changes + [Change("bar", along, at, way) for at in _BARS_AT for way in across]


def apply_change(
    lines: Sequence[np.ndarray], change: Change, amount: float
) -> list[np.ndarray] | None:
    """Change a drawing.

    Args:
        lines: each of shape (M, 2).
        change: which of its strokes is changed, and how.
        amount: of ink added, cut or moved, in units of the drawing.

    Returns:
        The lines of the changed drawing; None where so much cannot be cut.
    """
    kind, stroke, place, direction = change
    line = lines[stroke]
    along = distances_along(line)
    length = along[-1]
    step = amount * _DIRECTIONS[direction]
    if kind == "bar":
        middle = between(line, place, place)[0]
        return [*lines, np.stack([middle - step / 2, middle + step / 2])]
    if kind == "cut":
        if amount >= length:
            return None
        share = amount / length
        line = between(line, share, 1.0) if place == 0 else between(line, 0.0, 1.0 - share)
    elif kind == "add":
        line = np.concatenate([[line[0] + step], line] if place == 0 else [line, [line[-1] + step]])
    else:
        from_end = along if place == 0 else length - along
        tail = _TAIL * length
        follows = (1 - from_end / tail).clip(0) if tail > 0 else np.ones(len(line))
        line = line + follows[:, None] * step
    changed = [*lines[:stroke], line, *lines[stroke + 1 :]]
    return None if is_dot(changed) else changed
