"""Arrays → plotly figures; no Streamlit here, and nothing about models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from vaegmm.colours import PALETTE, UNNAMED_COLOUR

_FAINT = "rgba(128, 132, 138, 0.35)"  # on light and on dark
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


def likelihood_curve(lower_bounds: Sequence[float]) -> go.Figure:
    """Draw the mean log-likelihood at each iteration of EM, in nats."""
    figure = go.Figure()
    figure.add_scatter(
        x=list(range(1, len(lower_bounds) + 1)),
        y=list(lower_bounds),
        mode="lines+markers" if len(lower_bounds) < 60 else "lines",
        line={"color": PALETTE[9], "width": 2},
        hovertemplate="iteration %{x}: %{y:.4f} nats<extra></extra>",
    )
    figure.update_layout(
        height=280,
        margin=_NO_MARGIN,
        xaxis={"title": "iteration", "rangemode": "tozero"},
        yaxis={"title": "log-likelihood, nats a point"},
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


def ellipses(
    means: np.ndarray, covariances: np.ndarray, n_points: int = 33
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines of one standard deviation around means in the plane.

    Args:
        means: shape (K, 2).
        covariances: shape (K, 2, 2).
        n_points: of one ellipse.

    Returns:
        x and y of all ellipses one after another, parted by NaN, shape (K · (n_points + 1),).
    """
    angle = np.linspace(0, 2 * np.pi, n_points)
    circle = np.stack([np.cos(angle), np.sin(angle)])  # (2, P)
    values, vectors = np.linalg.eigh(covariances)
    roots = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
    lines = means[:, :, None] + roots @ circle  # (K, 2, P)
    lines = np.concatenate([lines, np.full((*lines.shape[:2], 1), np.nan)], axis=-1)
    return lines[:, 0].ravel(), lines[:, 1].ravel()


def em_playback(
    points: np.ndarray,
    frames: Sequence[tuple[int, float, np.ndarray, np.ndarray]],
) -> go.Figure:
    """Draw EM at work: some points, and the components' ellipses at each iteration.

    Args:
        points: in the plane of the projection, shape (N, 2); those to show.
        frames: of each iteration to show its number, its mean log-likelihood in nats, and the
            components' means (K, 2) and covariances (K, 2, 2) in that plane.
    """

    def lines(means: np.ndarray, covariances: np.ndarray) -> list[go.Scatter]:
        x, y = ellipses(means, covariances)
        line = {"color": PALETTE[5], "width": 1.5}
        centres = {"color": PALETTE[5], "size": 5}
        return [
            go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip"),
            go.Scatter(
                x=means[:, 0], y=means[:, 1], mode="markers", marker=centres, hoverinfo="skip"
            ),
        ]

    figure = go.Figure()
    figure.add_scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        marker={"color": _FAINT, "size": 3},
        hoverinfo="skip",
    )
    figure.add_traces(lines(*frames[0][2:]))
    figure.frames = [
        go.Frame(data=lines(means, covariances), traces=[1, 2], name=str(iteration))
        for iteration, _, means, covariances in frames
    ]
    now = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}}
    play = {"frame": {"duration": 120, "redraw": False}, "transition": {"duration": 0}}
    low, high = np.quantile(points, [0.001, 0.999], axis=0)
    room = 0.06 * (high - low)
    figure.update_layout(
        height=560,
        margin={"l": 0, "r": 0, "t": 8, "b": 24},
        showlegend=False,
        xaxis={"range": [low[0] - room[0], high[0] + room[0]], "visible": False},
        yaxis={
            "range": [low[1] - room[1], high[1] + room[1]],
            "visible": False,
            "scaleanchor": "x",
        },
        sliders=[
            {
                "currentvalue": {
                    "prefix": "iteration ",
                    "xanchor": "left",
                    "font": {"color": UNNAMED_COLOUR, "size": 13},
                },
                "pad": {"t": 8, "l": 76, "b": 20},
                "bgcolor": UNNAMED_COLOUR,
                "bordercolor": UNNAMED_COLOUR,
                "activebgcolor": PALETTE[5],
                "steps": [
                    {
                        "label": f"{iteration}: {bound:.3f} nats" if np.isfinite(bound) else "end",
                        "method": "animate",
                        "args": [[str(iteration)], now],
                    }
                    for iteration, bound, _, _ in frames
                ],
                "ticklen": 0,
                "font": {"color": "rgba(0,0,0,0)", "size": 1},
            }
        ],
        updatemenus=[
            {
                "type": "buttons",
                "x": 0,
                "y": 0,
                "xanchor": "left",
                "yanchor": "top",
                "pad": {"t": 30, "b": 12},
                "showactive": False,
                "bgcolor": "rgba(0,0,0,0)",
                "bordercolor": UNNAMED_COLOUR,
                "font": {"color": UNNAMED_COLOUR},
                "buttons": [{"label": "Play", "method": "animate", "args": [None, play]}],
            }
        ],
    )
    return figure
