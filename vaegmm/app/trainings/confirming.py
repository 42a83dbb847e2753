"""Questions that are asked before a training starts that may not be meant as it is set."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.trainings.images import Choice
from vaegmm.config import TrainConfig

_ASKED = "asked"  # the session's key: what was asked about


def is_meant(pressed: bool, choice: Choice, config: TrainConfig, doubts: list[str]) -> bool:
    """Tell whether a training is to start: at once, or where there are doubts after a second press.

    Args:
        pressed: whether somebody has just asked for the start.
        choice: the images.
        config: what to train.
        doubts: what would happen that is hardly meant, in words.
    """
    subject = (choice.name, config, *doubts)
    if pressed and not doubts:
        return True
    if pressed:
        st.session_state[_ASKED] = subject
    if not doubts or st.session_state.get(_ASKED) != subject:
        return False
    with st.container(border=True):
        for doubt in doubts:
            st.markdown(f":material/help: {doubt}")
        with st.container(horizontal=True):
            is_sure = st.button("Start all the same", key="start_all_the_same")
            if st.button("Change it", type="tertiary", on_click=_forget, key="change_it"):
                return False
    if is_sure:
        _forget()
    return is_sure


def _forget() -> None:
    st.session_state.pop(_ASKED, None)
