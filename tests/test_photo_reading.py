"""Photos are read box by box, and what lies on its side is said to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from synthetic_photos import KINDS, still, take

from vaegmm import load
from vaegmm.photo import Box, cut, find_ink
from vaegmm.photo_reading import read_photo, turned
from vaegmm.preprocess import digit_from_strokes

SHIPPED = Path(__file__).resolve().parents[1] / "checkpoints/mnist.safetensors"
SEVEN = [[[0.2, 0.2], [0.5, 0.18], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]]]
FOUR = [[[0.3, 0.1], [0.2, 0.5], [0.8, 0.5]], [[0.6, 0.2], [0.6, 0.9]]]
STAR = [[[0.1, 0.9], [0.5, 0.1], [0.9, 0.9], [0.05, 0.35], [0.95, 0.35], [0.1, 0.9]]]


def photo(name, *drawings, seed=0):
    digits = np.stack([digit_from_strokes(strokes) for strokes in drawings])
    return take(still(KINDS[name]), digits, np.random.default_rng(seed))


def test_several_digits_are_read_and_what_is_none_is_turned_away():
    model = load(SHIPPED)
    found = read_photo(model, photo("four, on a table", SEVEN, FOUR, STAR, SEVEN))
    assert [each.reading.label for each in found if each.verdict != "strange"] == [7, 4, 7]
    assert found[2].verdict == "strange"


def test_a_digit_on_its_side_is_never_sure_and_its_turn_is_offered():
    model = load(SHIPPED)
    picture = photo("lying on its side", SEVEN)
    (found,) = read_photo(model, picture)
    assert found.verdict != "sure"
    assert found.turn == 3  # the photo was turned to the left: three quarters more to the right
    assert found.turned is not None
    assert found.turned.label == 7
    after = cut(find_ink(picture).strength, turned(found.box, found.turn))
    assert model.predict(after)[0] == 7
    (upright,) = read_photo(model, photo("sheet only", SEVEN))
    assert (upright.turn, upright.turned, upright.verdict) == (0, None, "sure")


def test_a_box_is_turned_around_its_middle():
    box = Box(10, 20, 30, 40, 0.1)
    assert turned(box, 1) == Box(10, 20, 40, 30, 0.1 + np.pi / 2)
    assert turned(box, 2)[:4] == (10, 20, 30, 40)
