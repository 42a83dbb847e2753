"""A film as a file that others can show: gif, or mp4."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from vaegmm.errors import InputError
from vaegmm.film.file import Film
from vaegmm.film.picture import HEIGHT, WIDTH, Projector

SECONDS = 12.0
#: Of pictures a second.
RATES = {".gif": 12, ".mp4": 30}

_STANDING = 1.5  # seconds for which the last picture stays
_GIF_WIDTH = 960  # a gif of 1280 would be as large as the video of an hour


def write_gif(film: Film, path: str | Path, title: str = "", seconds: float = SECONDS) -> int:
    """Write a film as an animated picture that runs without end; return its bytes.

    Args:
        film: with one frame at least.
        path: of the picture.
        title: what stands above it; the data set's title if empty.
        seconds: how long it runs.

    Raises:
        InputError: if the film has no frame, or seconds are not from 1 to 600.
        OSError: if it cannot be written.
    """
    rate = RATES[".gif"]
    size = _GIF_WIDTH, _GIF_WIDTH * HEIGHT // WIDTH
    pictures = [
        picture.resize(size, Image.Resampling.LANCZOS)
        for picture in _pictures(film, title, seconds, rate)
    ]
    # One palette for all, of the last picture, which has every colour: none flickers.
    palette = pictures[-1].quantize(128, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    frames = [p.quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
    durations = [1000 // rate] * (len(frames) - 1) + [int(1000 * _STANDING)]
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        "gif",
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=0,
        optimize=False,
    )
    return Path(path).write_bytes(buffer.getvalue())


def write_mp4(film: Film, path: str | Path, title: str = "", seconds: float = SECONDS) -> int:
    """Write a film as a video, as `write_gif` writes a picture; return its bytes.

    Raises:
        InputError: as `write_gif` does, or if PyAV is not installed.
        OSError: if it cannot be written.
    """
    try:
        import av
    except ImportError as error:
        raise InputError(
            "an mp4 must be written by PyAV, which is not installed. Run: pip install av"
        ) from error
    rate, buffer = RATES[".mp4"], io.BytesIO()
    with av.open(buffer, "w", format="mp4") as video:
        stream = video.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "20", "preset": "medium"}
        picture = None
        for picture in _pictures(film, title, seconds, rate):
            video.mux(stream.encode(av.VideoFrame.from_image(picture)))
        for _ in range(round(_STANDING * rate)):
            video.mux(stream.encode(av.VideoFrame.from_image(picture)))
        video.mux(stream.encode())
    return Path(path).write_bytes(buffer.getvalue())


def _pictures(film: Film, title: str, seconds: float, rate: int) -> Iterator[Image.Image]:
    """Draw a film from its first to its last frame, at an even pace."""
    if not 1 <= seconds <= 600:
        raise InputError(f"seconds must lie from 1 to 600; got seconds={seconds:g}.")
    projector = Projector(film, title)
    for place in np.linspace(0, projector.n_frames - 1, round(seconds * rate)):
        yield projector.picture(float(place))
