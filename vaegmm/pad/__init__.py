"""The drawing pad: a Streamlit component that gives the strokes of a mouse, pen or finger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_PAD = st.components.v2.component(
    "vaegmm.pad", html=_read("pad.html"), css=_read("pad.css"), js=_read("pad.js")
)


def pad(
    key: str,
    strokes: list[Any],
    on_keep: Callable[[], None],
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
        on_keep: called by the Enter key.
        aspect: width over height.
        label: for those who cannot see the pad.
        hint: on the empty pad.
    """
    drawn = _PAD(
        key=key,
        data={"strokes": strokes, "aspect": aspect, "label": label, "hint": hint},
        on_strokes_change=lambda: None,  # makes `strokes` part of the result
        on_kept_change=on_keep,
    ).strokes
    return strokes if drawn is None else drawn
