"""The panel of a new training: it opens over the page and closes when the training has begun."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

_OPEN = "new"  # the key of the panel
_CLOSES = "new_closes"  # the session's key: whether it is to be closed
_WIDTH = 420  # pixels


def new_training() -> DeltaGenerator:
    """Draw the button that opens the panel; return the place for what is in it."""
    if st.session_state.pop(_CLOSES, False):
        st.session_state[_OPEN] = False
    panel = st.popover(
        "New training", type="primary", icon=":material/add:", key=_OPEN, on_change="rerun"
    )
    return panel.container(width=_WIDTH)


def open_it() -> None:
    """Open the panel; a callback."""
    st.session_state[_OPEN] = True


def close() -> None:
    """Close the panel in the next run of the script."""
    st.session_state[_CLOSES] = True
