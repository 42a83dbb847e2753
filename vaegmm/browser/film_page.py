"""A training's film as one HTML file that plays it in any browser."""

from __future__ import annotations

from pathlib import Path

from vaegmm.browser.one_file import one_file

_STYLES = ("exported/export.css", "film/film.css", "curves/curves.css")


def film_html(film: str | Path, title: str) -> bytes:
    """Write a page that plays a film, with the film in it, as the bytes of one file.

    Args:
        film: its file; of one that still grows, what is there now.
        title: what people call the training.

    Returns:
        HTML in UTF-8. The same film gives the same bytes.

    Raises:
        OSError: if the file cannot be read.
    """
    return one_file(
        "exported/filmpage.js",
        _STYLES,
        Path(film).read_bytes(),
        title or "A training as a film",
        waiting="Opening the film …",
    )
