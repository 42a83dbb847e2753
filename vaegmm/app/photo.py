"""Photos on a page: taken, chosen or pasted, and read in the page box by box."""

from __future__ import annotations

import base64
import io
import threading
import zlib
from typing import Any

import streamlit as st
from PIL import Image

from vaegmm.app import in_page
from vaegmm.app.pad import paste
from vaegmm.app.words import sentence
from vaegmm.model import VAEGMM
from vaegmm.photo import LARGEST_FILE, find_digits, find_ink, opaque, open_picture

_QUALITY = 85  # of the photo's copy on the page
_MOST_FOUND = 3  # photos of a session, whose digits are kept
_decoding = threading.BoundedSemaphore(2)  # photos at once: each takes 100 MB for a moment


def show(model: VAEGMM, source: str) -> None:
    """Offer a photo, and show what a model with names reads in it.

    Args:
        model: that reads.
        source: "camera", or "photo" for a file or the clipboard.
    """
    try:
        content = _from_camera() if source == "camera" else _from_file()
        if content is None:
            st.caption(
                "Dark on light or light on dark, on paper or on a board, one digit or several: "
                "each that is found gets a box, which can be moved, turned and cropped."
            )
            return
        in_page.photo(model, f"{source}_boxes", **_found(content))
    except ValueError as error:
        st.error(sentence(error, "the picture"), icon=":material/error:")


def _from_camera() -> bytes | None:
    taken = st.camera_input("Digits on paper", key="camera")
    return None if taken is None else taken.getvalue()


def _from_file() -> bytes | None:
    file = st.file_uploader(
        "A photo or scan of digits",
        type=["png", "jpg", "jpeg", "webp", "bmp", "gif", "tiff"],
        max_upload_size=LARGEST_FILE // 10**6,
        key="photo",
    )
    if file is not None:
        return file.getvalue()
    return paste("pasted", "Or click here and paste a picture (Ctrl+V)", LARGEST_FILE)


# A session's own: nobody else's server is to remember a photo when it is gone.
@st.cache_data(max_entries=_MOST_FOUND, scope="session", show_spinner="Looking for digits …")
def _found(content: bytes) -> dict[str, Any]:
    """Find the digits of a picture file; return what the page needs of it.

    Raises:
        ValueError: if it is no picture, or shows no ink.
    """
    with _decoding:
        return _find(content)


def _find(content: bytes) -> dict[str, Any]:
    picture = opaque(open_picture(io.BytesIO(content)))
    ink = find_ink(picture)
    height, width = ink.strength.shape
    return {
        "photo": _as_jpeg(picture.resize((width, height), Image.Resampling.LANCZOS)),
        "ink": base64.b64encode(zlib.compress(ink.strength.tobytes())).decode(),
        "width": width,
        "height": height,
        "boxes": [box._asdict() for box in find_digits(ink)],
        "sheet": None if ink.sheet is None else ink.sheet.corners.round(1).tolist(),
    }


def _as_jpeg(picture: Image.Image) -> str:
    """Return a picture as a data URL."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "jpeg", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
