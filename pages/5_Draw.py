"""Draw: draw a digit, and see at once what the model thinks and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from vaegmm.app import explore, in_page, photo, pictures, show
from vaegmm.app.pad import pad
from vaegmm.app.page import TEXT_WIDTH, page, stop_without_model
from vaegmm.app.words import per_cent, sentence, share
from vaegmm.colours import colour_of
from vaegmm.data import LEAST_IMAGES, as_npz
from vaegmm.model import VAEGMM
from vaegmm.preprocess import split_digits
from vaegmm.reading import Reading, read_strokes

# Without icons: what is chosen stands in the address as it is called.
_SOURCES = {"digit": "A digit", "number": "A number", "photo": "A photo", "camera": "Camera"}
_ASPECT = {"digit": 1.0, "number": 2.2}
_MOST_KEPT = 500

# Session keys that no widget owns, so that drawing and history survive a change of page.
_DRAWING = "drawing"
_HISTORY = "history"
_READINGS = "readings"  # those on the screen


def main() -> None:
    """Draw the page."""
    model = page("Draw")
    st.title("Draw")
    if model is None:
        stop_without_model()
    if model.names is None:
        st.info(
            "This model was trained without labels: its clusters have no names, and it cannot "
            "read. Choose another in the sidebar.",
            icon=":material/info:",
        )
        st.stop()
    st.markdown(
        "Draw a digit with the mouse, a pen or a finger, or show one on paper. It becomes the "
        "image that MNIST would have made of it; the model brings that down to a few numbers, and "
        "the clusters they fall into say what it is.",
        width=TEXT_WIDTH,
    )
    draw_and_read(model)


@st.fragment
def draw_and_read(model: VAEGMM) -> None:
    """Take digits, and show what the model makes of them; only this reruns after a stroke."""
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
    if source not in _ASPECT:
        photo.show(model, source)
        show_history(model)
        return
    taking, answer = st.columns([3, 4] if source != "number" else [1, 1], gap="large")
    with taking:
        readings = take_drawing(source, model)
    st.session_state[_READINGS] = readings
    with answer:
        if not readings:
            st.caption(
                "The answer follows at the end of each stroke. Size and place make no difference."
            )
        elif len(readings) == 1:
            show_answer(model, readings[0])
        else:
            show_number(model, readings)
    if len(readings) == 1:
        show_reasons(model, readings[0])
    show_history(model)


def take_drawing(source: str, model: VAEGMM) -> list[Reading]:
    """Offer the pad; read each digit on it."""
    drawing = st.session_state.setdefault(_DRAWING, {}).setdefault(
        source, {"strokes": [], "pad": 0}
    )
    drawing["strokes"] = strokes = pad(
        key=f"pad-{source}-{drawing['pad']}",
        strokes=drawing["strokes"],
        on_keep=keep,
        aspect=_ASPECT[source],
        label="Drawing pad. Enter keeps, Delete clears, Ctrl+Z takes the last stroke back.",
        hint="Draw a digit here" if source == "digit" else "Write digits in a row",
    )
    if not strokes:
        return []
    try:
        digits = [strokes] if source == "digit" else split_digits(strokes)
        return [read_strokes(model, digit) for digit in digits]
    except ValueError as error:
        st.info(sentence(error), icon=":material/info:")
        return []


def show_answer(model: VAEGMM, reading: Reading) -> None:
    """Show the digit, its probabilities, and how typical it is."""
    name, probability = model.label_names[reading.label], reading.probabilities[reading.label]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        show.tiles(
            [[reading.image]], descriptions=["What the model sees"], size=112, width="content"
        )
        with st.container(width="content"):
            st.markdown(f"## {name}", width="content")
            st.markdown(f"{share(probability, 0)} sure", width="content")
    colours = [colour_of(label) for label in range(len(model.label_names))]
    st.html(pictures.probability_bars(reading.probabilities, model.label_names, colours))
    if reading.is_strange:
        st.warning("This doesn't look like a digit to me.", icon=":material/help:")
    st.caption(
        f"More typical than {share(reading.typicality, 0)} of the training images. Left: your "
        "drawing as MNIST would have it, which is what the model sees."
    )
    st.button("Keep", icon=":material/add:", on_click=keep, key="keep")


def show_number(model: VAEGMM, readings: list[Reading]) -> None:
    """Show several digits in a row, and the number that they make."""
    st.markdown(f"## {''.join(model.label_names[reading.label] for reading in readings)}")
    show.tiles(
        [[reading.image] for reading in readings],
        [
            f"{model.label_names[r.label]} {share(r.probabilities[r.label], 0)}"
            + (" ?" if r.is_strange else "")
            for r in readings
        ],
    )
    if any(reading.is_strange for reading in readings):
        st.caption("A question mark: this doesn't look like a digit to me.")
    st.button("Keep", icon=":material/add:", on_click=keep, key="keep")


def show_reasons(model: VAEGMM, reading: Reading) -> None:
    """Show how the model came to its answer, step by step; what is closed costs nothing."""
    way = reason("The way it took", ":material/route:", "way", is_open=True)
    if way.open:
        with way:
            show.way(model, reading.image)
            if len(reading.views) > 1:
                show_views(model, reading)
    place = reason("Where it lies, and what lies near", ":material/my_location:", "place")
    if place.open:
        with place:
            show_neighbourhood(model, reading)
    change = reason("What it would take to change my mind", ":material/alt_route:", "change")
    if change.open:
        with change:
            show_runner_up(model, reading)


def reason(title: str, icon: str, key: str, is_open: bool = False) -> Any:
    """Offer a part that is made when it is opened, and stays open for the next drawing."""
    return st.expander(
        title, icon=icon, expanded=is_open, on_change="rerun", key=key, bind="query-params"
    )


def show_views(model: VAEGMM, reading: Reading) -> None:
    """Show the parts of the drawing that were looked at, and how much each was believed."""
    st.markdown("**Looked at in parts**")
    show.tiles(
        [[view.image] for view in reading.views],
        [f"{model.label_names[view.label]}, {share(view.weight, 0)}" for view in reading.views],
        size=52,
    )
    st.caption(
        "People add flags, hooks and bars. So the drawing counts as it is (first) and without its "
        "beginnings, ends and short strokes: what each would be called, and how much it is "
        "believed, which is how typical it is."
    )


def show_neighbourhood(model: VAEGMM, reading: Reading) -> None:
    """Show the place of the drawing among the stored z, and those nearest to it."""
    rows, distances = explore.nearest_latents(model, reading.z, 10)
    where, nearest = st.columns([2, 3], gap="medium")
    with where:
        in_page.place(model, reading.z, key="place_map")
        st.caption("The drawing among the training images, and the way that it has come.")
    with nearest:
        show.tiles(
            [[image] for image in model.decode(model.latents[rows])],
            [f"{distance:.2f}" for distance in distances],
            size=64,
        )
        st.caption(
            f"The nearest training images in all {len(reading.z)} dimensions, decoded, with their "
            "distances."
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


def keep() -> None:
    """Add what is on the screen to the history, and clear the pad."""
    history = st.session_state.setdefault(_HISTORY, [])
    for reading in st.session_state.get(_READINGS, []):
        if len(history) < _MOST_KEPT:
            history.append({"reading": reading, "truth": reading.label})
    st.session_state[_READINGS] = []
    drawing = st.session_state.get(_DRAWING, {}).get(st.session_state.get("source"))
    if drawing is not None:
        drawing.update(strokes=[], pad=drawing["pad"] + 1)


def show_history(model: VAEGMM) -> None:
    """Show what was kept, take corrections, and offer all of it as a data set."""
    history: list[dict[str, Any]] = st.session_state.get(_HISTORY, [])
    names = model.label_names
    # Another model may have other labels.
    history = [
        entry for entry in history if max(entry["truth"], entry["reading"].label) < len(names)
    ]
    if not history:
        return
    st.subheader("Kept", anchor=False)
    st.caption(
        "Correct what was read wrongly: all of it together tells how well your hand is read."
    )
    edited = st.data_editor(
        [
            {
                "Drawing": pictures.data_uri(entry["reading"].image, show.theme()),
                "Read as": names[entry["reading"].label],
                "Sure": float(per_cent(entry["reading"].probabilities.max(), 0)),
                "It was": names[entry["truth"]],
            }
            for entry in history
        ],
        column_config={
            "Drawing": st.column_config.ImageColumn(width="small"),
            "Sure": st.column_config.NumberColumn(format="%.0f %%"),
            "It was": st.column_config.SelectboxColumn(options=list(names), required=True),
        },
        disabled=["Drawing", "Read as", "Sure"],
        hide_index=True,
        row_height=48,
        width=460,
        key=f"kept-{len(history)}",
    )
    for entry, row in zip(history, edited, strict=True):
        entry["truth"] = names.index(row["It was"])
    right = np.mean([entry["truth"] == entry["reading"].label for entry in history])
    st.markdown(f"**{share(right, 0)}** of {len(history)} were read rightly.")
    with st.container(horizontal=True):
        st.download_button(
            "Download as .npz",
            as_npz(
                np.stack([entry["reading"].image for entry in history]),
                np.array([entry["truth"] for entry in history]),
            ),
            file_name="my-digits.npz",
            icon=":material/download:",
            on_click="ignore",
            help=f"From {LEAST_IMAGES} drawings on. Score them with: "
            "vaegmm evaluate CHECKPOINT --data my-digits.npz",
            disabled=len(history) < LEAST_IMAGES,
            key="download_history",
        )
        st.button(
            "Forget all",
            icon=":material/delete:",
            on_click=lambda: st.session_state.pop(_HISTORY, None),
            key="forget",
        )


main()
