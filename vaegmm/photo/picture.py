"""A picture of any kind → grey."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps

from vaegmm.errors import InputError

LARGEST_PICTURE = 20_000_000  # pixels
LARGEST_FILE = 10_000_000  # bytes

_WORKING_SIDE = 1000  # pixels that a picture is brought to before it is looked at


def open_picture(file: str | Path | IO[bytes]) -> Image.Image:
    """Open an image file, upright as its camera meant it, and refuse what is too large to decode.

    Raises:
        ValueError: if it is no readable image, or over 20 megapixels or 10 MB.
    """
    try:
        if isinstance(file, str | Path):
            n_bytes = Path(file).stat().st_size
        else:
            n_bytes = file.seek(0, 2)
            file.seek(0)
        if n_bytes <= LARGEST_FILE:
            with Image.open(file) as picture:
                _check_size(*picture.size)  # known before a pixel is decoded
                picture.load()
            return ImageOps.exif_transpose(picture)
    except _TooLargeError:
        raise
    # Pillow's readers raise whatever a malformed file makes them stumble over.
    except Exception as error:
        raise InputError(f"no readable image ({error}).", reason="no picture") from error
    raise _TooLargeError(
        f"file must have at most {LARGEST_FILE / 1e6:.0f} MB; got {n_bytes / 1e6:.1f} MB.",
        reason="large picture file",
        most=LARGEST_FILE // 10**6,
    )


class _TooLargeError(InputError):
    """A picture that would take too long, or too much memory, to look at."""


def _check_size(width: int, height: int) -> None:
    if width * height > LARGEST_PICTURE:
        raise _TooLargeError(
            f"picture must have at most {LARGEST_PICTURE / 1e6:.0f} megapixels; "
            f"got {width}×{height}. Scale it down.",
            reason="large picture",
            most=LARGEST_PICTURE // 10**6,
        )


def as_grey(picture: Image.Image | np.ndarray) -> np.ndarray:
    """Return luminance in [0, 1], shape (H, W), the longer side at most _WORKING_SIDE."""
    if not isinstance(picture, Image.Image):
        array = np.asarray(picture)
        if array.dtype == bool or np.issubdtype(array.dtype, np.floating):
            if not np.isfinite(array).all():
                raise InputError(
                    "picture must be finite; got NaN or infinity among its pixels.",
                    reason="no picture",
                )
            array = np.rint(np.clip(array, 0, 1) * 255)
        if array.ndim not in (2, 3) or array.size == 0 or array.shape[2:] not in ((), (3,), (4,)):
            raise InputError(
                f"picture must have shape (H, W), (H, W, 3) or (H, W, 4); got shape={array.shape}.",
                reason="no picture",
            )
        _check_size(array.shape[1], array.shape[0])
        picture = Image.fromarray(array.astype(np.uint8))
    _check_size(*picture.size)
    picture = opaque(picture).convert("L")
    picture.thumbnail((_WORKING_SIDE, _WORKING_SIDE), Image.Resampling.BOX)
    return np.asarray(picture, dtype=np.float64) / 255


def opaque(picture: Image.Image) -> Image.Image:
    """Bring a picture to eight bits a channel, and lay what is transparent of it on paper."""
    if picture.mode.startswith(("I", "F")):  # 16 bits or more: stretch, Pillow would cut off
        deep = np.asarray(picture, dtype=np.float64)
        deep = (deep - deep.min()) / max(np.ptp(deep), 1e-12)
        return Image.fromarray(np.rint(deep * 255).astype(np.uint8))
    return _on_paper(picture.convert("RGBA")) if picture.has_transparency_data else picture


def _on_paper(picture: Image.Image) -> Image.Image:
    """Lay transparent ink on white, or on black where the ink is light."""
    pixels = np.asarray(picture, dtype=np.float64)
    opacity = pixels[..., 3]
    lightness = (pixels[..., :3].mean(-1) * opacity).sum() / max(opacity.sum(), 1)
    paper = Image.new("RGBA", picture.size, "black" if lightness > 127 else "white")
    return Image.alpha_composite(paper, picture)
