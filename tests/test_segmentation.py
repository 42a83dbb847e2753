"""Where one digit of a number ends and the next begins."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import vaegmm
from vaegmm import VAEGMM
from vaegmm.reading import read_strokes
from vaegmm.segmentation import (
    DIGIT_WEIGHTS,
    LINK_WEIGHTS,
    best_row,
    describe,
    find_candidates,
    read_number,
    split_number,
)

ROOT = Path(vaegmm.__file__).parents[1]


@pytest.fixture(scope="module")
def shipped() -> VAEGMM:
    return vaegmm.load(ROOT / "checkpoints" / "mnist.safetensors", "cpu")


def line(*corners: tuple[float, float]) -> np.ndarray:
    """A stroke through corners, as dense as a pad's."""
    parts = [np.linspace(start, end, 12, endpoint=False) for start, end in pairwise(corners)]
    return np.concatenate([*parts, [corners[-1]]])


ONE = [line((0.1, 0.0), (0.0, 1.0))]
SEVEN = [line((0.0, 0.05), (0.55, 0.0), (0.3, 0.45), (0.2, 1.0))]
FOUR = [line((0.25, 0.0), (0.0, 0.6), (0.6, 0.55)), line((0.45, 0.3), (0.4, 1.0))]
TWO = [line((0.0, 0.25), (0.1, 0.05), (0.35, 0.0), (0.5, 0.2), (0.4, 0.5), (0.0, 1.0), (0.6, 0.95))]


def beside(*digits: list[np.ndarray], gap: float) -> list[list[list[float]]]:
    """Digits in a row, so far apart."""
    row, right = [], 0.0
    for digit in digits:
        left = right + gap
        row += [(stroke + np.array([left, 0.0])).tolist() for stroke in digit]
        right = left + max(stroke[:, 0].max() for stroke in digit)
    return row


@pytest.mark.parametrize("gap", [0.3, 0.05, -0.1])
def test_digits_apart_and_overlapping_are_parted(shipped: VAEGMM, gap: float) -> None:
    row = beside(FOUR, SEVEN, TWO, gap=gap)
    digits = split_number(shipped, row)
    assert digits == [row[:2], row[2:3], row[3:]]
    assert [reading.label for reading in read_number(shipped, row)] == [4, 7, 2]


def test_a_pen_that_was_not_lifted_is_cut_and_its_way_left_out(shipped: VAEGMM) -> None:
    seven = np.array(beside(ONE, SEVEN, gap=0.35)[1])
    joined = np.concatenate([line((0.2, 1.0), *seven[:1]), seven[1:]])
    row = [np.concatenate([SEVEN[0], joined]).tolist()]
    digits = split_number(shipped, row)
    assert len(digits) == 2
    assert [read_strokes(shipped, digit).label for digit in digits] == [7, 7]
    drawn = sum(len(stroke) for digit in digits for stroke in digit)
    assert drawn < len(row[0]), "the way between the two belongs to neither"


def test_one_digit_stays_one(shipped: VAEGMM) -> None:
    for digit in (ONE, SEVEN, FOUR, TWO):
        strokes = [stroke.tolist() for stroke in digit]
        assert split_number(shipped, strokes) == [strokes]
        (reading,) = read_number(shipped, strokes)
        np.testing.assert_array_equal(
            reading.probabilities, read_strokes(shipped, strokes).probabilities
        )


def test_the_order_of_strokes_and_dots_make_no_difference(shipped: VAEGMM) -> None:
    row = beside(SEVEN, TWO, ONE, gap=0.2)
    assert split_number(shipped, [row[2], [[0.3, 0.5]], row[0], [], row[1]]) == [[s] for s in row]


def test_the_best_row_is_the_best_of_all_rows(small_model: VAEGMM) -> None:
    seven = np.array(beside(ONE, SEVEN, gap=0.4)[1])
    found = find_candidates([np.concatenate([SEVEN[0], seven]), *FOUR])
    assert found is not None
    assert len(found.links), "the way from one seven to the other may be left out"
    digits, links = describe(small_model, found)
    assert digits.shape == (len(found.spans), len(DIGIT_WEIGHTS))
    assert links.shape == (len(found.links), len(LINK_WEIGHTS))
    rng = np.random.default_rng(0)
    of_link = dict(zip(found.links.tolist(), range(len(links)), strict=True))

    def rows(first: int) -> list[tuple[float, list[int]]]:
        """Every row of what lies from a piece on, with its score."""
        if first == len(found.pieces):
            return [(0.0, [])]
        every = []
        if first > 0 and first in of_link:
            every += [(link_scores[of_link[first]] + s, row) for s, row in rows(first + 1)]
        for i, (start, last, out) in enumerate(found.spans):
            if start == first:
                own = scores[i] + (link_scores[of_link[int(out)]] if out >= 0 else 0)
                every += [(own + s, [i, *row]) for s, row in rows(last + 1)]
        return every

    for _ in range(5):
        scores, link_scores = rng.normal(size=len(digits)), rng.normal(size=len(links))
        assert best_row(found, scores, link_scores) == max(rows(0))[1]


def test_what_is_no_number_is_parted_by_gaps_or_refused(small_model: VAEGMM) -> None:
    with pytest.raises(ValueError, match="blank drawing"):
        split_number_and_read(small_model, [])
    with pytest.raises(ValueError, match="more than a dot"):
        split_number_and_read(small_model, [[[0.5, 0.5]]])
    scribble = [np.random.default_rng(0).random((400, 2)).tolist() for _ in range(6)]
    assert find_candidates(scribble) is None
    assert len(split_number(small_model, scribble)) == 1
    many = beside(*[ONE] * 40, gap=0.6)
    with pytest.raises(ValueError, match="at most 12 digits"):
        split_number(small_model, many)


def split_number_and_read(model: VAEGMM, strokes: list) -> list:
    return [read_strokes(model, digit) for digit in split_number(model, strokes)] or [
        read_strokes(model, strokes)
    ]
