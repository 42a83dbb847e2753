"""Photos and scans become what MNIST would have made of their digit."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vaegmm.mnist_form import BOX
from vaegmm.photo import digit_from_image, open_picture
from vaegmm.preprocess import digit_from_strokes

SEVEN = [[[0.2, 0.2], [0.5, 0.18], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]]]
FOUR = [[[0.3, 0.1], [0.2, 0.5], [0.8, 0.5]], [[0.6, 0.2], [0.6, 0.9]]]


def box_of(image: np.ndarray) -> tuple[int, int]:
    """Height and width of what is inked."""
    rows, columns = np.nonzero(image > 60)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def photo(strokes=SEVEN, side=300, width=24, ink=30, paper=220, light=0.0, noise=0.0, seed=0):
    """Paper with a digit on it, lit from the left."""
    picture = Image.new("L", (side, side), paper)
    pen = ImageDraw.Draw(picture)
    for line in strokes:
        pen.line([(x * side, y * side) for x, y in line], fill=ink, width=width, joint="curve")
    pixels = np.asarray(picture, dtype=float)
    pixels = pixels * (1 - light * np.linspace(0, 1, side))
    pixels += np.random.default_rng(seed).normal(scale=max(noise, 1e-9), size=pixels.shape)
    return pixels.clip(0, 255).astype(np.uint8)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two images."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ink": 220, "paper": 20},
        {"side": 60, "width": 5},
        {"side": 1500, "width": 60},
        {"width": 50},
        {"width": 8},
        {"light": 0.6},
        {"noise": 8.0},
        {"light": 0.5, "noise": 5.0, "ink": 90},
        {"ink": 150, "paper": 200},
    ],
    ids=str,
)
def test_a_photo_gives_what_the_strokes_give(changes):
    found = digit_from_image(photo(**changes))
    assert likeness(found, digit_from_strokes(SEVEN)) > 0.88
    assert BOX - 2 <= max(box_of(found)) <= BOX + 2


def test_colours_transparency_and_deep_grey_are_read_alike():
    grey = photo()
    expected = digit_from_image(grey)
    alpha = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    alpha.putalpha(Image.fromarray(255 - grey))
    alike = [
        Image.fromarray(np.stack([grey] * 3, -1)),
        Image.fromarray(grey).convert("P"),
        Image.fromarray(grey.astype(np.uint16) * 257),
        alpha,
        grey / 255,
    ]
    for picture in alike:
        assert likeness(digit_from_image(picture), expected) > 0.99


def test_specks_and_the_edge_of_the_table_are_left_out():
    picture = photo()
    picture[:, :12] = 20  # the table beside the paper
    picture[280:284, 280:284] = 30
    assert likeness(digit_from_image(picture), digit_from_image(photo())) > 0.99


def test_a_digit_that_touches_the_edge_is_kept():
    crop = photo()[45:275, 50:250]
    assert likeness(digit_from_image(crop), digit_from_image(photo())) > 0.95


def test_an_image_of_mnists_own_form_stays_nearly_as_it_is():
    image = digit_from_strokes(FOUR)
    assert likeness(digit_from_image(image), image) > 0.93


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.full((50, 50), 200, np.uint8), "without visible ink"),
        (photo(strokes=[], noise=3.0), "without visible ink"),
        (np.zeros((2, 2), np.uint8), "at least 4×4"),
        (np.zeros((3, 3, 3, 3), np.uint8), "must have shape"),
        (np.zeros((0, 5), np.uint8), "must have shape"),
        (np.full((9, 9), np.nan), "NaN"),
        (np.broadcast_to(np.uint8(0), (5000, 5000)), "megapixels"),
    ],
)
def test_what_is_no_picture_of_a_digit_is_refused(picture, message):
    with pytest.raises(ValueError, match=message):
        digit_from_image(picture)


def test_an_image_file_is_opened_upright():
    picture = Image.fromarray(photo())
    exif = picture.getexif()
    exif[0x0112] = 6  # the camera lay on its side
    file = io.BytesIO()
    picture.rotate(90).save(file, "png", exif=exif)
    assert likeness(np.asarray(open_picture(file)), np.asarray(picture)) > 0.99


def test_large_and_broken_files_are_refused_before_they_are_decoded(tmp_path):
    wide = io.BytesIO()
    Image.new("1", (30_000, 1000)).save(wide, "png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=r"at most 20 megapixels; got 30000×1000"):
            open_picture(wide)
    with pytest.raises(ValueError, match="at most 10 MB; got 12"):
        open_picture(io.BytesIO(bytes(12_000_000)))
    with pytest.raises(ValueError, match="no readable image"):
        open_picture(io.BytesIO(b"GIF89a"))
    with pytest.raises(ValueError, match="no readable image"):
        open_picture(tmp_path / "nowhere.png")
