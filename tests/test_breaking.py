"""The smallest change of a drawing that changes its answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vaegmm
from vaegmm.breaking import SIZES, Change, apply_change, break_drawing, changes_of
from vaegmm.preprocess import distances_along
from vaegmm.reading import read_strokes

ROOT = Path(vaegmm.__file__).parents[1]
FOUR = [[[0.5, 0.1], [0.2, 0.55], [0.75, 0.55]], [[0.55, 0.35], [0.5, 0.9]]]
LINES = [np.array(stroke) for stroke in FOUR]


def length(lines: list[np.ndarray]) -> float:
    return sum(distances_along(line)[-1] for line in lines)


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_changes_are_as_large_as_they_say(end: float) -> None:
    cut = apply_change(LINES, Change("cut", 0, end, 0), 0.1)
    assert cut is not None
    assert length(cut) == pytest.approx(length(LINES) - 0.1)
    at = -1 if end else 0
    for direction in range(8):
        added = apply_change(LINES, Change("add", 1, end, direction), 0.1)
        assert added is not None
        assert length(added) == pytest.approx(length(LINES) + 0.1)
        moved = apply_change(LINES, Change("move", 1, end, direction), 0.1)
        assert moved is not None
        step = moved[1][at] - LINES[1][at]
        assert np.linalg.norm(step) == pytest.approx(0.1)
        np.testing.assert_allclose(step, added[1][at] - LINES[1][at])
        np.testing.assert_array_equal(moved[1][-1 - at], LINES[1][-1 - at])
        np.testing.assert_array_equal(moved[0], LINES[0])
    bar = apply_change(LINES, Change("bar", 0, 0.5, 2), 0.1)
    assert bar is not None
    assert len(bar) == 3
    np.testing.assert_allclose(bar[2][1] - bar[2][0], [0, 0.1])


def test_nothing_is_cut_away_whole() -> None:
    short = [LINES[0], np.array([[0.0, 0.0], [0.05, 0.0]])]
    assert apply_change(short, Change("cut", 1, 0.0, 0), 0.06) is None
    assert (
        apply_change([np.array([[0.0, 0.0], [0.1, 0.0]])], Change("cut", 0, 1.0, 0), 0.09) is None
    )


def test_ends_of_the_longest_strokes_are_changed() -> None:
    dots = [np.array([[x, 0.0], [x, 0.03]]) for x in (0.1, 0.2)]
    changes = changes_of([dots[0], *LINES, dots[1]])
    assert {change.stroke for change in changes} == {0, 1, 2}
    assert {change.kind for change in changes} == {"cut", "move", "add", "bar"}
    assert len(set(changes)) == len(changes)


def test_a_drawing_is_broken_by_what_was_found() -> None:
    model = vaegmm.load(ROOT / "checkpoints" / "mnist.safetensors", "cpu")
    found = break_drawing(model, FOUR)
    assert found is not None
    assert found.before.label == read_strokes(model, FOUR).label
    again = read_strokes(model, found.strokes)
    assert again.label == found.after.label != found.before.label
    np.testing.assert_allclose(again.probabilities, found.after.probabilities)
    assert not found.after.is_strange
    assert 0 < found.size <= SIZES[-1]
    changed = apply_change(LINES, found.change, found.size * 0.8)  # 0.8: its longer side
    assert [line.tolist() for line in changed or []] == found.strokes
    less = apply_change(LINES, found.change, (found.size - SIZES[0] / 8) * 0.8)
    assert less is not None
    assert read_strokes(model, [line.tolist() for line in less]).label == found.before.label


def test_what_is_no_drawing_is_refused(small_model: vaegmm.VAEGMM) -> None:
    with pytest.raises(ValueError, match="more than a dot"):
        break_drawing(small_model, [[[0.5, 0.5]]])
