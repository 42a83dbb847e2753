"""The films that the page plays: a run's, and those that come with the project."""

from __future__ import annotations

import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import streamlit as st

from vaegmm.app import in_page
from vaegmm.app.page import TEXT_WIDTH
from vaegmm.app.run_routes import Training, of_run, shipped
from vaegmm.browser.film_page import film_html
from vaegmm.film import read_film
from vaegmm.film.export import write_gif, write_mp4
from vaegmm.runs import Run

_STORY = (
    "How the model that ships was trained: copies of digits that it never trains on come out of "
    "the blur, each made from eight numbers; on the map those numbers of 2,000 digits unfold, and "
    "halfway clusters begin to find their names."
)


#: Of files that a film can be written as: what each is good for.
_KINDS = {
    "gif": "A picture that moves: for slides and chats. It takes a few seconds to write.",
    **({"mp4": "A video: sharper and smaller."} if find_spec("av") else {}),
    "html": "A page that plays it as this one does, without a network.",
}


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


def offer_export(run: Run) -> None:
    """Offer a run's film as a file to show elsewhere."""
    if not run.film_path.is_file():
        return
    with st.popover("Film", icon=":material/movie:"):
        st.markdown("The film as a file, for a talk or for others:")
        with st.container(horizontal=True):
            for kind, help in _KINDS.items():
                st.download_button(
                    kind.upper(),
                    partial(_film_as, kind, run),
                    file_name=f"{run.name}.{kind}",
                    help=help,
                    on_click="ignore",
                    key=f"film-{kind}",
                )


def _film_as(kind: str, run: Run) -> bytes:
    """Write a run's film as a file of some kind."""
    if kind == "html":
        return film_html(run.film_path, run.title)
    write = write_gif if kind == "gif" else write_mp4
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"film.{kind}")
        write(read_film(run.film_path), path, run.title)
        return path.read_bytes()
