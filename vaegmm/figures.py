"""Arrays → plotly figures; no Streamlit here, and nothing about models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

# One colour a digit, 0 to 9: as far apart as ten can be, also for colour-blind eyes, and visible
# on light and dark. .streamlit/config.toml has the same list.
PALETTE = (
    "#49a69e",
    "#af6745",
    "#764b66",
    "#a386ee",
    "#ca9405",
    "#9d310a",
    "#7272a9",
    "#61cbe6",
    "#afc48a",
    "#494dad",
)


def loss_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float | None]]],
) -> go.Figure:
    """Draw one part of the loss over the epochs of one or several trainings.

    Args:
        curves: for each training its name, and its losses on training (solid) and on validation
            images (dotted), one an epoch, in nats an image.
    """
    figure = go.Figure()
    for index, (name, (training, validation)) in enumerate(curves.items()):
        colour = PALETTE[index % len(PALETTE)]
        for losses, dash, images in (
            (training, "solid", "training"),
            (validation, "dot", "validation"),
        ):
            figure.add_scatter(
                x=list(range(1, len(losses) + 1)),
                y=list(losses),
                # A line needs two points: the first epoch is seen as a dot.
                mode="lines" if len(losses) > 1 else "markers",
                line={"color": colour, "dash": dash, "width": 2},
                name=name,
                legendgroup=name,
                showlegend=dash == "solid" and len(curves) > 1,
                hovertemplate=f"epoch %{{x}}, {images}: %{{y:.2f}}<extra></extra>",
            )
    figure.update_layout(
        height=260,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        xaxis={"title": "epoch", "rangemode": "tozero"},
        legend={"orientation": "h", "y": -0.3},
    )
    return figure
