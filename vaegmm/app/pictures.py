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

from vaegmm.app.words import share


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


_BARS_STYLE = """
<style>
.bars { display: flex; gap: 4px; height: 150px; align-items: stretch; max-width: 520px; }
.bars > div { flex: 1 1 0; min-width: 0; display: flex; flex-direction: column;
              justify-content: flex-end; text-align: center; font-size: 0.75rem;
              font-variant-numeric: tabular-nums; white-space: nowrap; }
.bars i { display: block; border-radius: 3px 3px 0 0; min-height: 2px;
          background: rgba(128, 132, 138, 0.35); }
.bars b { font-size: 0.95rem; font-weight: 400; padding-top: 4px; overflow: hidden;
          text-overflow: ellipsis; }
.bars .best b { font-weight: 700; }
</style>
"""


def probability_bars(
    probabilities: np.ndarray, names: Sequence[str], colours: Sequence[str]
) -> str:
    """Draw a probability for each label, the largest in its label's colour.

    Args:
        probabilities: shape (C,).
        names: what the labels are called.
        colours: of the labels.
    """
    best = int(probabilities.argmax())
    bars = []
    for k, (p, name, colour) in enumerate(zip(probabilities, names, colours, strict=True)):
        text = share(p, 0) if p >= 0.005 else ""
        style = f"height:{100 * p:.1f}px" + (f";background:{colour}" if k == best else "")
        bars.append(
            f'<div class="{"best" if k == best else ""}">{text}<i style="{style}"></i>'
            f"<b>{html.escape(name)}</b></div>"
        )
    spoken = ", ".join(
        f"{name}: {share(p, 0)}" for name, p in zip(names, probabilities, strict=True)
    )
    return (
        f'{_BARS_STYLE}<div class="bars" role="img" aria-label="{html.escape(spoken, quote=True)}">'
        f"{''.join(bars)}</div>"
    )


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


_LATENT_STYLE = """
<style>
.latent { display: grid; grid-template-columns: auto 1fr 3.2em; gap: 5px 8px; align-items: center;
          font-size: 0.8rem; font-variant-numeric: tabular-nums; max-width: 420px; }
.latent div { position: relative; height: 12px; }
.latent div::before { content: ""; position: absolute; inset: 5.5px 0 auto 0; height: 1px;
                      background: rgba(128, 132, 138, 0.35); }
.latent i { position: absolute; top: 2px; height: 8px; border-radius: 4px;
            background: rgba(128, 132, 138, 0.35); }
.latent b { position: absolute; top: 1px; width: 10px; height: 10px; margin-left: -5px;
            border-radius: 5px; background: #3f90da; }
.latent span { text-align: right; }
</style>
"""


def latent_values(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> str:
    """Draw the numbers of one z as dots on the range that they usually have.

    Args:
        values: shape (D,).
        low: lower ends of the usual ranges, shape (D,).
        high: upper ends, shape (D,).
    """
    start, end = min(values.min(), low.min()), max(values.max(), high.max())
    room = 0.05 * max(end - start, 1e-6)

    def percent(value: float) -> float:
        return 100 * (value - start + room) / (end - start + 2 * room)

    rows = [
        f"<span>z<sub>{axis + 1}</sub></span><div>"
        f'<i style="left:{percent(low[axis]):.1f}%;'
        f'width:{percent(high[axis]) - percent(low[axis]):.1f}%"></i>'
        f'<b style="left:{percent(value):.1f}%"></b></div><span>{_signed(value)}</span>'
        for axis, value in enumerate(values)
    ]
    spoken = ", ".join(f"{value:.2f}" for value in values)
    return (
        f'{_LATENT_STYLE}<div class="latent" role="img" aria-label="z = {spoken}">'
        f"{''.join(rows)}</div>"
    )
