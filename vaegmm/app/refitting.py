"""Another mixture for the same autoencoder, chosen by its size or by where its fit begins."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.fitting import Refit
from vaegmm.app.start import MOST_CLUSTERS, Start
from vaegmm.app.words import sentence
from vaegmm.model import VAEGMM

_POLL_SECONDS = 0.5
_PATIENCE = 0.5  # seconds to wait for a fit before its progress is shown
# Session keys.
_FIT = "refit"  # the fit that this person waits for, or has
_START = "start"  # where a fit shall begin that was put by hand: the model's fingerprint, a Start


def choose(model: VAEGMM) -> VAEGMM:
    """Offer another number of clusters; return the model with the mixture that is chosen."""
    own, most = len(model.mixture.weights_), most_clusters(model)
    key = _field(model)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.number_input(
            f"Clusters (1 to {most})",
            value=own,
            step=1,
            help="The same autoencoder with another mixture, fitted to all stored z from five "
            "starts; the likeliest is kept, and no label has a say in it.",
            key=key,
            on_change=_forget_start,
            bind="query-params",
            width=180,
        )
        if not 1 <= wanted <= most and wanted != own:
            _let_go()
            st.caption(
                f":red[From 1 to {most} clusters can be fitted here, not {wanted:,}.] Shown is the "
                f"model's own mixture, which has {own}."
            )
            return model
        start = _start_of(model, int(wanted))
        if start == own:
            _let_go()
            st.caption(f"The model's own mixture: {own} clusters.")
            return model
        fit = _fit_to(model, start)
        if fit.result is not None:
            how = "from the start that was put by hand" if isinstance(start, Start) else "anew"
            st.caption(
                f"{fit.n_components} clusters, fitted {how}; the model's own mixture has {own}. "
                "The names are handed on by the stored z."
            )
            st.button("Back to its own", on_click=_reset, args=[key, own], key="own")
            return fit.result
    if fit.is_running:
        st.fragment(_watch, run_every=_POLL_SECONDS)(fit, key, own)
        st.caption(f"Until it is fitted, the model's own mixture of {own} is shown.")
    elif fit.error is not None:
        st.error(
            f"{sentence(fit.error)} Shown is the model's own mixture, which has {own}.",
            icon=":material/error:",
        )
    return model


def begin_at(model: VAEGMM, start: Start) -> None:
    """Fit the mixture from a start to all stored z from the next run of the script on."""
    st.session_state[_START] = model.fingerprint, start
    st.session_state[_field(model)] = start.n_components


def most_clusters(model: VAEGMM) -> int:
    """Return the number of clusters up to which a mixture can be fitted here."""
    return min(len(model.latents), MOST_CLUSTERS)


def _field(model: VAEGMM) -> str:
    return f"K-{model.fingerprint[:6]}"  # of this model: another has clusters of its own


def _start_of(model: VAEGMM, wanted: int) -> int | Start:
    fingerprint, start = st.session_state.get(_START, ("", None))
    if fingerprint == model.fingerprint and start.n_components == wanted:
        return start
    return wanted


def _fit_to(model: VAEGMM, start: int | Start) -> Refit:
    """Return this session's fit from there; begin it if there is none."""
    fit: Refit | None = st.session_state.get(_FIT)
    if fit is None or (fit.fingerprint, fit.start) != (model.fingerprint, start):
        _let_go()
        st.session_state[_FIT] = fit = Refit(model, start)
        fit.wait(_PATIENCE)  # small fits, and those that somebody has made before
    return fit


def _watch(fit: Refit, key: str, own: int) -> None:
    """Show how far a fit is, and offer to stop it."""
    if not fit.is_running:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        now = fit.progress
        text = f"Fitting {fit.n_components} clusters …"
        if now is not None:
            text = (
                f"Start {now.start} of {now.n_init}, iteration {now.iteration}: "
                f"{now.lower_bound:.3f} nats a point"
            )
        st.progress(0.0 if now is None else (now.start - 1) / now.n_init, text=text)
        st.button("Stop", icon=":material/stop:", on_click=_reset, args=[key, own], key="stop")


def _reset(key: str, own: int) -> None:
    """Go back to the model's own mixture; a fit under way is stopped."""
    _let_go()
    _forget_start()
    st.session_state[key] = own


def _let_go() -> None:
    if _FIT in st.session_state:
        st.session_state.pop(_FIT).stop()  # nobody waits for it any more


def _forget_start() -> None:
    st.session_state.pop(_START, None)
