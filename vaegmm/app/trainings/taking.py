"""What of a training can be taken along: its model, its film, its curves, and its command."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import streamlit as st

from vaegmm.app.permission import is_owner
from vaegmm.browser.film_page import film_html
from vaegmm.comparison import losses_csv
from vaegmm.film import read_film
from vaegmm.film.export import write_gif, write_mp4
from vaegmm.runs import Run, command_of

#: Of files that a film can be written as: what each is good for.
_FILMS = {
    "gif": "A picture that moves, for slides and chats. It takes a few seconds to write.",
    **({"mp4": "A video: sharper and smaller."} if find_spec("av") else {}),
    "html": "A page that plays it as this one does, without a network.",
}
_writing = threading.Lock()  # one film at a time: each takes a core for seconds


def offer_files(run: Run) -> None:
    """Offer what there is of a run by now as files, and the command that trains the same."""
    with st.popover("Take along", icon=":material/download:"):
        if run.is_finished:
            offer("Model", "safetensors", run, run.model_path.read_bytes, "download")
        if run.losses:
            offer("Curves, as CSV", "csv", run, partial(losses_csv, run), "curves_csv")
        if run.film_path.is_file():
            st.markdown("Film")
            with st.container(horizontal=True, gap="small"):
                for kind, text in _FILMS.items():
                    film = partial(film_as, kind, run)
                    offer(kind.upper(), kind, run, film, f"film_{kind}", text)
        if is_owner():  # it names files of this machine
            st.markdown("The same training from the command line")
            st.code(command_of(run), language="bash", wrap_lines=True)


def offer(
    label: str,
    ending: str,
    run: Run,
    content: Callable[[], str | bytes],
    key: str,
    text: str | None = None,
) -> None:
    """Offer a file of a run, which is written when somebody asks for it."""
    st.download_button(
        label,
        content,
        file_name=f"{run.name}.{ending}",
        icon=":material/download:",
        help=text,
        on_click="ignore",
        key=key,
    )


def film_as(kind: str, run: Run) -> bytes:
    """Write a run's film as a file of one of the kinds; once, for all who ask for it."""
    film = run.film_path
    with _writing:
        return _written(kind, str(film), film.stat().st_size, run.title)


@st.cache_resource(max_entries=4, show_spinner=False)
def _written(kind: str, film: str, n_bytes: int, title: str) -> bytes:
    if kind == "html":
        return film_html(film, title)
    write = write_gif if kind == "gif" else write_mp4
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"film.{kind}")
        write(read_film(film), path, title)
        return path.read_bytes()
