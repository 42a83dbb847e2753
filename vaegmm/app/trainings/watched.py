"""The training that is looked at: its film, where it stands, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from vaegmm.app import show
from vaegmm.app.choice import is_chosen
from vaegmm.app.page import TEXT_WIDTH
from vaegmm.app.permission import is_owner
from vaegmm.app.run_routes import shipped
from vaegmm.app.trainings import address, films
from vaegmm.app.trainings.about import offer_edit
from vaegmm.app.trainings.actions import offer_actions
from vaegmm.app.trainings.saying import BADGES, Phase, duration, phase_of, seconds_of, words_for
from vaegmm.app.words import distinct, plain, say, sentence
from vaegmm.runs import Run, RunError, data_title, queue
from vaegmm.settings import describe

POLL_SECONDS = 1.0
_CHOOSER = "run"
_WIDTH = 64  # characters of a title that the box has room for


def show_watched(runs: Sequence[Run]) -> None:
    """Choose one training, or one that comes with the project, and show all there is of it."""
    by_name = {run.name: run for run in runs}
    name = choose(by_name)
    if (training := films.find_shipped(name)) is not None:
        films.show_shipped(training)
        return
    run = by_name[name]
    phase = phase_of(run.status)
    state, actions = st.columns([2, 3], vertical_alignment="center")
    with state:
        st.fragment(show_state, run_every=POLL_SECONDS if phase != "ended" else None)(run, phase)
    with actions:
        try:
            offer_actions(run)
        except RunError as error:
            st.error(sentence(error), icon=":material/error:")
    show_notes(run)
    films.show(run)
    if run.is_finished:
        show_outcome(run)


def choose(by_name: dict[str, Run]) -> str:
    """Choose whose film is looked at; return its name."""
    titles = {name: run.title for name, run in by_name.items()}
    titles.update({training.id: training.name for training in shipped()})
    name = address.watched(titles) or next(iter(titles))
    st.session_state[_CHOOSER] = name
    labels = distinct(titles, _WIDTH)  # of those that look the same, one could not be chosen
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Training",
            list(titles),
            format_func=lambda name: labels.get(name, str(name)),
            key=_CHOOSER,
            on_change=lambda: address.look_at(st.session_state[_CHOOSER]),
            label_visibility="collapsed",
        )
        if name in by_name:
            offer_edit(by_name[name])
    return name


def welcome() -> None:
    """Show what a training is to whoever has none: that of the model that ships."""
    for training in shipped()[:1]:
        films.show_shipped(training)
    st.markdown(
        "An autoencoder learns to bring each image down to a few numbers and back; a mixture of "
        "Gaussians then finds the clusters among those numbers. A training is a process of its "
        "own: it goes on when this page is closed, and what it has learned is kept after every "
        "epoch. The preset *quick* on the bundled digits takes about half a minute.",
        width=TEXT_WIDTH,
    )


def show_state(run: Run, phase: Phase) -> None:
    """Say where a run stands.

    Args:
        run: that is looked at.
        phase: it was in when the page was drawn: in another, other things can be done with it.
    """
    status = run.status
    if phase_of(status) != phase:
        st.rerun()
    badge = BADGES[status.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(badge.word, icon=badge.icon, color=badge.colour)
        for tag in run.about.tags:
            st.badge(plain(tag), color="gray")
        what = f"{describe(run.config)} on {data_title(run.settings['data'])}"
        st.caption(plain(what), width="content")
    show_progress(run)


def show_notes(run: Run) -> None:
    """Show what is to be said of a run beyond its state."""
    status = run.status
    if len(run.title) > _WIDTH:
        st.text(run.title)
    if run.about.note:
        st.text(run.about.note, width=TEXT_WIDTH)
    if status.state == "failed":
        st.error(say(status.reason, status.facts), icon=":material/error:")
        if is_owner() and (log := run.log_tail()):  # it names files of this machine
            with st.expander("The end of its log", icon=":material/article:"):
                st.code(log, language=None, wrap_lines=True)


def show_progress(run: Run) -> None:
    """Say how far a run is that is not finished."""
    status = run.status
    if status.state == "finished":
        return
    if status.state == "waiting":
        place = queue.place(run) or 1  # it may have started a moment ago
        st.caption(
            "It is the next to start, by itself, when a training ends."
            if place == 1
            else f"It is number {place} of those that wait; they start by themselves, in turn."
        )
    elif status.state == "training" and status.progress is not None:
        st.progress(status.progress.fraction, text=words_for(status.progress, run.config))
    elif status.state == "fitting":
        st.progress(1.0, text="All epochs are done; the mixture is being fitted …")
    else:
        done, epochs = len(run.losses), run.config.epochs
        words = "Getting ready …" if run.is_active else f"{done} of {epochs} epochs are kept."
        st.progress(done / epochs, text=words)


def show_outcome(run: Run) -> None:
    """Show the figures of a finished run, and where to go with its model."""
    with st.container(horizontal=True):
        show.metrics(run.metrics)
        if (seconds := seconds_of(run.losses)) is not None:
            st.metric("Took", duration(seconds), width="content")
    if is_chosen(run.model_path):
        st.markdown("Every page shows this model now. Go on with it:")
        with st.container(horizontal=True):
            st.page_link("pages/3_Latent_space.py", label="Walk through its latent space")
            st.page_link("pages/4_Mixture.py", label="See its clusters")
            st.page_link("pages/5_Draw.py", label="Draw for it")
