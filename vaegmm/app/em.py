"""EM step by step: the fit of the mixture that is shown, and others that are begun in the page."""

from __future__ import annotations

import streamlit as st

from vaegmm.app import in_page, mixtures, refitting
from vaegmm.app.fitting import Replaying
from vaegmm.app.start import Start
from vaegmm.app.words import sentence
from vaegmm.errors import InputError
from vaegmm.model import VAEGMM

_POLL_SECONDS = 0.5
_PATIENCE = 0.3  # seconds to wait before it is said what is waited for
_REPLAYING = "replaying"  # session key
_KEY = "em"


def show(shown: VAEGMM) -> None:
    """Show EM on a model's stored z.

    Args:
        shown: with the mixture whose fit is played.
    """
    model = mixtures.own()
    replaying = _replaying(shown)
    n_components = len(shown.mixture.weights_)
    in_page.em(
        model,
        key=_KEY,
        fit=replaying.result,
        title=f"this page’s {n_components} clusters" if n_components > 1 else "this page’s cluster",
        on_fit=lambda: _begin(model),
    )
    if refused := st.session_state.pop(f"{_KEY}-refused", None):
        st.error(refused, icon=":material/error:")
    if replaying.is_running:
        st.fragment(_watch, run_every=_POLL_SECONDS)(replaying)
    elif replaying.error is not None:
        st.error(sentence(replaying.error), icon=":material/error:")


def _replaying(shown: VAEGMM) -> Replaying:
    replaying: Replaying | None = st.session_state.get(_REPLAYING)
    if replaying is None or replaying.fingerprint != shown.fingerprint:
        if replaying is not None:
            replaying.stop()
        st.session_state[_REPLAYING] = replaying = Replaying(shown)
        replaying.wait(_PATIENCE)
    return replaying


def _watch(replaying: Replaying) -> None:
    """Say how far the fit of the shown mixture has been gone through again."""
    if not replaying.is_running:
        st.rerun()
    now = replaying.progress
    so = "" if now is None else f": start {now.start} of {now.n_init}, iteration {now.iteration}"
    if replaying.is_waiting:
        st.caption("Other visitors' mixtures are being fitted; this one is next in line.")
        return
    st.caption(f"Going through the fit of this page's mixture once more{so} …")


def _begin(model: VAEGMM) -> None:
    """Fit what was begun in the page to all stored z."""
    sent = st.session_state[_KEY].fit
    if not sent:
        return
    try:
        refitting.begin(Start.of(sent, model.vae.config.latent_dim))
    except InputError as error:
        st.session_state[f"{_KEY}-refused"] = sentence(error)
