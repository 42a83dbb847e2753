"""What more than one page shows: tiles of images, charts, figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import streamlit as st

from vaegmm.app import figures, pictures
from vaegmm.app.words import share


def theme() -> Literal["light", "dark"]:
    """Return the appearance that the viewer has chosen."""
    return "dark" if st.context.theme.type == "dark" else "light"


def count_presses(label: str, key: str) -> int:
    """Draw a button that asks for others of something; return how often it was pressed."""
    presses = f"{key}_presses"

    def press() -> None:
        st.session_state[presses] = st.session_state.get(presses, 0) + 1

    st.button(label, icon=":material/refresh:", key=key, on_click=press)
    return int(st.session_state.get(presses, 0))


def tiles(
    columns: Sequence[Sequence[np.ndarray]],
    captions: Sequence[str] = (),
    descriptions: Sequence[str] = (),
    size: int = 72,
    width: Literal["stretch", "content"] = "stretch",
) -> None:
    """Show small images, each column of them above its caption."""
    st.html(pictures.tiles(columns, captions, descriptions, size, theme()), width=width)


def chart(figure: figures.go.Figure, key: str, alt: str) -> None:
    """Show a figure that is looked at and not zoomed."""
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)


def metrics(measured: dict[str, Any]) -> None:
    """Show what a model has come to on held-out images, as far as it was measured."""
    shown = {
        "classification_accuracy": (
            "Classification",
            share,
            "Test images read rightly, with clusters named by {n_labels:,} labelled images.",
        ),
        "clustering_accuracy": (
            "Clustering",
            share,
            "With {n_clusters} clusters and no labels at all: test images that agree with the best "
            "assignment of clusters to digits.",
        ),
        "latents_in_use": (
            "Latents in use",
            lambda n: f"{n} of {measured['latent_dim']}",
            "Dimensions that tell images apart.",
        ),
        "cross_entropy": (
            "Cross-entropy, test",
            "{:.1f} nats".format,
            "How far the reconstruction of a test image is from it, on average.",
        ),
    }
    for key, (name, say, text) in shown.items():
        if key in measured:
            value = say(measured[key])
            st.metric(name, value, help=text.format(**measured), width="content")
