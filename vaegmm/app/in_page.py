"""Parts of a page that answer by themselves: JavaScript with the model, no server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from vaegmm.app.routes import (
    address_of_files,
    address_of_fit,
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


def em(
    model: VAEGMM, key: str, fit: bytes | None, title: str, on_fit: Callable[[], None]
) -> dict[str, Any] | None:
    """Show EM step by step: a recorded fit, and others that are begun in the page.

    Args:
        model: whose stored z are clustered.
        key: of the element.
        fit: that is played, as `fit_blob` writes it; None while it is not there yet.
        title: what it is called.
        on_fit: called when somebody wants a start fitted to all stored z, before the script runs.

    Returns:
        In the run after that the start, as em/em.js says; unchecked.
    """
    result = _show(
        "em",
        model,
        key,
        on_fit_change=on_fit,
        fit=None if fit is None else address_of_fit(fit),
        title=title,
        truth=address_of_labels(model) if len(model.latents) <= MOST_LATENTS else None,
    )
    return result.fit


def place(model: VAEGMM, z: np.ndarray, key: str) -> None:
    """Show where one z, shape (D,), lies among the stored ones, and the way that it came."""
    _show("place", model, key, z=np.asarray(z, float).round(4).tolist())


def _show(
    part: str,
    model: VAEGMM,
    key: str,
    on_fit_change: Callable[[], None] = lambda: None,
    **options: Any,
) -> Any:
    return _IN_PAGE(
        key=key,
        on_fit_change=on_fit_change,
        data={
            "part": part,
            "files": address_of_files(),
            "model": address_of_model(model),
            **options,
        },
    )
