"""Parts of a page that answer by themselves: JavaScript with the model, no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

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


class Drawn(NamedTuple):
    """What has come from the pad; it comes from a browser: check it before it is used."""

    strokes: Any  # on the pad for a digit: a list of lists of [x, y] in units of the pad's height
    hand: Any  # what is to be learned: a list of {"strokes" or "image", "truth": a label's name}
    revision: str  # of the hand: another one whenever that has changed


def draw(model: VAEGMM, key: str, source: str) -> Drawn:
    """Show a pad with its answer; return what was drawn, and what the model is to learn.

    Both stay in the browser's tab for as long as it is open, and come from there when the server
    has begun anew.

    Args:
        model: that reads.
        key: of the element.
        source: "digit" or "number": which pad is seen.
    """
    told = st.session_state.setdefault(f"{key}-hand", {"revision": "", "drawings": []})

    def take_hand() -> None:
        hand = st.session_state.get(key, {}).get("hand")
        if isinstance(hand, dict):
            told.update(revision=str(hand.get("revision")), drawings=hand.get("drawings"))

    result = _show(
        "draw",
        model,
        key,
        # Strokes are told at the end of each, all that is learned only when that has changed.
        callbacks={"on_strokes_change": lambda: None, "on_hand_change": take_hand},
        keptAs="vaegmm-drawings",
        revision=told["revision"],
        source=source,
    )
    return Drawn(result.strokes or [], told["drawings"], told["revision"])


def photo(model: VAEGMM, key: str, **photo: Any) -> None:
    """Show a photo with the boxes found in it, to be moved and read.

    Args:
        model: that reads.
        key: of the element.
        photo: as `vaegmm.app.photo` finds it.
    """
    _show("photo", model, key, **photo)


def _show(
    part: str,
    model: VAEGMM,
    key: str,
    callbacks: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    return _IN_PAGE(
        key=key,
        data={
            "part": part,
            "files": address_of_files(),
            "model": address_of_model(model),
            **options,
        },
        **(callbacks or {}),
    )
