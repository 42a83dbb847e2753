"""Pen strokes or a picture → the 28×28 image that MNIST would have made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from vaegmm.errors import InputError
from vaegmm.mnist_form import BOX, PEN_WIDTH, SIDE
from vaegmm.photo import digit_from_image as digit_from_image  # part of what this module offers

MOST_POINTS = 100_000  # of a drawing
MOST_DIGITS = 12  # in a row

# Pixels from full ink to none. 1.0 to 1.2 read the drawings of half of pen_digits_dev's writers
# alike (0.941 to 0.942) and those of the others (0.896 to 0.898); 1.2 turns the fewest away.
_EDGE = 1.2
_SEGMENTS_AT_ONCE = 512  # each may touch every pixel of the field
_ENDS = (0.08, 0.16, 0.24, 0.32)  # shares of a stroke that may be a flag or a hook
_NEAR = 0.1  # of a stroke: behind a flag, how much of the rest tells where that goes
_ADDITION = 0.4  # of a drawing's length: a shorter stroke may be a bar or a foot
_TOGETHER = 0.25  # of the narrower of two strokes' width, shared by both: parts of one digit
_DOT = 0.12  # of a drawing's longer side: a smaller stroke is a dot
_APART = 0.08  # of a drawing's longer side: how far from all other strokes that lies
_EDGE_OF_PAD = 0.005  # of a pad's shorter side
_MOST_OFF = 0.05  # of a drawing's length that may lie on or behind the edge of its pad
_SMALLEST = 0.02  # of the pad: a drawing smaller than this is a dot

Stroke = Sequence[Sequence[float]]  # [[x, y], …]


def digit_from_strokes(strokes: Iterable[Stroke], pen_width: float = PEN_WIDTH) -> np.ndarray:
    """Draw pen strokes as MNIST would have them, whatever their place and size.

    The strokes are lines without width: the pen that they are drawn with here is always the same,
    whichever was chosen on the pad.

    Args:
        strokes: a list of [x, y] for each stroke, in any unit, y downwards.
        pen_width: in pixels of the result.

    Returns:
        White ink on black, shape (28, 28) uint8.

    Raises:
        ValueError: if there is nothing to see, or a point is no pair of finite numbers.
    """
    return render_strokes([strokes], pen_width)[0]


def render_strokes(
    drawings: Iterable[Iterable[Stroke]], pen_width: float = PEN_WIDTH
) -> np.ndarray:
    """Draw several drawings at once, each as `digit_from_strokes` does.

    The ink of a pixel depends on how far its centre is from the nearest line: 1 well within half a
    pen's width, 0 well beyond, linear between. A drawing is rendered in the middle of the field to
    find its centre of mass, then again, moved by the fraction of a pixel that brings that to the
    field's centre.

    Args:
        drawings: V lists of strokes.
        pen_width: in pixels of the result.

    Returns:
        White ink on black, shape (V, 28, 28) uint8.

    Raises:
        ValueError: if there is nothing to see in one of the drawings, or a point is no pair of
            finite numbers.
    """
    boxed = [_fit_box(as_lines(strokes), BOX - pen_width) for strokes in drawings]
    if not boxed:
        return np.zeros((0, SIDE, SIDE), np.uint8)
    drawing = np.repeat(np.arange(len(boxed)), [len(starts) for starts, _ in boxed])
    starts, ends = (np.concatenate(points) for points in zip(*boxed, strict=True))
    ink = _ink(starts, ends, drawing, len(boxed), pen_width)
    centres = np.arange(SIDE) + 0.5
    mass = np.stack([ink.sum(1) @ centres, ink.sum(2) @ centres], 1) / ink.sum((1, 2))[:, None]
    # Never so far that ink would leave the field.
    size = np.stack([np.ptp(starts, axis=0) for starts, _ in boxed])
    room = (SIDE - pen_width - size) / 2
    offset = (SIDE / 2 - mass).clip(-room, room)[drawing]
    ink = _ink(starts + offset, ends + offset, drawing, len(boxed), pen_width)
    return np.rint(ink / ink.max((1, 2), keepdims=True) * 255).astype(np.uint8)


def _fit_box(lines: list[np.ndarray], box: float) -> tuple[np.ndarray, np.ndarray]:
    """Scale lines to a box in the middle of the field and part them into segments.

    Args:
        lines: each of shape (M, 2).
        box: pixels of its side.

    Returns:
        Where each segment starts and where it ends, in pixels, both of shape (S, 2). Every point
        starts one; that of a line's last point is the point itself.
    """
    if not lines:
        raise InputError("strokes must not be empty; got a blank drawing.", reason="blank drawing")
    if is_dot(lines):
        raise InputError(
            "strokes must show more than a dot; got a drawing without extent.", reason="dot"
        )
    points = np.concatenate(lines)
    low, high, extent = _bounds(points)
    points = (points - (low + high) / 2) * (box / extent) + SIDE / 2
    following = np.arange(1, len(points) + 1)
    following[np.cumsum([len(line) for line in lines]) - 1] -= 1
    return points, points[following]


def is_dot(lines: Sequence[np.ndarray]) -> bool:
    """Say whether lines, one at least, each of shape (M, 2), are too small to be a drawing."""
    return _bounds(np.concatenate(lines))[2] < _SMALLEST


def _bounds(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the corners, shape (2,), of the box around points, and its longer side."""
    low, high = points.min(0), points.max(0)
    return low, high, float((high - low).max())


def _ink(
    starts: np.ndarray, ends: np.ndarray, drawing: np.ndarray, n_drawings: int, pen_width: float
) -> np.ndarray:
    """Return the ink of segments, in [0, 1], shape (n_drawings, 28, 28).

    Args:
        starts: x and y in pixels of the field, shape (S, 2).
        ends: likewise.
        drawing: which drawing a segment belongs to, shape (S,).
        n_drawings: V.
        pen_width: in pixels.
    """
    reach = (pen_width + _EDGE) / 2
    squared = np.full(n_drawings * SIDE * SIDE, np.inf)  # distance of each pixel to a segment
    for at in range(0, len(starts), _SEGMENTS_AT_ONCE):
        some = slice(at, at + _SEGMENTS_AT_ONCE)
        start, end = starts[some], ends[some]
        # The pixels with their centres in the box around a segment, its reach included: pairs of a
        # segment and a pixel, box after box, row after row.
        first = np.ceil(np.minimum(start, end) - reach - 0.5).clip(0).astype(int)
        last = np.floor(np.maximum(start, end) + reach - 0.5).clip(max=SIDE - 1).astype(int)
        width, height = (last - first + 1).clip(0).T
        n_pixels = width * height
        segment = np.repeat(np.arange(len(start)), n_pixels)
        place = np.arange(len(segment)) - (n_pixels.cumsum() - n_pixels)[segment]
        row, column = np.divmod(place, width[segment])
        row += first[segment, 1]
        column += first[segment, 0]
        step = end - start
        squared_length = (step * step).sum(1)
        squared_length[squared_length == 0] = 1
        x, y = column + 0.5 - start[segment, 0], row + 0.5 - start[segment, 1]
        step_x, step_y = step[segment].T
        share = ((x * step_x + y * step_y) / squared_length[segment]).clip(0, 1)
        x -= share * step_x
        y -= share * step_y
        pixel = (drawing[some][segment] * SIDE + row) * SIDE + column
        np.minimum.at(squared, pixel, x * x + y * y)
    ink = ((reach - np.sqrt(squared)) / _EDGE).clip(0, 1)
    return ink.reshape(n_drawings, SIDE, SIDE)


class Part(NamedTuple):
    """A drawing without something that many people add to a digit, and others don't."""

    strokes: list[Stroke]
    share: float  # of the stroke that was cut; 0 where a whole stroke was left out
    turn: float  # of a beginning: the cosine of the angle in which it goes over into the rest
    leftward: float  # of an end: how far it goes to the left, from -1 to 1


def partial_drawings(strokes: Iterable[Stroke]) -> list[list[Stroke]]:
    """Return the strokes of each of a drawing's parts, as `drawing_parts` finds them."""
    return [part.strokes for part in drawing_parts(strokes)]


def drawing_parts(strokes: Iterable[Stroke]) -> list[Part]:
    """Leave out, one at a time, what many people add to a digit and others don't.

    The flag of a 1 and the hook of a 9 are the beginning and the end of a stroke, the bar of a 7
    and the foot of a 1 a short stroke of their own.

    Returns:
        Each part of the drawing that is more than a dot; none where nothing can be left out.

    Raises:
        ValueError: if a point is no pair of finite numbers.
    """
    lines = as_lines(strokes)
    if not lines:
        return []
    lengths = np.array([distances_along(line)[-1] for line in lines])
    longest, shortest = int(lengths.argmax()), int(lengths.argmin())
    line, length = lines[longest], lengths[longest]
    parts: list[tuple[list[np.ndarray], float, float, float]] = []
    for share in _ENDS:
        places = np.array([share, share + _NEAR, 1 - share])
        cut, after, before = _points_along(line, places * length)
        turn = _cosine(cut - line[0], after - cut)
        leftward = _cosine(before - line[-1], np.array([1.0, 0.0]))
        kept = (share, 1.0, turn, 0.0), (0.0, 1.0 - share, 0.0, leftward)
        for start, end, turn_there, leftward_there in kept:
            rest = [*lines[:longest], between(line, start, end), *lines[longest + 1 :]]
            parts.append((rest, share, turn_there, leftward_there))
    if len(lines) > 1 and lengths[shortest] < _ADDITION * lengths.sum():
        parts.append(([*lines[:shortest], *lines[shortest + 1 :]], 0.0, 0.0, 0.0))
    return [
        Part([line.tolist() for line in rest], *about) for rest, *about in parts if not is_dot(rest)
    ]


def has_dot(strokes: Iterable[Stroke]) -> bool:
    """Whether a stroke is a dot beside the others: ?, !, i and j have one, digits have none."""
    lines = as_lines(strokes)
    if len(lines) < 2:
        return False
    extent = _bounds(np.concatenate(lines))[2]
    for n, line in enumerate(lines):
        low, high, size = _bounds(line)
        if size < _DOT * extent:
            others = [_nearest((low + high) / 2, other) for other in (*lines[:n], *lines[n + 1 :])]
            if min(others) > _APART * extent:
                return True
    return False


def runs_off(strokes: Iterable[Stroke], width: float, height: float) -> bool:
    """Whether a part of a drawing lies on or behind the edge of its pad.

    Args:
        strokes: with the origin in the pad's upper left corner.
        width: of the pad, in the strokes' unit.
        height: of the pad, likewise.
    """
    inside = total = 0.0
    edge = _EDGE_OF_PAD * min(width, height)
    for line in as_lines(strokes):
        middles = (line[:-1] + line[1:]) / 2
        steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
        is_inside = (middles > edge).all(1) & (middles < np.array([width, height]) - edge).all(1)
        inside += float(steps[is_inside].sum())
        total += float(steps.sum())
    return total - inside > _MOST_OFF * total


def _nearest(point: np.ndarray, line: np.ndarray) -> float:
    """Return how far a point is from a line."""
    start, step = line[:-1], np.diff(line, axis=0)
    if len(line) == 1:
        return float(np.linalg.norm(point - line[0]))
    squared = (step * step).sum(1)
    squared[squared == 0] = 1
    share = (((point - start) * step).sum(1) / squared).clip(0, 1)
    return float(np.linalg.norm(start + share[:, None] * step - point, axis=1).min())


def distances_along(line: np.ndarray) -> np.ndarray:
    """Return how far along a line each of its points lies, shape (M,)."""
    return np.append(0.0, np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum())


def between(line: np.ndarray, start: float, end: float) -> np.ndarray:
    """Return a line from one share of its length to another."""
    along = distances_along(line)
    low, high = start * along[-1], end * along[-1]
    kept = np.concatenate([[low], along[(along > low) & (along < high)], [high]])
    return _points_along(line, kept)


def _points_along(line: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Return the points that lie so far along a line, shape (S, 2)."""
    along = distances_along(line)
    return np.stack([np.interp(distances, along, line[:, axis]) for axis in (0, 1)], axis=1)


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Return the cosine of the angle between two vectors, 0 where one of them has no length."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths > 0 else 0.0


def split_digits(strokes: Iterable[Stroke]) -> list[list[Stroke]]:
    """Part the strokes of several digits in a row, from left to right.

    Strokes belong together where one stands above a good part of the other.

    Returns:
        The strokes of each digit.

    Raises:
        ValueError: if a point is no pair of finite numbers, or there are more than 12 digits.
    """
    lines = sorted(as_lines(strokes), key=lambda line: line[:, 0].min())
    digits: list[list[np.ndarray]] = []
    for line in lines:
        left, right = line[:, 0].min(), line[:, 0].max()
        if digits:
            before = np.concatenate(digits[-1])[:, 0]
            shared = min(right, before.max()) - max(left, before.min())
            narrower = min(right - left, float(np.ptp(before)))
            if shared > _TOGETHER * narrower or (shared >= 0 and narrower == 0):
                digits[-1].append(line)
                continue
        digits.append([line])
    if len(digits) > MOST_DIGITS:
        raise InputError(
            f"strokes must make up at most {MOST_DIGITS} digits; got {len(digits)} side by side.",
            reason="many digits",
            most=MOST_DIGITS,
        )
    return [[line.tolist() for line in digit] for digit in digits]


def as_lines(strokes: Any) -> list[np.ndarray]:
    """Check strokes; return those that have points, each of shape (M, 2)."""
    rule = "strokes must be lists of [x, y] with finite numbers"
    lines: list[np.ndarray] = []
    n_points = 0
    try:
        for stroke in strokes:
            line = np.asarray(stroke, dtype=np.float64)
            if line.size == 0:
                continue
            if line.ndim != 2 or line.shape[1] != 2:
                raise InputError(f"{rule}; got a stroke of shape {line.shape}.", reason="strokes")
            # A pad's unit is its side: what is a million pads away is no drawing.
            if not (np.abs(line) < 1e6).all():
                raise InputError(
                    f"{rule}; got NaN, infinity or a point far away.", reason="strokes"
                )
            lines.append(line)
            n_points += len(line)
            if n_points > MOST_POINTS:
                raise InputError(f"{rule}, at most {MOST_POINTS:,} of them.", reason="strokes")
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{rule}.", reason="strokes") from error
    return lines
