"""Small pictures show what the arrays say."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from vaegmm.app import pictures


def pixels_of(uri: str) -> np.ndarray:
    """What a browser would show of a picture, shape (H, W, 3)."""
    head, _, content = uri.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"))


@pytest.mark.parametrize("theme", pictures.INKS)
def test_ink_and_paper_have_the_colours_of_the_theme(theme: str) -> None:
    image = np.zeros((28, 28))
    image[3, 5] = 1
    pixels = pixels_of(pictures.data_uri(image, theme))
    assert tuple(pixels[3, 5]) == pictures.INKS[theme].ink
    assert tuple(pixels[0, 0]) == pictures.INKS[theme].paper
    same = pixels_of(pictures.data_uri((image * 255).astype(np.uint8), theme))
    np.testing.assert_array_equal(pixels, same)


def test_tiles_stand_above_their_captions() -> None:
    images = np.random.default_rng(0).random((4, 28, 28))
    text = pictures.tiles(
        [images[:2], images[2:]], ["one", "<b>two</b>"], ["first", 'a "quote"'], size=50
    )
    figures = re.findall(r"<figure.*?</figure>", text)
    assert len(figures) == 2
    assert [len(re.findall("<img", figure)) for figure in figures] == [2, 2]
    assert "<figcaption>one</figcaption>" in figures[0]
    assert "&lt;b&gt;two" in figures[1], "captions are text, not HTML"
    assert 'alt="a &quot;quote&quot;"' in figures[1]
    uris = re.findall(r'src="([^"]+)"', text)
    np.testing.assert_array_equal(
        pixels_of(uris[3]), pixels_of(pictures.data_uri(images[3], "light"))
    )
