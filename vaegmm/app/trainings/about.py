"""What people write on a training: its name, a note, tags."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.permission import is_owner
from vaegmm.app.trainings import changes
from vaegmm.app.words import sentence
from vaegmm.errors import ReasonedError
from vaegmm.runs import Run, list_runs


def offer_edit(run: Run) -> None:
    """Change what is written on a run, in place."""
    if not is_owner():
        return
    about = run.about
    title, note, tags = (f"{part}-{run.name}" for part in ("title", "note", "tags"))
    if title not in st.session_state:
        st.session_state.update({title: about.title, note: about.note, tags: list(about.tags)})
    with st.popover("", icon=":material/edit:", help="Name, note and tags"):
        st.text_input("Name", placeholder=run.title, key=title)
        st.text_area("Note", key=note, height=100)
        choose_tags(tags)
        if st.button("Keep", type="primary", key="keep"):
            try:
                changes.describe(run, *(st.session_state[key] for key in (title, note, tags)))
            except ReasonedError as error:
                st.error(sentence(error), icon=":material/error:")
            else:
                st.rerun()


def choose_tags(key: str) -> list[str]:
    """Choose among the tags there are, or write others.

    Args:
        key: of the session, which holds those to begin with.
    """
    known = {tag for run in list_runs() for tag in run.about.tags}
    return st.multiselect(
        "Tags",
        sorted(known | set(st.session_state.get(key, []))),
        accept_new_options=True,
        placeholder="none",
        key=key,
        persist_state="session",
    )
