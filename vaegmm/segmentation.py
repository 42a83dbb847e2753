"""Several digits in a row, drawn in strokes: where one ends and the next begins, and what they are.

Strokes are cut at their corners into pieces. Pieces side by side make up candidates for a digit,
all of which the model looks at once; the row of candidates that explains the drawing best is found
by dynamic programming.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from vaegmm.errors import InputError
from vaegmm.model import VAEGMM
from vaegmm.preprocess import (
    MOST_DIGITS,
    Stroke,
    as_lines,
    distances_along,
    is_dot,
    render_strokes,
    split_digits,
)
from vaegmm.reading import Reading, read_strokes

# In units of the highest stroke's height:
_WINDOW = 0.08  # of a stroke, before and behind a point, between which it may turn
_FORWARD = 0.15  # to the right, of a piece that leads from one digit to the next
_SHORTEST = 0.15  # of a piece that a stroke is cut into
_WIDEST = 1.5  # candidate of more than one piece; digits of pen_digits_dev: 0.5 to 0.8, 1.6 at most
_FURTHEST = 0.5  # gap, and overlap, that makes a difference

_SHARPEST = 0.64  # cosine of a turn that is no corner: 50 degrees
_STRAIGHT = 0.7  # distance of such a piece's ends over its length
_MOST_PIECES = 6  # of one digit
_MOST_CANDIDATES = 200  # of more, the drawing is no number: gaps alone part it
_LEAST_TYPICALITY = 1e-3

# What a row scores is a sum over its digits, and over what is left out between two of them; the
# weights make the right row of numbers put together from pen_digits_dev as probable as possible
# (benchmarks/segmentation.py --fit).
#: Of a digit: each; log typicality; log p(label); its height and how much wider than high it is;
#: ends at which a stroke was cut; the gap before it, and the overlap.
DIGIT_WEIGHTS = (-4.25, 0.47, 0.26, 7.83, -8.28, -1.53, 11.19, -2.04)
#: Of a piece that leads from one digit to the next: each; its length.
LINK_WEIGHTS = (-1.91, 3.68)


NONE = -1  # no link is left out


class Piece(NamedTuple):
    """A part of a stroke: its points from `first` to `last`, both included."""

    stroke: int
    first: int
    last: int


class Candidates(NamedTuple):
    """What a drawing may be made of.

    Attributes:
        lines: the strokes, each of shape (M, 2); dots are left out.
        pieces: of the strokes, from left to right, P of them.
        links: pieces that may lead from one digit to the next, rising, shape (L,).
        spans: of each candidate for a digit the first and the last piece, and a link between them
            that it leaves out or NONE, shape (C, 3), rising.
    """

    lines: list[np.ndarray]
    pieces: list[Piece]
    links: np.ndarray
    spans: np.ndarray


def read_number(model: VAEGMM, strokes: Sequence[Stroke]) -> list[Reading]:
    """Let a model with names read digits that are drawn side by side, from left to right.

    Raises:
        ValueError: if the strokes are no drawing, or make up more than 12 digits.
    """
    return [read_strokes(model, digit) for digit in split_number(model, strokes)]


def split_number(model: VAEGMM, strokes: Sequence[Stroke]) -> list[list[Stroke]]:
    """Part the strokes of several digits in a row where that explains them best.

    Returns:
        The strokes of each digit, from left to right. What only leads from one digit to the next
        without lifting the pen is in none of them.

    Raises:
        ValueError: if the strokes are no drawing, or make up more than 12 digits.
    """
    found = find_candidates(strokes)
    if found is None:
        return split_digits(strokes)
    digit_features, link_features = describe(model, found)
    chosen = best_row(
        found, digit_features @ np.array(DIGIT_WEIGHTS), link_features @ np.array(LINK_WEIGHTS)
    )
    if len(chosen) > MOST_DIGITS:
        raise InputError(
            f"strokes must make up at most {MOST_DIGITS} digits; got {len(chosen)} side by side.",
            reason="many digits",
            most=MOST_DIGITS,
        )
    return [
        [line.tolist() for line in strokes_of(found, found.spans[candidate])]
        for candidate in chosen
    ]


def find_candidates(strokes: Iterable[Stroke]) -> Candidates | None:
    """Cut strokes into pieces, and put pieces side by side together.

    Returns:
        The candidates, or None where there are too many of them, or nothing but dots.
    """
    lines = [line for line in as_lines(strokes) if not is_dot([line])]
    if not lines:
        return None
    unit = _unit(lines)
    pieces = [piece for n, line in enumerate(lines) for piece in _cut(n, line, unit)]
    boxes = np.array([_box(lines[n][first : last + 1]) for n, first, last in pieces])
    order = np.argsort(boxes[:, 0] + boxes[:, 2], kind="stable")
    pieces, boxes = [pieces[i] for i in order], boxes[order]
    links = [i for i, piece in enumerate(pieces) if _is_link(lines[piece.stroke], piece, unit)]
    spans = []
    for first in range(len(pieces)):
        left, right = np.inf, -np.inf
        for last in range(first, len(pieces)):
            left, right = min(left, boxes[last, 0]), max(right, boxes[last, 2])
            is_wide = right - left > _WIDEST * unit
            if last > first and (is_wide or last - first >= _MOST_PIECES):
                break
            spans.append((first, last, NONE))
            spans += [(first, last, link) for link in links if first < link < last]
        if len(spans) > _MOST_CANDIDATES:
            return None
    return Candidates(lines, pieces, np.array(links, dtype=int), np.array(spans))


def _is_link(line: np.ndarray, piece: Piece, unit: float) -> bool:
    """Say whether a piece leads on to the right, nearly straight, within its stroke."""
    if piece.first == 0 or piece.last == len(line) - 1:
        return False
    way = line[piece.last] - line[piece.first]
    length = distances_along(line[piece.first : piece.last + 1])[-1]
    return bool(way[0] > _FORWARD * unit and np.linalg.norm(way) > _STRAIGHT * length)


def describe(model: VAEGMM, found: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """Measure all that a row's score is made of.

    Returns:
        Of each candidate for a digit, shape (C, 8), and of each link, shape (L, 2): what
        DIGIT_WEIGHTS and LINK_WEIGHTS weigh.
    """
    lines, pieces, links, spans = found
    unit = _unit(lines)
    drawings: list[Any] = [strokes_of(found, span) for span in spans]
    inference = model.infer(render_strokes(drawings))
    boxes = np.array([_box(np.concatenate(drawing)) for drawing in drawings])
    width, height = ((boxes[:, 2:] - boxes[:, :2]) / unit).T
    n_cuts = [
        sum(
            (first > 0) + (last < len(lines[n]) - 1)
            for n, first, last in _whole_pieces(found, span)
        )
        for span in spans
    ]
    gap = _gaps(found, unit)[spans[:, 0]]
    digits = np.stack(
        [
            np.ones(len(spans)),
            np.log(inference.typicality + _LEAST_TYPICALITY),
            np.log(inference.label_probabilities.max(1)),
            np.minimum(height, 1),
            np.maximum(width - height, 0),
            n_cuts,
            gap.clip(0, _FURTHEST),
            (-gap).clip(0, _FURTHEST),
        ],
        axis=1,
    )
    lengths = [
        distances_along(lines[n][first : last + 1])[-1] / unit
        for n, first, last in (pieces[link] for link in links)
    ]
    return digits, np.stack([np.ones(len(links)), np.array(lengths)], axis=1)


def best_row(found: Candidates, digits: np.ndarray, links: np.ndarray) -> list[int]:
    """Return the candidates, from left to right, with the highest sum of scores.

    Every piece belongs to one digit, or is a link between two.

    Args:
        found: the candidates.
        digits: a score for each candidate, shape (C,).
        links: a score for each link, shape (L,).
    """
    n_pieces = len(found.pieces)
    best = np.full(n_pieces + 1, -np.inf)
    best[0] = 0
    came = np.full((n_pieces + 1, 2), -1)  # from which piece, by which candidate
    of_link = dict(zip(found.links.tolist(), links.tolist(), strict=True))
    at = 0
    for first in range(n_pieces):
        # A row begins and ends with a digit: what is left out lies between two.
        if first > 0 and first in of_link and best[first] + of_link[first] > best[first + 1]:
            best[first + 1] = best[first] + of_link[first]
            came[first + 1] = first, -1
        while at < len(found.spans) and found.spans[at, 0] == first:
            _, last, left_out = found.spans[at]
            end, score = last + 1, digits[at] + of_link.get(left_out, 0)
            if best[first] + score > best[end]:
                best[end] = best[first] + score
                came[end] = first, at
            at += 1
    row: list[int] = []
    piece = n_pieces
    while piece > 0:
        piece, candidate = came[piece]
        if candidate >= 0:
            row.append(int(candidate))
    return row[::-1]


def strokes_of(found: Candidates, span: np.ndarray) -> list[np.ndarray]:
    """Return the strokes of a candidate, each of shape (M, 2), in the order they were drawn in."""
    pieces = _whole_pieces(found, span)
    return [found.lines[n][first : last + 1] for n, first, last in pieces]


def _whole_pieces(found: Candidates, span: np.ndarray) -> list[Piece]:
    """Return the pieces of a candidate; those that follow each other in a stroke are one."""
    first, last, left_out = span
    joined: list[Piece] = []
    for piece in sorted(found.pieces[i] for i in range(first, last + 1) if i != left_out):
        if joined and joined[-1].stroke == piece.stroke and joined[-1].last == piece.first:
            joined[-1] = joined[-1]._replace(last=piece.last)
        else:
            joined.append(piece)
    return joined


def _unit(lines: list[np.ndarray]) -> float:
    """Return the height of the highest stroke, or the width of the widest where all lie flat."""
    width, height = np.max([np.ptp(line, axis=0) for line in lines], axis=0)
    return float(height) if height > 0.1 * width else float(width)


def _box(points: np.ndarray) -> np.ndarray:
    """Return left, top, right and bottom of points."""
    return np.concatenate([points.min(0), points.max(0)])


def _gaps(found: Candidates, unit: float) -> np.ndarray:
    """Return how far what lies from each piece on is behind what lies before it, shape (P,).

    Overlaps are negative; before the first piece there is nothing, and no gap.
    """
    boxes = np.array([_box(found.lines[n][first : last + 1]) for n, first, last in found.pieces])
    left = np.minimum.accumulate(boxes[::-1, 0])[::-1]
    right = np.maximum.accumulate(boxes[:, 2])
    return np.append(0.0, (left[1:] - right[:-1]) / unit)


def _cut(stroke: int, line: np.ndarray, unit: float) -> list[Piece]:
    """Cut a stroke where it turns most, so that no piece is too short."""
    along = distances_along(line)
    window, shortest = _WINDOW * unit, _SHORTEST * unit
    before, behind = (
        np.stack([np.interp(along + step, along, line[:, axis]) for axis in (0, 1)], axis=1) - line
        for step in (-window, window)
    )
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(behind, axis=1)
    cosine = -(before * behind).sum(1) / np.where(lengths > 0, lengths, 1)
    is_inside = (along >= shortest) & (along <= along[-1] - shortest)
    cosine[~is_inside | (lengths == 0)] = 1
    cuts: list[int] = []
    for point in np.argsort(cosine, kind="stable"):
        if cosine[point] >= _SHARPEST:
            break
        if all(abs(along[point] - along[cut]) >= shortest for cut in cuts):
            cuts.append(int(point))
    ends = [0, *sorted(cuts), len(line) - 1]
    return [Piece(stroke, first, last) for first, last in pairwise(ends)]
