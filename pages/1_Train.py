"""Train: launch, watch, stop, resume, compare and load trainings."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.page import TEXT_WIDTH, page
from vaegmm.app.trainings.new_run import offer_new_run
from vaegmm.app.trainings.shelf import show_table
from vaegmm.app.trainings.watched import POLL_SECONDS, show_runs
from vaegmm.runs import list_runs


def main() -> None:
    """Draw the page."""
    page("Train")
    st.title("Train")
    st.markdown(
        "An autoencoder learns to bring each image down to a few numbers and back; a mixture of "
        "Gaussians then finds the clusters among those numbers. A training is a process of its "
        "own: it goes on when this page is closed, and what it has learned is kept after every "
        "epoch.",
        width=TEXT_WIDTH,
    )
    new, watched = st.columns([5, 8], gap="large")
    with new:
        st.subheader("A new training", anchor=False)
        offer_new_run()
    with watched:
        st.subheader("Trainings", anchor=False)
        runs = list_runs()
        if runs:
            show_runs(runs)
        else:
            st.markdown(
                "None yet. The preset *quick* on the bundled digits takes about half a minute."
            )
    if runs:
        st.subheader("All trainings", anchor=False)
        any_active = any(run.is_active for run in runs)
        st.fragment(show_table, run_every=POLL_SECONDS if any_active else None)(any_active)


main()
