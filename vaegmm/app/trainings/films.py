"""The films that the page plays: a run's, and that of the model that ships."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from vaegmm.app import figures
from vaegmm.app.choice import CHECKPOINTS
from vaegmm.runs import Run

#: By this name routes and addresses know the film of the model that ships.
SHIPPED = "shipped-mnist"
SHIPPED_TITLE = "The model that ships"
SHIPPED_STORY = (
    "How the model that ships was trained: copies of digits that it never trains on come out of "
    "the blur, each made from eight numbers; on the map those numbers of 2,000 digits unfold, and "
    "halfway clusters begin to find their names."
)


def has_shipped() -> bool:
    """Whether the film of the model that ships is there."""
    return (CHECKPOINTS / "mnist.film").is_file()


def show(runs: Sequence[Run]) -> None:
    """Show how some runs went."""
    losses = {run.title: run.losses for run in runs}
    if not any(losses.values()):
        return
    titles = {"cross_entropy": "Cross-entropy", "kl": "KL divergence"}
    for column, (part, title) in zip(st.columns(2), titles.items(), strict=True):
        curves = {
            name: (
                [getattr(loss, part) for loss in history],
                [getattr(loss, f"validation_{part}") for loss in history],
            )
            for name, history in losses.items()
        }
        column.markdown(f"**{title}**, nats an image")
        column.plotly_chart(
            figures.loss_curves(curves),
            key=f"curves-{part}",
            config={"displayModeBar": False},
            alt=f"{title} of each epoch, on training and on validation images",
        )
    st.caption("Solid: training images. Dotted: validation images, which are not trained on.")


def offer_export(run: Run) -> None:
    """Offer a run's film as a file to show elsewhere."""
