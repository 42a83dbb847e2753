"""Streamlit components: a pad that gives the strokes of a hand, and a place to paste a picture."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any

import streamlit as st

from vaegmm.app.routes import address_of_files
from vaegmm.errors import InputError


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_PAD, _PASTE = (
    st.components.v2.component(
        f"vaegmm.{name}",
        html=_read(f"{name}.html"),
        css=_read(f"{name}.css"),
        js=_read(f"{name}.js"),
    )
    for name in ("pad", "paste")
)


def pad(
    key: str,
    strokes: list[Any],
    aspect: float = 1.0,
    label: str = "Drawing pad",
    hint: str = "Draw here",
) -> list[Any]:
    """Draw the pad and return the strokes on it.

    A stroke is a list of [x, y], in units of the pad's height, y downwards. They come from the
    browser: check them before they are used.

    Args:
        key: of the component; another one makes a new pad.
        strokes: on a new pad.
        aspect: width over height.
        label: for those who cannot see the pad.
        hint: on the empty pad.
    """
    drawn = _PAD(
        key=key,
        data={
            "module": f"{address_of_files()}all.js",
            **{"strokes": strokes, "aspect": aspect, "label": label, "hint": hint},
        },
        on_strokes_change=lambda: None,  # makes `strokes` part of the result
    ).strokes
    return strokes if drawn is None else drawn


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
