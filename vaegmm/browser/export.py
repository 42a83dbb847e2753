"""A model as one HTML file that runs it in any browser, without a network or a server."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from vaegmm.browser.blob import to_blob
from vaegmm.browser.one_file import one_file
from vaegmm.model import VAEGMM

_STYLES = (
    "exported/export.css",
    "pieces/pieces.css",
    "pieces/explanation.css",
    "overview/overview.css",
    "draw/draw.css",
    "draw/rest.css",
    "explorer/explorer.css",
)


def export_html_bytes(model: VAEGMM, title: str | None = None) -> bytes:
    """Write a page that holds a model, and all that shows it, as the bytes of one file.

    What comes from the model (names of labels, its title) is inside the blob, and becomes text
    only; see `one_file`.

    Args:
        model: a fitted model, with or without names.
        title: what people call the model; by default the data set's title.

    Returns:
        HTML in UTF-8. The same model gives the same bytes.
    """
    if title is None:
        title = str(model.provenance.get("data", {}).get("title", ""))
    return one_file(
        "exported/page.js",
        _STYLES,
        to_blob(model, title=title),
        title or "A model to touch",
        waiting="Opening the model …",
    )


def export_html(model: VAEGMM, path: str | Path, title: str | None = None) -> int:
    """Write a model as one HTML file. What was there before stays whole until the new file is.

    Args:
        model: a fitted model, with or without names.
        path: of the file.
        title: as for `export_html_bytes`.

    Returns:
        The file's size in bytes.

    Raises:
        ValueError: if the file cannot be written; a previous one is left as it was.
    """
    path = Path(path)
    content = export_html_bytes(model, title)
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp's file is its owner's alone
        os.replace(temporary, path)
    except OSError as error:
        raise ValueError(
            f"{path} cannot be written: {error}. What was there before is unchanged; "
            "free some space, or choose another place."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return len(content)
