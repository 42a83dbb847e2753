"""Latent space: the PCA projection of every stored z, coloured by cluster."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from vaegmm.app import cached, explore, figures, show
from vaegmm.app.explore import LatentMap
from vaegmm.app.page import TEXT_WIDTH, page, stop_without_model
from vaegmm.app.words import share
from vaegmm.colours import colour_of
from vaegmm.model import VAEGMM

_COLOURS = ["cluster", "digit", "log-likelihood"]
_N_SHOWN = 60  # of the points in a box or lasso
_PLANE_SIDE = 16  # images along each side of the decoded plane


def main() -> None:
    """Draw the page."""
    model = page("Latent space")
    st.title("Latent space")
    if model is None:
        stop_without_model()
    shares = model.pca.explained_variance_ratio
    st.markdown(
        f"All {len(model.latents):,} training images, each as the {len(shares)} numbers that are "
        "kept of it, seen along the axes of greatest variance. A cluster has a shade of the colour "
        "of the digit that it is named after. Click a point to decode it; draw a box or a lasso to "
        "see what lies there; click the legend to hide a digit, twice to see it alone.",
        width=TEXT_WIDTH,
    )
    points, plane = st.tabs(["Points", "The plane, decoded"])
    with points:
        show_points(model)
    with plane:
        show_plane(model)


@st.fragment
def show_points(model: VAEGMM) -> None:
    """Draw the points, and show what is selected beside them."""
    space = cached.latent_map(model)
    names = explore.axis_names(model)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        colour = st.segmented_control(
            "Colour by", _COLOURS, default=_COLOURS[0], required=True, key="colour"
        )
        view = st.segmented_control(
            "View", ["2-D", "3-D"], default="2-D", required=True, key="view"
        )
        n_axes = min(3 if view == "3-D" else 2, len(names))
        axes = st.multiselect(
            "Axes",
            range(len(names)),
            default=range(n_axes),
            max_selections=n_axes,
            format_func=lambda axis: f"PC {axis + 1}",
            key=f"axes-{n_axes}",
            width=300,
        )
    if len(axes) < n_axes or n_axes < 2:
        st.info(f"Choose {max(n_axes, 2)} axes.", icon=":material/info:")
        return
    figure = cached.latent_scatter(model, colour, tuple(axes))
    chart, detail = st.columns([7, 4], gap="medium")
    with chart:
        event = st.plotly_chart(
            figure,
            on_select="rerun",
            selection_mode=("points", "box", "lasso"),
            key=f"points-{colour}-{'-'.join(map(str, axes))}",
            config={"scrollZoom": True, "displaylogo": False},
            alt="The stored latent vectors, projected to their principal axes",
        )
        if view == "3-D":
            st.caption("Drag to turn, scroll to come closer. Points are selected in 2-D.")
    rows = selected_rows(event)
    with detail:
        if len(rows) == 0:
            st.caption("Nothing is selected. The most typical image of each digit:")
            show_most_typical(model, space)
        elif len(rows) == 1:
            show_point(model, space, int(rows[0]))
        else:
            show_selection(model, space, rows)


def selected_rows(event: Any) -> np.ndarray:
    """Return which of the stored z are selected."""
    points = event["selection"]["points"]
    rows = [point["customdata"] for point in points if "customdata" in point]
    return np.array([row[0] if isinstance(row, list) else row for row in rows], dtype=int)


def show_point(model: VAEGMM, space: LatentMap, row: int) -> None:
    """Show one stored z: decoded, its cluster and its numbers."""
    z = model.latents[row]
    component = int(space.components[row])
    responsibility = model.mixture.predict_proba(z[None])[0, component]
    picture, facts = st.columns([2, 3])
    with picture:
        show.tiles([model.decode(z)], ["decoded"], size=120)
    with facts:
        st.markdown(
            f"**{explore.component_title(model, component)}** with "
            f"p(cluster | z) = {share(responsibility)}  \n"
            f"log p(z) = {space.log_likelihood[row]:.2f} nats  \n"
            f"training image {row:,}"
        )
    show.latent(model, z)
    st.markdown("Nearest in all dimensions")
    rows, distances = explore.nearest_latents(model, z, 6)
    show.tiles(
        [[image] for image in model.decode(model.latents[rows])],
        [f"{distance:.2f}" for distance in distances],
        size=56,
    )


def show_selection(model: VAEGMM, space: LatentMap, rows: np.ndarray) -> None:
    """Show the points in a box or a lasso: how many of which digit, and some of them decoded."""
    st.markdown(f"**{len(rows):,} points** selected")
    labels = explore.component_labels(model)[space.components[rows]]
    titles = explore.label_titles(model)
    counts = {titles[k]: float((labels == k).sum()) for k in titles if (labels == k).any()}
    colours = [colour_of(k) for k in titles if (labels == k).any()]
    show.chart(
        figures.value_bars(counts, colours, "points"), "selection", "Selected points by digit"
    )
    shown = np.random.default_rng(0).permutation(rows)[:_N_SHOWN]
    show.tiles(
        [[image] for image in model.decode(model.latents[np.sort(shown)])],
        descriptions=["a selected point, decoded"] * len(shown),
        size=44,
    )


def show_most_typical(model: VAEGMM, space: LatentMap) -> None:
    """Show the most likely stored z of each digit, decoded."""
    labels = explore.component_labels(model)[space.components]
    titles = explore.label_titles(model)
    best = {
        name: np.flatnonzero(labels == k)[space.log_likelihood[labels == k].argmax()]
        for k, name in titles.items()
        if (labels == k).any()
    }
    images = model.decode(model.latents[list(best.values())])
    show.tiles([[image] for image in images], list(best), size=56)


@st.fragment
def show_plane(model: VAEGMM) -> None:
    """Show what the plane of the first two axes decodes to."""
    st.caption(
        "The plane through the mean along PC 1 (to the right) and PC 2 (upwards), decoded: how one "
        "digit turns into the next."
    )
    low, high = np.quantile(cached.latent_map(model).axes[:, :2], [0.01, 0.99], axis=0)
    across = np.linspace(low[0], high[0], _PLANE_SIDE)
    upwards = np.linspace(high[1], low[1], _PLANE_SIDE)
    grid = np.stack(np.meshgrid(across, upwards), axis=-1).reshape(-1, 2)
    show.sheet(model.decode(model.pca.inverse_transform(grid)), _PLANE_SIDE)


main()
