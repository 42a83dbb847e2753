"""What can be done with a training: stop, resume, load, duplicate, delete and undo."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.choice import choose_checkpoint, is_chosen
from vaegmm.app.permission import is_owner
from vaegmm.app.trainings import address, changes, templates
from vaegmm.app.trainings.saying import phase_of
from vaegmm.app.trainings.taking import offer_files
from vaegmm.app.words import plain, sentence
from vaegmm.runs import DamagedRun, Run, RunError

_DELETED = "deleted"  # the session's key of what was deleted last


def offer_actions(run: Run) -> None:
    """Offer what can be done with a run in its state.

    Raises:
        RunError: if it cannot be done.
    """
    phase = phase_of(run.status)
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if not is_owner():
            if run.is_finished:
                offer_to_load(run)
            offer_files(run)
            return
        if phase == "waiting":
            offer_to_start(run)
        elif phase == "active":
            if st.button("Stop", icon=":material/stop:", key="stop"):
                changes.stop(run)
                st.rerun()
        elif run.is_finished:
            offer_to_load(run)
        elif st.button("Resume", type="primary", icon=":material/play_arrow:", key="resume"):
            changes.enqueue(run)
            st.rerun()
        st.button(
            "Duplicate",
            icon=":material/content_copy:",
            help="Fill the form with its images and settings, to change some and start.",
            on_click=templates.use,
            args=[run],
            key="duplicate",
        )
        offer_files(run)
        if phase == "ended" and st.button("Delete", icon=":material/delete:", key="delete"):
            delete([run])


def offer_to_start(run: Run) -> None:
    """Offer to start a waiting run now, or to take it out of the queue."""
    if st.button("Start now", type="primary", icon=":material/play_arrow:", key="start_now"):
        changes.start_now(run)
        st.rerun()
    if st.button("Don't start it", icon=":material/close:", key="cancel"):
        changes.cancel(run)
        st.rerun()


def offer_to_load(run: Run) -> None:
    """Offer to show the result of a finished run on every page."""
    if st.button(
        "Load",
        type="primary",
        icon=":material/check:",
        on_click=choose_checkpoint,
        args=[run.model_path],
        disabled=is_chosen(run.model_path),
        key="load",
    ):
        st.toast("Every page shows this model now.", icon=":material/check:")


def delete(runs: list[Run | DamagedRun]) -> None:
    """Delete some runs, to be taken back by `offer_undo`, and draw the page anew.

    Raises:
        RunError: if one of them cannot be deleted; those before it are.
    """
    deleted = st.session_state[_DELETED] = []
    for run in runs:
        deleted.append(changes.discard(run))
    st.rerun()


def offer_undo() -> None:
    """Say what was deleted last, and offer to have it back."""
    deleted = st.session_state.get(_DELETED)
    if not deleted:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        what = (
            f"**{plain(deleted[0].title)}**" if len(deleted) == 1 else f"{len(deleted)} trainings"
        )
        st.markdown(f"Deleted {what}.", width="stretch")
        st.button("Dismiss", type="tertiary", on_click=_forget_deleted, key="dismiss")
        if st.button("Undo", icon=":material/undo:", key="undo"):
            try:
                paths = [changes.restore(entry) for entry in deleted]
            except RunError as error:
                st.error(sentence(error), icon=":material/error:")
            else:
                _forget_deleted()
                address.look_at(paths[0].name)
                st.rerun()


def _forget_deleted() -> None:
    st.session_state.pop(_DELETED, None)
