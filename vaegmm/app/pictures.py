"""Arrays → small pictures in HTML, light and sharp at any size; no Streamlit, no models.

A page that answers while one draws has no time for plotly.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image


class Ink(NamedTuple):
    """What an image's 1 and 0 look like, as red, green, blue."""

    ink: tuple[int, int, int]
    paper: tuple[int, int, int]


# As people write by day, and as MNIST's own pictures are by night.
INKS = {
    "light": Ink((25, 28, 33), (243, 242, 238)),
    "dark": Ink((240, 240, 236), (35, 39, 45)),
}

_LEVELS = 64  # of ink: more cannot be told apart, and would make most of a small picture's bytes

_STYLE = """
<style>
.tiles { display: flex; flex-wrap: wrap; gap: 10px 8px; align-items: flex-end; }
.tiles figure { margin: 0; display: flex; flex-direction: column; gap: 3px; }
.tiles img { image-rendering: pixelated; border-radius: 3px; display: block; margin: 0;
             max-width: 100%; height: auto; }
.tiles figcaption { font-size: 0.78rem; line-height: 1.25; opacity: 0.75; text-align: center;
                    font-variant-numeric: tabular-nums; }
</style>
"""


def tiles(
    columns: Sequence[Sequence[np.ndarray]],
    captions: Sequence[str] = (),
    descriptions: Sequence[str] = (),
    size: int = 72,
    theme: str = "light",
) -> str:
    """Lay out images as tiles that wrap; each tile is a column of images above its caption.

    Args:
        columns: for each tile its images from top to bottom, each of shape (28, 28), uint8 or
            float in [0, 1].
        captions: one a tile, or none.
        descriptions: of each tile for those who cannot see it; its caption if not given.
        size: side of an image on the page, in CSS pixels.
        theme: "light" or "dark".
    """
    figures = []
    for index, images in enumerate(columns):
        caption = captions[index] if len(captions) else ""
        description = descriptions[index] if len(descriptions) else caption
        pictures = "".join(
            f'<img src="{data_uri(image, theme)}" alt="{html.escape(description, quote=True)}" '
            f'width="{size}" height="{size}">'
            for image in images
        )
        text = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
        figures.append(f'<figure style="max-width:{size}px">{pictures}{text}</figure>')
    return f'{_STYLE}<div class="tiles">{"".join(figures)}</div>'


def data_uri(image: np.ndarray, theme: str = "light") -> str:
    """Return an image as the address of a PNG that is part of the page.

    Args:
        image: shape (H, W), uint8 or float in [0, 1].
        theme: "light" or "dark".
    """
    strength = image / 255 if image.dtype == np.uint8 else image.clip(0, 1)
    levels = np.rint(strength * (_LEVELS - 1)).astype(np.uint8)
    picture = Image.fromarray(levels, mode="L").convert("P")
    ink, paper = (np.array(part, dtype=float) for part in INKS[theme])
    strength = np.linspace(0, 1, _LEVELS)[:, None]
    picture.putpalette(np.rint(paper + strength * (ink - paper)).astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
