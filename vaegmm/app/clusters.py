"""The view of all clusters: a card each, and what people change about them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vaegmm.app import cached, in_page, mixtures
from vaegmm.app.words import sentence, share
from vaegmm.checkpoint import to_bytes
from vaegmm.editing import BY_HAND, merge, rename, split
from vaegmm.errors import InputError
from vaegmm.model import VAEGMM

_KEY = "components"  # of the element in the page
_REFUSED = "edit_refused"  # session key: why the last change could not be made


def show(model: VAEGMM) -> None:
    """Show the clusters by name, the card of the open one, and what was changed by hand."""
    _show_changes(model)
    refused = st.session_state.pop(_REFUSED, None)
    if refused is not None:
        st.error(refused, icon=":material/error:")
    in_page.components(model, _KEY, _opened(model), on_edit=_edit)


def edited(model: VAEGMM, change: Any) -> VAEGMM:
    """Change a mixture as the page asks for.

    Args:
        model: it stays as it is.
        change: as components/components.js tells it; it comes from the browser.

    Raises:
        ValueError: if it is no change, or one that cannot be made.
    """
    match change:
        case {"what": "rename", "component": int(component), "label": int(label)}:
            return rename(model, component, label)
        case {"what": "merge", "components": [int(), int(), *_] as components}:
            return merge(model, [_whole(component) for component in components])
        case {"what": "split", "component": int(component)}:
            return split(model, component)
    raise InputError(
        f"change must be a renaming, merger or split; got {change!r}.", reason="no change"
    )


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise InputError(f"component must be a whole number; got {value!r}.", reason="no change")
    return value


def _edit() -> None:
    model = mixtures.current()
    try:
        other = edited(model, st.session_state[_KEY].edit)
    except ValueError as error:
        st.session_state[_REFUSED] = sentence(error)
        return
    change = st.session_state[_KEY].edit
    # The card of what was changed stays open.
    changed = change["component"] if "component" in change else min(change["components"])
    st.query_params["cluster"] = str(changed)
    mixtures.choose(other)


def _opened(model: VAEGMM) -> int | None:
    """Return the cluster whose card the address asks for, if there is one of this number."""
    asked = st.query_params.get("cluster", "")
    is_one = asked.isascii() and asked.isdigit() and int(asked) < len(model.mixture.weights_)
    return int(asked) if is_one else None


def _show_changes(model: VAEGMM) -> None:
    """Show what was done by hand, what it is worth, and the ways back and on."""
    steps = model.provenance.get(BY_HAND, [])
    if not steps:
        st.caption(
            "Open a cluster to see who belongs to it and which are near; call it something else, "
            "merge it with a neighbour, or let EM split it. Everything can be undone."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Changed by hand:** {'; '.join(steps[-3:])}.", width="content")
        if mixtures.can_undo():
            st.button("Undo", icon=":material/undo:", on_click=mixtures.undo, key="undo_edit")
        st.download_button(
            "Save as a new checkpoint",
            lambda: to_bytes(model),
            file_name="by-hand.safetensors",
            icon=":material/download:",
            on_click="ignore",
            help="It says in its header what was done by hand.",
            key="save_edit",
        )
    _show_worth(model)


@st.fragment
def _show_worth(model: VAEGMM) -> None:
    """Show how many validation images are read rightly, before and after the last change."""
    own = cached.own_dataset(model)
    if model.names is None or own is None or own.validation.labels is None:
        st.caption("The labelled images are not on this machine: what it is worth is not known.")
        return
    before, after = (cached.validation_accuracy(other, own) for other in (mixtures.before(), model))
    st.caption(
        f"Of the {len(own.validation):,} validation images {share(before)} were read rightly "
        f"before the last change, {share(after)} are now."
    )
