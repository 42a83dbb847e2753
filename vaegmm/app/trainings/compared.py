"""Several trainings beside each other: what differs, their curves and their films."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from vaegmm.app.comparing import compare
from vaegmm.app.trainings import address
from vaegmm.app.words import distinct
from vaegmm.runs import Run

_MOST = 6
_WIDTH = 40  # characters of a title that a chosen one has room for
_CHOOSER = "compared_runs"


def show_compared(runs: Sequence[Run]) -> None:
    """Choose some trainings and compare them."""
    if len(runs) < 2:
        st.markdown("Train two, and they stand here beside each other.")
        return
    by_name = {run.name: run for run in runs}
    st.session_state[_CHOOSER] = address.compared(by_name)
    labels = distinct({name: run.title for name, run in by_name.items()}, _WIDTH)
    names = st.multiselect(
        "Trainings",
        list(by_name),
        format_func=lambda name: labels[name],
        max_selections=_MOST,
        placeholder="two or more",
        key=_CHOOSER,
        on_change=lambda: address.compare(st.session_state[_CHOOSER]),
    )
    if len(names) < 2:
        st.markdown("Choose two trainings or more, here or in the list below.")
        return
    compare([by_name[name] for name in names])
