"""Another mixture for the same autoencoder: by size and form, or by where its fit begins."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vaegmm.app import mixtures
from vaegmm.app.fitting import Refit
from vaegmm.app.start import MOST_CLUSTERS, Start, Wanted
from vaegmm.app.words import sentence
from vaegmm.model import VAEGMM

_POLL_SECONDS = 0.5
_PATIENCE = 0.5  # seconds to wait for a fit before its progress is shown
_FORMS = {
    "full": "any ellipse",
    "tied": "one ellipse for all",
    "diag": "ellipses along the axes",
    "spherical": "balls",
}

# Session keys that no widget owns.
_FIT = "refit"  # the fit that this person waits for
_ASKED = "mixture_asked"  # the model whose address was looked at
_FILLED = "mixture_filled"  # whether a field was set since both were drawn
_REFUSED = "refit_refused"  # why no fit was begun


def offer(model: VAEGMM) -> None:
    """Offer another number and form of clusters; what is fitted is shown on every page.

    Args:
        model: that is shown.
    """
    own = mixtures.own()
    most, own_size = most_clusters(own), _size_of(own)
    fit = _fit_of(own)
    if fit is not None and not fit.is_running:
        _finish(fit)
    number, form = _fields(own)
    is_first = st.session_state.get(_ASKED) != own.fingerprint
    if _fit_of(own) is None and not is_first:
        _fill(own, _size_of(model))  # the fields say what is shown
    # A field that has just been set is given no default beside: Streamlit complains. Elsewhere it
    # has one, so that the address names only another mixture than the model's own.
    is_set = st.session_state.pop(_FILLED, False)
    at: dict[str, Any] = {} if is_set else {"value": own_size[0]}
    form_at: dict[str, Any] = {} if is_set else {"index": list(_FORMS).index(own_size[1])}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            f"Clusters (1 to {most})",
            step=1,
            help="The same autoencoder with another mixture, fitted to all stored z from five "
            "starts; the likeliest is kept, and no label has a say in it.",
            key=number,
            on_change=_ask,
            bind="query-params",
            width=180,
            **at,
        )
        st.selectbox(
            "Their form",
            list(_FORMS),
            format_func=_FORMS.__getitem__,
            help="What their covariances may be: full, tied, diagonal or spherical.",
            key=form,
            on_change=_ask,
            bind="query-params",
            width=220,
            **form_at,
        )
        _say_what_is_shown(model, own)
    if is_first:
        st.session_state[_ASKED] = own.fingerprint
        if (st.session_state[number], st.session_state[form]) != _size_of(model):
            _ask()  # the address asks for it
            st.rerun()
    fit = _fit_of(own)
    if fit is not None and fit.is_running:
        st.fragment(_watch, run_every=_POLL_SECONDS)(fit)


def begin(wanted: Wanted | Start) -> None:
    """Begin to fit a mixture; `offer` shows how far it is. For callbacks.

    What cannot be fitted here is refused, and `offer` says so.
    """
    own = mixtures.own()
    _let_go()
    most = most_clusters(own)
    if not 1 <= wanted.n_components <= most or wanted.covariance_type not in _FORMS:
        st.session_state[_REFUSED] = (
            f"From 1 to {most} clusters can be fitted here, not {wanted.n_components:,}. What was "
            "shown stays."
        )
        return
    st.session_state[_FIT] = fit = Refit(own, wanted)
    _fill(own, (wanted.n_components, wanted.covariance_type))
    fit.wait(_PATIENCE)  # small fits, and those that somebody has made before


def most_clusters(model: VAEGMM) -> int:
    """Return the number of clusters up to which a mixture can be fitted here."""
    return max(min(len(model.latents), MOST_CLUSTERS), len(model.mixture.weights_))


def _ask() -> None:
    """Begin the fit that the fields ask for, or go back to the model's own mixture."""
    own = mixtures.own()
    number, form = (st.session_state[field] for field in _fields(own))
    if (number, form) == _size_of(own):
        _let_go()
        mixtures.reset()
    else:
        begin(Wanted(int(number), form))


def _say_what_is_shown(model: VAEGMM, own: VAEGMM) -> None:
    refused = st.session_state.pop(_REFUSED, None)
    if refused is not None:
        st.caption(f":red[{refused}]")
        return
    n_own = len(own.mixture.weights_)
    if mixtures.can_undo():
        st.caption(
            f"Shown on every page: {mixtures.describe(model)}. The model's own mixture has {n_own}."
        )
    else:
        st.caption(f"The model's own mixture: {n_own} clusters.")


def _fields(own: VAEGMM) -> tuple[str, str]:
    """Return the keys of both fields: those of this model, as another has clusters of its own."""
    return f"K-{own.fingerprint[:6]}", f"form-{own.fingerprint[:6]}"


def _fill(own: VAEGMM, size: tuple[int, str]) -> None:
    """Let the fields say what they don't say already."""
    for field, default, value in zip(_fields(own), _size_of(own), size, strict=True):
        if st.session_state.get(field, default) != value:
            st.session_state[field] = value
            st.session_state[_FILLED] = True


def _size_of(model: VAEGMM) -> tuple[int, str]:
    return len(model.mixture.weights_), model.mixture.covariance_type


def _fit_of(own: VAEGMM) -> Refit | None:
    """Return this session's fit, if it is one of this model's."""
    fit: Refit | None = st.session_state.get(_FIT)
    if fit is not None and fit.fingerprint != own.fingerprint:
        _let_go()
        return None
    return fit


def _finish(fit: Refit) -> None:
    """Show what a fit has come to on every page, or say why it came to nothing."""
    del st.session_state[_FIT]
    if fit.result is not None:
        mixtures.choose(fit.result)
        st.rerun()
    if fit.error is not None:
        st.error(f"{sentence(fit.error)} What was shown stays.", icon=":material/error:")


def _watch(fit: Refit) -> None:
    """Show how far a fit is, and offer to stop it."""
    if not fit.is_running:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        now = fit.progress
        text = f"Fitting {fit.wanted.n_components} clusters; until then those before are shown."
        if fit.is_waiting:
            text = "Other visitors' mixtures are being fitted; yours is next in line."
        elif now is not None:
            text = (
                f"Start {now.start} of {now.n_init}, iteration {now.iteration}: "
                f"{now.lower_bound:.3f} nats a point"
            )
        st.progress(0.0 if now is None else (now.start - 1) / now.n_init, text=text)
        st.button("Stop", icon=":material/stop:", on_click=_let_go, key="stop")


def _let_go() -> None:
    if _FIT in st.session_state:
        st.session_state.pop(_FIT).stop()  # nobody waits for it any more
