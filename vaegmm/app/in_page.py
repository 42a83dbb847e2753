"""Parts of a page that answer by themselves: JavaScript with the model, no server."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
import streamlit as st

from vaegmm.app.routes import (
    address_of_files,
    address_of_fit,
    address_of_images,
    address_of_labels,
    address_of_model,
    address_of_test_images,
)
from vaegmm.app.run_routes import Training, address
from vaegmm.browser.blob import MOST_LATENTS
from vaegmm.colours import PALETTE
from vaegmm.model import VAEGMM

_HERE = Path(__file__).parent
MOST_DRAWINGS = 500  # of a hand
_MAP = "pages/3_Latent_space.py"
_MAP_KEY = "explorer"  # of the explorer there
_CARDS = "pages/4_Mixture.py"  # the page on which every cluster has a card
# Of lines beside each other: those of the ten first that are far from grey, and from each other.
_RUN_COLOURS = [PALETTE[label] for label in (9, 4, 7, 3, 6, 8, 0, 5, 1, 2)]
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
        keptAs=_kept_as(key, model),
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
            drawings = hand.get("drawings")
            if isinstance(drawings, list):
                drawings = drawings[:MOST_DRAWINGS]
            told.update(revision=str(hand.get("revision"))[:64], drawings=drawings)

    result = _show(
        "draw",
        model,
        key,
        # Strokes are told at the end of each, all that is learned only when that has changed.
        {"strokes": _nothing, "hand": take_hand},
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
        {"fit": on_fit},
        fit=None if fit is None else address_of_fit(fit),
        title=title,
        truth=address_of_labels(model) if len(model.latents) <= MOST_LATENTS else None,
    )
    return result.fit


def components(
    model: VAEGMM, key: str, component: int | None, on_edit: Callable[[], None]
) -> dict[str, Any] | None:
    """Show the components of the mixture, each with a card, to be looked at and changed.

    Args:
        model: whose mixture it is.
        key: of the element.
        component: whose card is open; the largest one's if None.
        on_edit: called when somebody changes something, before the script runs.

    Returns:
        In the run after such a change what it is, as components/components.js says; unchecked.
    """
    images = address_of_images(model) if len(model.latents) <= MOST_LATENTS else None
    result = _show(
        "components",
        model,
        key,
        {"edit": on_edit},
        images=images,
        component=component,
        mapKeptAs=_kept_as(_MAP_KEY, model),
    )
    return result.edit


def confusion(
    model: VAEGMM,
    key: str,
    truth: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray | None = None,
) -> None:
    """Show which labels are read as which, and the images behind each number.

    Args:
        model: that read the test images of `cached.dataset`.
        key: of the element; another one for other numbers.
        truth: the label of each test image, shape (N,).
        predicted: what each was read as, shape (N,).
        confidence: how sure that was, in [0, 1], shape (N,), where something says so.
    """
    sure = None if confidence is None else np.rint(confidence * 255)
    _show(
        "confusion",
        model,
        key,
        images=address_of_test_images(model),
        truth=_as_text(truth),
        predicted=_as_text(predicted),
        confidence=None if sure is None else _as_text(sure),
    )


def trainings(shown: Sequence[Training], key: str, plays: bool = False, standing: str = "") -> None:
    """Play the film of a training, live while it is trained; several side by side.

    The page asks for what is new by itself: the script need not run for it.

    Args:
        shown: in order; of one training no colour is seen.
        key: of the element.
        plays: whether a film that is whole begins by itself.
        standing: where the trainings stand: another one makes the page look again.
    """
    runs = [
        {
            "id": training.id,
            "name": training.name,
            "filmAddress": address(f"film/{quote(training.id, safe='')}"),
            "runAddress": None
            if training.is_shipped
            else address(f"run/{quote(training.id, safe='')}"),
            "colour": _RUN_COLOURS[i % len(_RUN_COLOURS)],
            "group": training.group,
        }
        for i, training in enumerate(shown)
    ]
    _show("trainings", None, key, runs=runs, plays=plays, standing=standing)


def _kept_as(key: str, model: VAEGMM) -> str:
    """Return the name under which a browser keeps what an explorer shows of a model."""
    return f"vaegmm-{key}-{model.fingerprint}"


def _as_text(values: np.ndarray) -> str:
    """Write bytes, such as labels, as base64."""
    return base64.b64encode(values.astype(np.uint8).tobytes()).decode()


def _show(
    part: str,
    model: VAEGMM | None,
    key: str,
    told: Mapping[str, Callable[[], None]] | None = None,
    **options: Any,
) -> Any:
    """Draw a part of a page.

    Args:
        part: which, by its name in in_page.js.
        model: that it computes with, if it does.
        key: of the element.
        told: what is called before the script runs when the part tells something, by its name.
        options: of the part.

    Returns:
        What it has told for this run, by name.
    """
    listeners: dict[str, Any] = {"page": _nothing, "cluster": _nothing, **(told or {})}
    result = _IN_PAGE(
        key=key,
        data={
            "part": part,
            "files": address_of_files(),
            "model": None if model is None else address_of_model(model),
            **options,
        },
        **{f"on_{name}_change": listener for name, listener in listeners.items()},
    )
    if isinstance(result.cluster, int):  # the name of a cluster was pressed
        st.switch_page(_CARDS, query_params={"mixture": "Clusters", "cluster": str(result.cluster)})
    if result.page == "map":
        st.switch_page(_MAP)
    return result


def _nothing() -> None:
    """Stand where Streamlit asks for a callback: only then it tells the script."""
