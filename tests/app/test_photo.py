"""What the page gets of a photo, whatever file it came in."""

from __future__ import annotations

import base64
import io
import zlib

import numpy as np
import pytest
from PIL import Image
from synthetic_photos import KINDS, still, take

from vaegmm.app.photo import _find
from vaegmm.photo import Box, cut, find_digits, find_ink
from vaegmm.preprocess import digit_from_strokes

SEVEN = [[[0.2, 0.2], [0.5, 0.18], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]]]
GREY = take(still(KINDS["sheet only"]), digit_from_strokes(SEVEN)[None], np.random.default_rng(0))


def light_on_nothing() -> Image.Image:
    picture = Image.new("RGBA", GREY.shape[::-1], (250, 250, 250, 0))
    picture.putalpha(Image.fromarray(((GREY < 100) * 255).astype(np.uint8)))
    return picture


def on_its_side() -> tuple[Image.Image, Image.Exif]:
    picture = Image.fromarray(GREY)
    exif = picture.getexif()
    exif[0x0112] = 6  # the camera lay on its side
    return picture.rotate(90, expand=True), exif


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(GREY),
        Image.fromarray(GREY).convert("RGB").convert("P"),
        Image.fromarray(GREY.astype(np.uint16) * 256),
        Image.fromarray(GREY > 100),
        light_on_nothing(),
        on_its_side(),
    ],
    ids=["grey", "palette", "16 bits", "black and white", "light and transparent", "EXIF"],
)
def test_a_page_gets_the_photo_its_ink_and_its_boxes(picture):
    exif = None
    if isinstance(picture, tuple):
        picture, exif = picture
    file = io.BytesIO()
    picture.save(file, "png", **({} if exif is None else {"exif": exif}))
    sent = _find(file.getvalue())
    shape = sent["height"], sent["width"]
    assert shape == GREY.shape
    strength = np.frombuffer(zlib.decompress(base64.b64decode(sent["ink"])), np.uint8)
    (box,) = sent["boxes"]
    image = cut(strength.reshape(shape), Box(**box))
    (expected,) = find_digits(find_ink(GREY))
    assert abs(box["x"] - expected.x) < 3
    upright = cut(find_ink(GREY).strength, expected)
    assert np.corrcoef(image.ravel(), upright.ravel())[0, 1] > 0.9
    shown = Image.open(io.BytesIO(base64.b64decode(sent["photo"].partition(",")[2])))
    assert shown.size == shape[::-1]
    # The digit is seen, whatever it was written on.
    inside = np.asarray(shown.convert("L"), float)[strength.reshape(shape) > 200]
    around = np.asarray(shown.convert("L"), float)[strength.reshape(shape) == 0]
    assert abs(inside.mean() - around.mean()) > 80


def test_a_large_photo_is_sent_at_the_size_it_is_looked_at():
    file = io.BytesIO()
    Image.fromarray(GREY).resize((2400, 1800)).save(file, "jpeg")
    sent = _find(file.getvalue())
    assert (sent["width"], sent["height"]) == (1000, 750)
    assert len(sent["photo"]) + len(sent["ink"]) < 400_000
