"""Strokes and pictures become what MNIST would have made of them."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from vaegmm.preprocess import (
    BOX,
    PEN_WIDTH,
    digit_from_strokes,
    partial_drawings,
    render_strokes,
    split_digits,
)

SEVEN = [[[0.2, 0.2], [0.5, 0.18], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]]]
FOUR = [[[0.3, 0.1], [0.2, 0.5], [0.8, 0.5]], [[0.6, 0.2], [0.6, 0.9]]]
DRAWINGS = {"seven": SEVEN, "four": FOUR, "one": [[[0.5, 0.1], [0.5, 0.9]]]}


def box_of(image: np.ndarray) -> tuple[int, int]:
    """Height and width of what is inked."""
    rows, columns = np.nonzero(image > 60)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def placed(strokes, scale=1.0, shift=(0.0, 0.0)):
    return [[[x * scale + shift[0], y * scale + shift[1]] for x, y in line] for line in strokes]


@pytest.mark.parametrize("strokes", DRAWINGS.values(), ids=DRAWINGS)
def test_strokes_fill_the_box_around_their_centre_of_mass(strokes):
    image = digit_from_strokes(strokes)
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image.max() == 255
    assert BOX - 2 <= max(box_of(image)) <= BOX + 1
    np.testing.assert_allclose(ndimage.center_of_mass(image), 13.5, atol=0.1)


def drawn_finely(strokes, pen_width=PEN_WIDTH, fine=32):
    """What Pillow draws with a pen of full ink at many times the resolution."""
    lines = [np.array(line) for line in strokes]
    low, high = np.concatenate(lines).min(0), np.concatenate(lines).max(0)
    scale = (BOX - pen_width) / (high - low).max()
    canvas = Image.new("L", (28 * fine, 28 * fine))
    pen = ImageDraw.Draw(canvas)
    width = pen_width * fine
    for line in lines:
        points = ((line - (low + high) / 2) * scale + 14) * fine
        pen.line([tuple(point) for point in points], fill=1, width=round(width))
        for x, y in points:
            pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=1)
    ink = np.asarray(canvas, float)
    offset = np.rint((28 * fine - 1) / 2 - np.array(ndimage.center_of_mass(ink))).astype(int)
    ink = np.roll(ink, offset, (0, 1)).reshape(28, fine, 28, fine).mean((1, 3))
    return ink / ink.max() * 255


@pytest.mark.parametrize("strokes", DRAWINGS.values(), ids=DRAWINGS)
@pytest.mark.parametrize("width", [1.6, PEN_WIDTH, 4.0])
def test_a_rendering_is_a_fine_drawing_with_softer_edges(strokes, width):
    rendered, drawn = digit_from_strokes(strokes, width), drawn_finely(strokes, width)
    inked = (rendered > 0) | (drawn > 0)
    assert np.abs(rendered - drawn)[inked].mean() < 16  # a fine drawing's edges fade over one pixel
    assert (rendered - drawn).mean() == pytest.approx(0, abs=2)


def test_drawings_are_rendered_at_once_as_one_by_one():
    drawings = [*DRAWINGS.values(), *partial_drawings(FOUR), placed(SEVEN, 100, (7, 7)), SEVEN[:1]]
    images = render_strokes(drawings)
    np.testing.assert_array_equal(images, [digit_from_strokes(strokes) for strokes in drawings])
    assert len({image.tobytes() for image in images}) == len(drawings) - 2  # three are a seven
    assert render_strokes([]).shape == (0, 28, 28)
    with pytest.raises(ValueError, match="more than a dot"):
        render_strokes([SEVEN, [[[0.5, 0.5]]]])


@pytest.mark.parametrize("strokes", DRAWINGS.values(), ids=DRAWINGS)
@pytest.mark.parametrize("scale", [0.2, 0.5, 1.5, 280])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.4, -0.3)])
def test_place_and_size_make_no_difference(strokes, scale, shift):
    moved = digit_from_strokes(placed(strokes, scale, shift)).astype(int)
    assert np.abs(moved - digit_from_strokes(strokes)).max() <= 1


def test_strokes_have_the_width_that_was_asked_for():
    line = [[[0.5, 0.1], [0.5, 0.9]]]
    for width in (1.6, 2.4, 4.0):
        middle = digit_from_strokes(line, pen_width=width)[14].astype(float) / 255
        if width > 2:
            assert middle.sum() == pytest.approx(width, abs=0.3)
        assert middle.sum() > 1.2


def test_the_order_and_direction_of_strokes_make_no_difference():
    one = digit_from_strokes(FOUR).astype(int)
    other = digit_from_strokes([line[::-1] for line in reversed(FOUR)]).astype(int)
    assert np.abs(one - other).max() <= 1


@pytest.mark.parametrize("end", [(0.3, 0.9), (0.9, 0.9), (0.5, 0.1 + 0.02), (0.5, 0.9)])
def test_two_points_are_a_straight_line(end):
    start = (0.3, 0.1) if end[0] != 0.5 else (0.5, 0.1)
    image = digit_from_strokes([[start, end]])
    points = np.linspace(start, end, 50)
    assert np.abs(image.astype(int) - digit_from_strokes([points.tolist()])).max() <= 1
    # Symmetrical about its middle.
    assert np.abs(image.astype(int) - image[::-1, ::-1]).max() <= 1
    assert max(box_of(image)) == pytest.approx(BOX, abs=1)


def test_ink_never_leaves_the_field():
    # The mass is at one end of a long line, and would take the other end out of the field.
    knot = np.random.default_rng(0).random((300, 2)) * [0.15, 1.0]
    image = digit_from_strokes([knot.tolist(), [[0.05, 0.5], [1.0, 0.5]]])
    assert ndimage.center_of_mass(image)[1] < 13
    assert 27 - np.nonzero(image.max(0) > 60)[0].max() <= 1
    assert image[:, 27].max() > 60


def test_empty_strokes_and_repeated_points_are_nothing():
    padded = [[], *SEVEN, [], [SEVEN[0][0]] * 5]
    np.testing.assert_array_equal(digit_from_strokes(padded), digit_from_strokes(SEVEN))


def test_repeated_points_of_a_line_change_nothing():
    repeated = [[point for point in SEVEN[0] for _ in range(3)]]
    np.testing.assert_array_equal(digit_from_strokes(repeated), digit_from_strokes(SEVEN))


def test_a_hundred_thousand_points_are_drawn_in_little_memory():
    angle = np.linspace(0, 40 * np.pi, 100_000)
    strokes = [np.stack([np.cos(angle), np.sin(angle)], 1)]
    tracemalloc.start()
    image = digit_from_strokes(strokes)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    few = digit_from_strokes([strokes[0][:5_001:10]])
    assert image[14, 14] == 0
    assert np.abs(image.astype(int) - few).max() <= 1


def test_long_lines_without_number_are_drawn_in_little_memory():
    corners = np.tile([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]], (2_500, 1))
    tracemalloc.start()
    image = digit_from_strokes([corners])
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    np.testing.assert_array_equal(image, digit_from_strokes([corners[:5]]))


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ([], "must not be empty"),
        ([[], []], "must not be empty"),
        ([[[0.5, 0.5]]], "more than a dot"),
        ([[[0.5, 0.5], [0.505, 0.5]]], "more than a dot"),
        ([[[0.1, float("nan")], [0.5, 0.5]]], "NaN, infinity"),
        ([[[0.1, 1e300], [0.5, 0.5]]], "far away"),
        ([[[0.1, 0.2, 0.3], [0.5, 0.5, 0.5]]], "got a stroke of shape"),
        ([[0.1, 0.2]], "got a stroke of shape"),
        ([["a", "b"]], "finite numbers"),
        ([[[0.1, 0.2], [0.3]]], "finite numbers"),
        (7, "finite numbers"),
        ([[[None, 1.0], [0.5, 0.5]]], "finite numbers|NaN"),
    ],
)
def test_what_is_no_drawing_is_refused(strokes, message):
    with pytest.raises(ValueError, match=message):
        digit_from_strokes(strokes)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two images."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


# Several digits in a row


def test_digits_in_a_row_are_parted_from_left_to_right():
    row = [*placed(SEVEN, shift=(2.0, 0.1)), *placed(FOUR), *placed(SEVEN, 0.7, (1.1, 0.0))]
    parted = split_digits(row)
    assert [len(digit) for digit in parted] == [2, 1, 1]
    expected = [digit_from_strokes(digit) for digit in (FOUR, SEVEN, SEVEN)]
    for digit, image in zip(parted, expected, strict=True):
        assert likeness(digit_from_strokes(digit), image) > 0.99


def test_a_bar_through_a_one_belongs_to_it():
    one, foot = [[0.5, 0.1], [0.5, 0.9]], [[0.3, 0.9], [0.7, 0.9]]
    assert len(split_digits([one, foot])) == 1
    assert len(split_digits([one, [[0.9, 0.1], [0.9, 0.9]]])) == 2
    assert split_digits([]) == []


def test_more_digits_than_a_row_holds_are_refused():
    dashes = [[[x, 0.1], [x, 0.9]] for x in np.linspace(0, 2, 13)]
    assert len(split_digits(dashes[:12])) == 12
    with pytest.raises(ValueError, match=r"at most 12 digits; got 13"):
        split_digits(dashes)


def test_more_points_than_a_hand_draws_are_refused():
    with pytest.raises(ValueError, match=r"at most 100,000"):
        digit_from_strokes([np.random.default_rng(0).random((100_001, 2)).tolist()])
