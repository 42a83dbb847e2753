"""Arrays → plotly figures; no Streamlit here, and nothing about models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from vaegmm.colours import PALETTE

_NO_MARGIN = {"l": 0, "r": 8, "t": 8, "b": 0}


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


def size_curves(
    curves: Mapping[str, Mapping[int, float]], title: str, is_low_best: bool
) -> go.Figure:
    """Draw a criterion over the number of components, a curve for each covariance type.

    Args:
        curves: by type and number of components; the best point of all is ringed.
        title: what the criterion is called.
        is_low_best: whether the lowest value is the best.
    """
    figure = go.Figure()
    best = (min if is_low_best else max)(
        value for curve in curves.values() for value in curve.values()
    )
    sizes = sorted({size for curve in curves.values() for size in curve})
    for index, (kind, curve) in enumerate(curves.items()):
        numbers, values = list(curve), list(curve.values())
        figure.add_scatter(
            x=numbers,
            y=values,
            mode="lines+markers",
            name=kind,
            line={"color": PALETTE[(9, 3, 4, 6)[index % 4]], "width": 2},
            marker={"size": [16 if value == best else 10 for value in values]},
            unselected={"marker": {"opacity": 1}},  # a click chooses, and dims nothing
            customdata=[(number, kind) for number in numbers],
            hovertemplate=f"%{{x}} clusters, {kind}: %{{y:,.4~f}}<extra></extra>",
        )
    figure.update_layout(
        height=360,
        margin=_NO_MARGIN,
        dragmode="pan",  # with it a click selects a point
        xaxis={"title": "clusters", "type": "log", "tickvals": sizes, "fixedrange": True},
        yaxis={"title": title, "fixedrange": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure
