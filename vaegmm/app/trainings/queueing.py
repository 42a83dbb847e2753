"""How many trainings run at once; the others wait for their turn."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.permission import is_owner
from vaegmm.app.trainings import changes
from vaegmm.app.words import sentence
from vaegmm.errors import ReasonedError
from vaegmm.runs import queue

_AT_ONCE = "at_once"


def offer_at_once() -> None:
    """Choose how many trainings run side by side."""
    if not is_owner():
        return
    st.session_state[_AT_ONCE] = queue.settings().at_once
    st.number_input(
        "At once",
        min_value=1,
        max_value=queue.MOST_AT_ONCE,
        help="So many trainings run side by side. The others wait, and start by themselves.",
        key=_AT_ONCE,
        on_change=_change,
        width=130,
    )


def _change() -> None:
    try:
        changes.change_settings(st.session_state[_AT_ONCE])
    except ReasonedError as error:
        st.error(sentence(error), icon=":material/error:")
