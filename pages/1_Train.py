"""Train: start trainings, watch them as films, compare them, and keep them in order."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.page import page
from vaegmm.app.trainings import address, messages, panel
from vaegmm.app.trainings.actions import offer_undo
from vaegmm.app.trainings.compared import show_compared
from vaegmm.app.trainings.new_run import offer_new_run
from vaegmm.app.trainings.queueing import offer_at_once
from vaegmm.app.trainings.shelf import is_busy, show_shelf
from vaegmm.app.trainings.watched import POLL_SECONDS, show_watched, welcome
from vaegmm.runs import list_runs, sound_runs


def main() -> None:
    """Draw the page."""
    page("Train")
    messages.show()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title("Train", width="stretch")
        new = panel.new_training()
    with new:
        offer_new_run()
    offer_undo()
    watch, compare = address.tabs()
    if watch.open:
        with watch:
            show_film()
    if compare.open:
        with compare:
            show_compared(sound_runs())
    show_all()


def show_film() -> None:
    """Show the training that is looked at, or what one is to whoever has none."""
    runs = sound_runs()
    if runs:
        show_watched(runs)
    else:
        welcome()


def show_all() -> None:
    """List all trainings, where there are some."""
    runs = list_runs()
    if not runs:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("All trainings", anchor=False, width="stretch")
        offer_at_once()
    any_busy = any(is_busy(run) for run in runs)
    st.fragment(show_shelf, run_every=POLL_SECONDS if any_busy else None)(any_busy)


main()
