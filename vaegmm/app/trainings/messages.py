"""Short messages that outlive the rerun which what they are about asks for."""

from __future__ import annotations

import streamlit as st

_NEXT = "next_message"


def say_next(text: str, icon: str) -> None:
    """Say something in the next run of the script."""
    st.session_state[_NEXT] = (text, icon)


def show() -> None:
    """Say what the last run left to be said."""
    if (message := st.session_state.pop(_NEXT, None)) is not None:
        text, icon = message
        st.toast(text, icon=icon)
