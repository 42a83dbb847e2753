"""Arrays → plotly figures; no Streamlit here, and nothing about models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from vaegmm.app.words import share
from vaegmm.colours import PALETTE, UNNAMED_COLOUR, colour_of

_NO_MARGIN = {"l": 0, "r": 8, "t": 8, "b": 0}


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
        margin=_NO_MARGIN,
        xaxis={"title": "epoch", "rangemode": "tozero"},
        legend={"orientation": "h", "y": -0.3},
    )
    return figure


def value_bars(values: Mapping[str, float], colours: Sequence[str], title: str) -> go.Figure:
    """Draw a number for each of some names.

    Args:
        values: the numbers by name.
        colours: one for each.
        title: what the numbers are, with their unit.
    """
    figure = go.Figure()
    figure.add_bar(
        x=list(values),
        y=list(values.values()),
        marker={"color": list(colours)},
        hovertemplate="%{x}: %{y:.4g}<extra></extra>",
    )
    figure.update_layout(
        height=240,
        margin=_NO_MARGIN,
        bargap=0.25,
        xaxis={"type": "category", "fixedrange": True},
        yaxis={"title": title, "fixedrange": True},
    )
    return figure


def component_sizes(
    weights: np.ndarray, labels: np.ndarray, label_names: Mapping[int, str]
) -> go.Figure:
    """Draw the weight of each component, largest first, in the colour of its name.

    Args:
        weights: mixing weights, shape (K,).
        labels: the label that each component is named after, negative where none, shape (K,).
        label_names: what the legend calls the labels.
    """
    order = np.argsort(-weights)
    rank = np.empty(len(weights), dtype=int)
    rank[order] = np.arange(len(weights))
    figure = go.Figure()
    for label, name in label_names.items():
        members = np.flatnonzero(labels == label)
        if len(members):
            figure.add_bar(
                x=rank[members] + 1,
                y=100 * weights[members],
                name=name,
                width=0.9,  # plotly would make it up from the gaps within one colour
                marker={"color": colour_of(label), "line": {"width": 0}},
                customdata=members,
                hovertext=[share(weight) for weight in weights[members]],
                hovertemplate="cluster %{customdata}: %{hovertext}<extra>%{fullData.name}</extra>",
            )
    figure.update_layout(
        height=280,
        margin=_NO_MARGIN,
        barmode="overlay",
        xaxis={"title": "clusters, largest first", "showgrid": False},
        yaxis={"title": "share of the images", "tickformat": ".1f", "ticksuffix": " %"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure


def confusion_matrix(counts: np.ndarray, names: Sequence[str]) -> go.Figure:
    """Draw how often each label (row) was read as each label (column).

    Rows are coloured by share, so that rare labels are seen as well as frequent ones.

    Args:
        counts: shape (C, C).
        names: what the labels are called.
    """
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure = go.Figure()
    figure.add_heatmap(
        z=shares,
        x=list(names),
        y=list(names),
        colorscale=[(0.0, "rgba(73, 77, 173, 0)"), (0.12, "#8f92cf"), (1.0, "#494dad")],
        zmin=0,
        zmax=1,
        showscale=False,
        customdata=counts,
        xgap=1,
        ygap=1,
        hovertext=[[share(part) for part in row] for row in shares],
        hovertemplate="%{y} read as %{x}: %{customdata} (%{hovertext})<extra></extra>",
    )
    if len(names) <= 12:
        # Not the heatmap's own text: its colour is chosen for light pages.
        figure.add_scatter(
            x=list(names) * len(names),
            y=np.repeat(names, len(names)),
            mode="text",
            text=counts.ravel(),
            textfont={"color": np.where(shares.ravel() > 0.1, "#ffffff", UNNAMED_COLOUR)},
            hoverinfo="skip",
        )
    figure.update_layout(
        height=max(360, 34 * len(names)),
        margin=_NO_MARGIN,
        xaxis={"title": "read as", "type": "category", "showgrid": False, "fixedrange": True},
        yaxis={
            "title": "digit",
            "type": "category",
            "autorange": "reversed",
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return figure
