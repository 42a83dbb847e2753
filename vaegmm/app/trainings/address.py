"""Which trainings are looked at: kept for the session, and in the address once they were chosen."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import streamlit as st

#: The views of the page, by what their tabs are called.
WATCH, COMPARE = "Watch", "Compare"
_TAB = "tab"  # the key of the tabs, and their parameter of the address
_RUN, _COMPARED = "run", "compare"  # parameters of the address
_WATCHED, _CHOSEN = "watched", "compared"  # keys of the session


def watched(names: Collection[str]) -> str | None:
    """Return the run that is looked at: the address's, else the session's, or None.

    Args:
        names: of the runs there are.
    """
    asked = (st.query_params.get(_RUN), st.session_state.get(_WATCHED))
    return next((name for name in asked if name in names), None)


def look_at(name: str) -> None:
    """Make a run the one that is looked at, here and in the address."""
    st.session_state[_WATCHED] = st.query_params[_RUN] = name


def compared(names: Collection[str]) -> list[str]:
    """Return the runs that are compared, as far as they are there."""
    if _COMPARED in st.query_params:
        asked = st.query_params.get_all(_COMPARED)
    else:
        asked = st.session_state.get(_CHOSEN, [])
    return [name for name in dict.fromkeys(asked) if name in names]


def compare(names: Iterable[str]) -> None:
    """Make some runs those that are compared, here and in the address."""
    st.session_state[_CHOSEN] = list(names)
    st.query_params[_COMPARED] = st.session_state[_CHOSEN]


def open_watch(name: str) -> None:
    """Turn to the film of a run; a callback: tabs can be turned only before they are drawn."""
    look_at(name)
    st.session_state[_TAB] = WATCH


def open_compare(names: Iterable[str]) -> None:
    """Turn to the comparison of some runs; a callback, as `open_watch` is."""
    compare(names)
    st.session_state[_TAB] = COMPARE


def tabs() -> list[st.delta_generator.DeltaGenerator]:
    """Draw the tabs of the page; only the open one's content is to be drawn."""
    return list(st.tabs([WATCH, COMPARE], key=_TAB, on_change="rerun", bind="query-params"))
