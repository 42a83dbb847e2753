"""Draw: draw a digit, and see at once what the model thinks and why."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vaegmm.app import cached, explore, hand, in_page, photo, show
from vaegmm.app.page import page, stop_without_model
from vaegmm.app.words import say_verdict, sentence, share
from vaegmm.checkpoint import to_bytes
from vaegmm.model import VAEGMM
from vaegmm.reading import Reading, read_strokes

# Without icons: what is chosen stands in the address as it is called.
_SOURCES = {"digit": "A digit", "number": "A number", "photo": "A photo", "camera": "Camera"}


def main() -> None:
    """Draw the page."""
    model = page("Draw")
    if model is None:
        st.title("Draw")
        stop_without_model()
    if model.names is None:
        st.title("Draw")
        st.info(
            "This model was trained without labels: its clusters have no names, and it cannot "
            "read. Choose another in the sidebar.",
            icon=":material/info:",
        )
        st.stop()
    draw_and_read(model)


@st.fragment
def draw_and_read(model: VAEGMM) -> None:
    """Take digits, and show what the model makes of them; only this reruns after a stroke."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.title("Draw", width="content")
        source = st.segmented_control(
            "Read",
            list(_SOURCES),
            default="digit",
            format_func=_SOURCES.__getitem__,
            required=True,
            label_visibility="collapsed",
            key="source",
            bind="query-params",
        )
    if source in ("digit", "number"):
        drawn = in_page.draw(model, key="draw", source=source)
        try:
            model = hand.adapted(model, drawn)
        except ValueError as error:
            st.info(sentence(error), icon=":material/info:")
        if source == "digit":
            show_reasons(model, drawn.strokes)
    else:
        photo.show(model, source)


def show_reasons(model: VAEGMM, strokes: Any) -> None:
    """Show what takes the training images or some time; what is closed costs nothing."""
    nearest = reason("The training images that lie nearest", ":material/my_location:", "nearest")
    change = reason("What it would take to change my mind", ":material/alt_route:", "change")
    mine = reason("Take my model home", ":material/home_app_logo:", "mine")
    if nearest.open or change.open:
        try:
            reading = read_strokes(model, strokes)
        except ValueError as error:
            (nearest if nearest.open else change).caption(sentence(error))
            reading = None
    if nearest.open and reading is not None:
        with nearest:
            show_nearest(model, reading)
    if change.open and reading is not None:
        with change:
            show_runner_up(model, reading)
    if mine.open:
        with mine:
            offer_model(model)


def reason(title: str, icon: str, key: str, is_open: bool = False) -> Any:
    """Offer a part that is made when it is opened, and stays open for the next drawing."""
    return st.expander(
        title, icon=icon, expanded=is_open, on_change="rerun", key=key, bind="query-params"
    )


def show_nearest(model: VAEGMM, reading: Reading) -> None:
    """Show the stored z nearest to a drawing."""
    rows, distances = explore.nearest_latents(model, reading.z, 10)
    show.tiles(
        [[image] for image in model.decode(model.latents[rows])],
        [f"{distance:.2f}" for distance in distances],
        size=64,
    )
    title, certainty, _ = say_verdict(reading, model.label_names)
    said = f"{title} ({certainty})" if certainty else title
    st.caption(
        f"Read as {said}. The nearest training images in all {len(reading.z)} dimensions, decoded, "
        "with their distances."
    )


def show_runner_up(model: VAEGMM, reading: Reading) -> None:
    """Show the straight way to the second most probable digit."""
    try:
        way = explore.way_to_runner_up(model, reading)
    except ValueError as error:
        st.caption(sentence(error))
        return
    names = model.label_names
    show.tiles([[image] for image in way.images], [names[label] for label in way.labels], size=56)
    runner_up = names[way.runner_up]
    turn = 0 if way.turn is None else way.turn / (len(way.labels) - 1)
    st.caption(
        f"The runner-up is {runner_up} ({share(reading.probabilities[way.runner_up])}). The way "
        f"from the drawing to the nearest cluster of that name, decoded: "
        + (
            "it is never reached."
            if way.turn is None
            else f"after {share(turn, 0)} of it I would say {runner_up}."
        )
    )


def offer_model(model: VAEGMM) -> None:
    """Offer the model with all that it has learned here, as a checkpoint and as a page."""
    if model.examples is None:
        st.caption("As soon as it has learned something of your hand, the model is yours to take.")
        return
    st.caption(
        f"This model, adapted to {model.examples.count} drawings of your hand: as a checkpoint for "
        "this app and the command line, and as one file that runs in any browser."
    )
    with st.container(horizontal=True):
        st.download_button(
            "mine.safetensors",
            lambda: to_bytes(model),
            file_name="mine.safetensors",
            icon=":material/download:",
            on_click="ignore",
            key="download_checkpoint",
        )
        st.download_button(
            "mine.html",
            lambda: cached.export(model),
            file_name="mine.html",
            mime="text/html",
            icon=":material/download:",
            on_click="ignore",
            key="download_page",
        )


main()
