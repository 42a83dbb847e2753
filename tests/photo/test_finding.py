"""Sheets, ink and digits are found on photos of all kinds, and cut out as MNIST would have them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from synthetic_photos import KINDS, still, take

from vaegmm.photo import Box, cut, digit_from_image, find_digits, find_ink, in_reading_order
from vaegmm.photo.picture import as_grey
from vaegmm.photo.sheet import find_sheet
from vaegmm.preprocess import digit_from_strokes

SEVEN = [[[0.2, 0.2], [0.5, 0.18], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]]]
FOUR = [[[0.3, 0.1], [0.2, 0.5], [0.8, 0.5]], [[0.6, 0.2], [0.6, 0.9]]]
DIGITS = np.stack([digit_from_strokes(strokes) for strokes in (SEVEN, FOUR, FOUR, SEVEN)])


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two images."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("name", KINDS)
def test_every_digit_of_a_photo_is_found_and_cut_out(name):
    kind = still(KINDS[name])
    digits = DIGITS[: kind.n_digits]
    photo = take(kind, digits, np.random.default_rng(1))
    ink = find_ink(photo)
    boxes = find_digits(ink)
    assert len(boxes) == kind.n_digits
    for box, digit in zip(boxes, digits, strict=True):
        image = cut(ink.strength, box)
        assert image.shape == (28, 28)
        assert likeness(image, np.rot90(digit, kind.quarter_turns)) > 0.6
    assert (ink.sheet is None) == (kind.table is None)
    if kind.n_digits == 1:
        assert likeness(digit_from_image(photo), cut(ink.strength, boxes[0])) > 0.9


def on_table(corners, size=(300, 220), sheet=210, table=60):
    picture = Image.new("L", size, table)
    ImageDraw.Draw(picture).polygon(corners, fill=sheet)
    return picture


def test_a_sheet_is_found_with_its_corners_and_its_angle():
    corners = [(60, 30), (260, 50), (240, 190), (40, 170)]
    picture = on_table(corners)
    sheet = find_sheet(as_grey(picture))
    assert sheet is not None
    np.testing.assert_allclose(sheet.corners, corners, atol=4)
    assert np.degrees(sheet.angle) == pytest.approx(5.7, abs=1.5)
    covered = sheet.covers((220, 300))
    assert covered[110, 150]
    assert not covered[110, 20]
    # Upright whichever corner is called the first: turned by a little more or less than a quarter.
    turned = find_sheet(as_grey(picture.rotate(90, expand=True)))
    assert turned is not None
    assert abs(np.degrees(turned.angle)) < 45


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (300, 0), (300, 220), (0, 220)],  # it fills the picture
        [(0, 0), (150, 0), (150, 220), (0, 220)],  # as the lit half of one does
        [(150, 20), (180, 190), (120, 190)],  # three corners
        [(150, 100), (160, 100), (160, 110), (150, 110)],  # a crumb
    ],
)
def test_what_is_no_sheet_on_a_table_is_none(corners):
    assert find_sheet(as_grey(on_table(corners))) is None


def test_an_empty_sheet_on_a_table_shows_nothing():
    picture = on_table([(60, 30), (260, 50), (240, 190), (40, 170)])
    for find in (find_ink, digit_from_image):
        with pytest.raises(ValueError, match="without visible ink"):
            find(picture)


def test_a_digit_in_two_pieces_is_one_and_dirt_is_none():
    picture = Image.new("L", (400, 300), 230)
    pen = ImageDraw.Draw(picture)
    pen.line([(60, 80), (130, 80)], fill=30, width=12)  # the bar of a 5, apart from it
    pen.line([(60, 98), (60, 150), (120, 160), (110, 210), (60, 215)], fill=30, width=12)
    pen.line([(250, 80), (250, 215)], fill=30, width=12)
    pen.ellipse((330, 250, 334, 254), fill=30)
    first, second = find_digits(find_ink(picture))
    assert first.x == pytest.approx(94, abs=6)
    assert first.height == pytest.approx(215 - 74 + 2 * 0.12 * 145, abs=12)
    assert second.x == pytest.approx(250, abs=3)


def test_boxes_are_read_line_by_line():
    rng = np.random.default_rng(0)
    lines = [
        [Box(40 * i, 100 * line + rng.uniform(-12, 12), 30, 40) for i in range(5)]
        for line in (0, 1)
    ]
    boxes = [box for line in lines for box in line]
    shuffled = [boxes[i] for i in rng.permutation(10)]
    assert in_reading_order(shuffled) == boxes
    assert in_reading_order([]) == []
    # On its side, each line goes down, and the second one lies to the left.
    turned = [Box(-box.y, box.x, 40, 30, np.pi / 2) for box in boxes]
    assert in_reading_order([turned[i] for i in rng.permutation(10)]) == turned


def test_a_turned_box_cuts_out_a_turned_image():
    ink = find_ink(take(still(KINDS["sheet only"]), DIGITS[:1], np.random.default_rng(0)))
    (box,) = find_digits(ink)
    upright = cut(ink.strength, box).astype(int)
    for turn in (1, 2, 3):
        width, height = (box.height, box.width) if turn % 2 else (box.width, box.height)
        other = cut(ink.strength, box._replace(width=width, height=height, angle=turn * np.pi / 2))
        assert likeness(other, np.rot90(upright, turn)) > 0.97


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (Box(20, 20, 30, 30), "without ink"),
        (Box(-500, 20, 30, 30), "without ink"),
        (Box(20, 20, 0, 30), "must have an extent"),
        (Box(float("nan"), 20, 30, 30), "must have an extent"),
    ],
)
def test_a_box_without_a_digit_is_refused(box, message):
    ink = find_ink(take(still(KINDS["sheet only"]), DIGITS[:1], np.random.default_rng(0)))
    with pytest.raises(ValueError, match=message):
        cut(ink.strength, box)
