"""Arrays → plotly figures; no Streamlit here, and nothing about models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from vaegmm.app.words import share
from vaegmm.colours import PALETTE, UNNAMED_COLOUR, colour_of, shades_of

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


def latent_scatter(
    points: np.ndarray,
    labels: np.ndarray,
    label_names: Mapping[int, str],
    shades: np.ndarray | None = None,
    axis_names: Sequence[str] = (),
    marks: np.ndarray | None = None,
) -> go.Figure:
    """Draw points of the latent space, a trace and an entry of the legend for each label.

    A click on a point gives its row as `customdata`.

    Args:
        points: shape (N, 2) or (N, 3), float32.
        labels: whole numbers that choose the colour, shape (N,).
        label_names: what the legend calls them.
        shades: in [0, 1], light to dark within a label's colour, shape (N,).
        axis_names: one for each column of `points`.
        marks: points to mark, such as means, shape (M, 2) or (M, 3).
    """
    figure = go.Figure()
    for label, name in label_names.items():
        rows = np.flatnonzero(labels == label).astype(np.int32)
        if not len(rows):
            continue
        marker: dict[str, object] = {"color": colour_of(label)}
        if shades is not None:
            marker = {
                "color": shades[rows].astype(np.float32),
                "cmin": 0,
                "cmax": 1,
                "colorscale": shades_of(label),
            }
        _add_points(figure, points, rows, name, marker)
    return _finish_scatter(figure, points, axis_names, marks)


def latent_scatter_by_value(
    points: np.ndarray,
    values: np.ndarray,
    title: str,
    axis_names: Sequence[str] = (),
    marks: np.ndarray | None = None,
) -> go.Figure:
    """Draw points of the latent space coloured by a number, such as their log-likelihood.

    The colours span all but the lowest and the highest hundredth, so that a stray point does not
    take them all.

    Args:
        points: shape (N, 2) or (N, 3), float32.
        values: shape (N,).
        title: of the colour bar.
        axis_names: one for each column of `points`.
        marks: points to mark, shape (M, 2) or (M, 3).
    """
    low, high = np.quantile(values, [0.01, 0.99])
    marker = {
        "color": values.astype(np.float32),
        "cmin": float(low),
        "cmax": float(high),
        "colorscale": "Viridis",
        "colorbar": {"title": {"text": title, "side": "right"}, "thickness": 12, "len": 0.8},
    }
    figure = go.Figure()
    _add_points(figure, points, np.arange(len(points), dtype=np.int32), title, marker)
    figure = _finish_scatter(figure, points, axis_names, marks)
    figure.update_layout(showlegend=False)
    return figure


def _add_points(
    figure: go.Figure, points: np.ndarray, rows: np.ndarray, name: str, marker: dict[str, object]
) -> None:
    x, y, *z = (np.ascontiguousarray(column) for column in points[rows].T)
    # Small and see-through where there are many: density shows.
    size = float(np.clip(120 / max(len(points), 1) ** 0.33, 2.5, 7))
    if z:
        figure.add_scatter3d(
            x=x,
            y=y,
            z=z[0],
            mode="markers",
            name=name,
            customdata=rows,
            marker={**marker, "size": size * 0.6, "opacity": 0.7},
            hovertemplate="%{fullData.name}<extra></extra>",
        )
        return
    figure.add_scattergl(
        x=x,
        y=y,
        mode="markers",
        name=name,
        customdata=rows,
        marker={**marker, "size": size, "opacity": 0.65},
        hovertemplate="%{fullData.name}<extra></extra>",
        # Streamlit fades what is not selected: a click must not fade 55,000 points.
        selected={"marker": {"opacity": 0.65}},
        unselected={"marker": {"opacity": 0.65}},
    )


def _finish_scatter(
    figure: go.Figure,
    points: np.ndarray,
    axis_names: Sequence[str],
    marks: np.ndarray | None,
) -> go.Figure:
    names = list(axis_names) or [f"axis {axis + 1}" for axis in range(points.shape[1])]
    if marks is not None and len(marks):
        style = {
            "mode": "markers",
            "name": "means",
            "hoverinfo": "skip",
            "marker": {
                "symbol": "circle",
                "size": 5,
                "color": "#ffffff",
                "line": {"color": "#1f2023", "width": 1.5},
            },
        }
        if points.shape[1] == 3:
            style["marker"] = {**style["marker"], "size": 4}  # type: ignore[dict-item]
            figure.add_scatter3d(x=marks[:, 0], y=marks[:, 1], z=marks[:, 2], **style)
        else:
            shown = {"marker": {"opacity": 1.0}}
            figure.add_scattergl(x=marks[:, 0], y=marks[:, 1], unselected=shown, **style)
    # Below the points: above them are plotly's own buttons.
    legend = {"itemsizing": "constant", "orientation": "h", "y": -0.1, "yanchor": "top"}
    figure.update_layout(margin=_NO_MARGIN, height=620, legend=legend, dragmode="pan")
    if points.shape[1] == 3:
        axes = dict(zip(("xaxis", "yaxis", "zaxis"), ({"title": n} for n in names), strict=True))
        figure.update_layout(scene={**axes, "aspectmode": "data"}, dragmode="orbit")
    else:
        figure.update_xaxes(title=names[0], zeroline=False, showgrid=False)
        figure.update_yaxes(
            title=names[1], zeroline=False, showgrid=False, scaleanchor="x", scaleratio=1
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
