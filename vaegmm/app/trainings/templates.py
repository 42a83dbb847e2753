"""The training that a new one is a duplicate of: what it was fills the form."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.permission import owner_only
from vaegmm.app.trainings import images, panel
from vaegmm.runs import Prefill, Run, RunError, duplicate, runs_folder

#: What the form calls the settings of a duplicated run, beside the presets.
COPY = "copy"
#: Keys of the widgets for what people write on a training.
TITLE, NOTE, TAGS = "new_title", "new_note", "new_tags"
_TEMPLATE = "template"  # the session's key: the name of the run
_USED = "used"  # the session's key: whether what was written belongs to a run by now


@owner_only
def use(run: Run) -> None:
    """Fill the form with a run's images and settings; a callback, before the form is drawn."""
    filled = duplicate(run)
    st.session_state[_TEMPLATE] = run.name
    st.session_state["preset"] = COPY
    st.session_state["device"] = filled.device
    st.session_state["attempts"] = filled.attempts
    write(filled.title, filled.note, filled.tags)
    images.fill_in(filled.data)
    panel.open_it()


def template() -> tuple[Run, Prefill] | None:
    """Return the run that is duplicated and what it fills in, or None."""
    name = st.session_state.get(_TEMPLATE)
    if name is None:
        return None
    try:
        run = Run.open(runs_folder() / name)
        return run, duplicate(run)
    except RunError:  # deleted meanwhile
        return None


def write(title: str = "", note: str = "", tags: tuple[str, ...] = ()) -> None:
    """Write on the new training what is given, before the form is drawn."""
    st.session_state.update({TITLE: title, NOTE: note, TAGS: list(tags)})


def use_up() -> None:
    """Leave name, note and tags to the training that has just begun; the next has its own."""
    st.session_state[_USED] = True


def begin() -> None:
    """Set up what the form needs before it is drawn."""
    if st.session_state.pop(_USED, False) or TITLE not in st.session_state:
        write()
