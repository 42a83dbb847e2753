"""A Streamlit component: a place to paste a picture."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

import streamlit as st

from vaegmm.errors import InputError


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_PASTE = st.components.v2.component(
    "vaegmm.paste",
    html=_read("paste.html"),
    css=_read("paste.css"),
    js=_read("paste.js"),
)


def paste(key: str, label: str, most_bytes: int) -> bytes | None:
    """Draw a place to paste a picture; return the bytes of its file, once there is one.

    Args:
        key: of the component.
        label: what it says.
        most_bytes: of the file; a larger one stays in the browser.

    Raises:
        ValueError: if what came from the browser is no such picture.
    """
    address = _PASTE(
        key=key,
        data={"label": label, "mostBytes": most_bytes},
        on_picture_change=lambda: None,  # makes `picture` part of the result
    ).picture
    if address is None:
        return None
    try:
        content = base64.b64decode(str(address).partition(";base64,")[2], validate=True)
    except binascii.Error:
        content = b""
    if not 0 < len(content) <= most_bytes:
        raise InputError("what was pasted is no picture.", reason="no picture pasted")
    return content
