"""The training that is looked at: where it stands, its curves, and others to compare."""

from __future__ import annotations

import streamlit as st

from vaegmm.app import figures, show
from vaegmm.app.trainings.actions import offer_actions
from vaegmm.app.trainings.saying import BADGES, data_name_of, words_for
from vaegmm.app.words import say, sentence
from vaegmm.runs import Run, RunError
from vaegmm.settings import describe

POLL_SECONDS = 1.0
_WATCHED = "run"  # the key, in the session and in the address, of the run that is looked at


def look_at(run: Run) -> None:
    """Make a run the one that is looked at from the next run of the script on."""
    st.session_state[_WATCHED] = run.name


def show_runs(runs: list[Run]) -> None:
    """Choose one run to look at, with what can be done with it, and others to compare."""
    by_name = {run.name: run for run in runs}
    if st.session_state.get(_WATCHED) not in by_name:
        st.session_state.pop(_WATCHED, None)
    name = st.selectbox("Training", list(by_name), key=_WATCHED, bind="query-params")
    run = by_name[str(name)]
    others = [name for name in by_name if name != run.name]
    if others:
        others = st.multiselect(
            "Compare with",
            others,
            max_selections=5,
            placeholder="other trainings",
            key="compare",
            bind="query-params",
        )
    is_active = run.is_active
    compared = [run, *(by_name[name] for name in others)]
    st.fragment(show_run, run_every=POLL_SECONDS if is_active else None)(compared, is_active)
    try:
        offer_actions(run, is_active)
    except RunError as error:
        st.error(sentence(error), icon=":material/error:")


def show_run(compared: list[Run], was_active: bool) -> None:
    """Show where the first of some runs stands, and the curves of all."""
    run = compared[0]
    status = run.status
    if was_active and not run.is_active:
        st.rerun()  # it has just ended: what can be done with it is another thing now
    label, icon, colour = BADGES[status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, icon=icon, color=colour)
        st.caption(f"{describe(run.config)} on {data_name_of(run)}", width="content")
    if status.state == "failed":
        st.error(say(status.reason, status.facts), icon=":material/error:")
        if log := run.log_tail():
            with st.expander("The end of its log", icon=":material/article:"):
                st.code(log, language=None, wrap_lines=True)
    if run.is_finished:
        with st.container(horizontal=True):
            show.metrics(run.metrics)
    elif status.state == "training" and status.progress is not None:
        st.progress(status.progress.fraction, text=words_for(status.progress, run.config))
    elif status.state == "fitting":
        st.progress(1.0, text="All epochs are done; the mixture is being fitted …")
    else:
        done, epochs = len(run.losses), run.config.epochs
        words = "Getting ready …" if was_active else f"{done} of {epochs} epochs are kept."
        st.progress(done / epochs, text=words)
    show_curves(compared)


def show_curves(runs: list[Run]) -> None:
    """Draw the losses of some runs over their epochs."""
    losses = {run.name: run.losses for run in runs}
    if not any(losses.values()):
        return
    titles = {"cross_entropy": "Cross-entropy", "kl": "KL divergence"}
    for column, (part, title) in zip(st.columns(2), titles.items(), strict=True):
        curves = {
            name: (
                [getattr(loss, part) for loss in history],
                [getattr(loss, f"validation_{part}") for loss in history],
            )
            for name, history in losses.items()
        }
        column.markdown(f"**{title}**, nats an image")
        column.plotly_chart(
            figures.loss_curves(curves),
            key=f"curves-{part}",
            config={"displayModeBar": False},
            alt=f"{title} of each epoch, on training and on validation images",
        )
    st.caption("Solid: training images. Dotted: validation images, which are not trained on.")
