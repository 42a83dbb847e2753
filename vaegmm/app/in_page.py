"""Parts of a page that answer by themselves: JavaScript with the model, no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from vaegmm.app.routes import (
    address_of_files,
    address_of_images,
    address_of_labels,
    address_of_model,
)
from vaegmm.browser.blob import MOST_LATENTS
from vaegmm.model import VAEGMM

_HERE = Path(__file__).parent
_IN_PAGE = st.components.v2.component(
    "vaegmm.in_page",
    html='<div class="in-page">\n</div>',
    css=(_HERE / "in_page.css").read_text(encoding="utf-8"),
    js=(_HERE / "in_page.js").read_text(encoding="utf-8"),
)


def explorer(model: VAEGMM, key: str, view: str = "") -> None:
    """Show the map of all stored z, to be touched and walked through.

    Args:
        model: whose stored z they are.
        key: of the element; its view is kept under this name, too.
        view: to begin with, as explorer/address.js writes it.
    """
    images, truth = None, None
    if len(model.latents) <= MOST_LATENTS:  # else the blob holds a sample of them
        images, truth = address_of_images(model), address_of_labels(model)
    _show(
        "explorer",
        model,
        key,
        images=images,
        truth=truth,
        view=view,
        keptAs=f"vaegmm-{key}-{model.fingerprint}",
    )


def overview(model: VAEGMM, key: str) -> None:
    """Show the whole system as one picture with a digit flowing through it."""
    _show("overview", model, key)


def place(model: VAEGMM, z: np.ndarray, key: str) -> None:
    """Show where one z, shape (D,), lies among the stored ones, and the way that it came."""
    _show("place", model, key, z=np.asarray(z, float).round(4).tolist())


def photo(model: VAEGMM, key: str, **photo: Any) -> None:
    """Show a photo with the boxes found in it, to be moved and read.

    Args:
        model: that reads.
        key: of the element.
        photo: as `vaegmm.app.photo` finds it.
    """
    _show("photo", model, key, **photo)


def _show(part: str, model: VAEGMM, key: str, **options: Any) -> None:
    _IN_PAGE(
        key=key,
        data={
            "part": part,
            "files": address_of_files(),
            "model": address_of_model(model),
            **options,
        },
    )
