"""The films that the page plays: a run's, and those that come with the project."""

from __future__ import annotations

import streamlit as st

from vaegmm.app import in_page
from vaegmm.app.page import TEXT_WIDTH
from vaegmm.app.run_routes import Training, of_run, shipped
from vaegmm.runs import Run

_STORY = (
    "How the model that ships was trained: copies of digits that it never trains on come out of "
    "the blur, each made from eight numbers; on the map those numbers of 2,000 digits unfold, and "
    "halfway clusters begin to find their names."
)


def find_shipped(name: str) -> Training | None:
    """Return a film that comes with the project by its id."""
    return next((training for training in shipped() if training.id == name), None)


def show(run: Run) -> None:
    """Play the film of a run, live while it is trained, with its curves."""
    in_page.trainings([of_run(run)], key="watched_film", standing=run.status.state)


def show_shipped(training: Training) -> None:
    """Play a film that comes with the project, and say what is seen."""
    st.markdown(_STORY, width=TEXT_WIDTH)
    in_page.trainings([training], key="shipped-film", plays=True)
