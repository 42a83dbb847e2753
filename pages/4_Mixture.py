"""Mixture: EM step by step, the clusters, their names, and what is confused with what."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vaegmm.app import clusters, confusion, em, explore, how_many, in_page, refitting
from vaegmm.app.page import page, stop_without_model
from vaegmm.model import VAEGMM


def main() -> None:
    """Draw the page."""
    model = page("Mixture")
    st.title("Mixture")
    if model is None:
        stop_without_model()
    refitting.offer(model)
    views = {
        "EM step by step": em.show,
        "Clusters": show_clusters,
        "How many?": how_many.show,
        "Map": show_map,
        "Confusion": confusion.show,
    }
    # Only what is looked at is computed and sent.
    tabs = st.tabs(list(views), on_change="rerun", key="mixture", bind="query-params")
    for tab, show_view in zip(tabs, views.values(), strict=True):
        if tab.open:
            with tab:
                show_view(model)


def show_figures(model: VAEGMM) -> None:
    """Show the mixture at a glance."""
    mixture, labels = model.mixture, explore.component_labels(model)
    with st.container(horizontal=True, gap="medium"):
        st.metric("Clusters", len(mixture.weights_), width="content")
        st.metric(
            "Log-likelihood",
            f"{mixture.lower_bound_:.3f}",
            help="Of the stored z, in nats a point.",
            width="content",
        )
        st.metric(
            "Iterations",
            mixture.n_iter_,
            help="Converged." if mixture.converged_ else "Stopped before it converged.",
            width="content",
        )
        st.metric(
            "BIC",
            f"{mixture.bic(model.latents.astype(np.float64)):,.0f}",
            help="Bayesian information criterion of the stored z; lower is better.",
            width="content",
        )
        st.metric("Unnamed", int((labels < 0).sum()), width="content")


def show_clusters(model: VAEGMM) -> None:
    """Show the mixture at a glance, and a card for each cluster."""
    show_figures(model)
    clusters.show(model)


def show_map(model: VAEGMM) -> None:
    """Show the clusters' outlines where they are furthest apart, and what lies in them."""
    st.caption(
        "The stored z in the plane in which the named clusters are furthest apart. An outline is "
        "one standard deviation of a cluster."
    )
    in_page.explorer(model, key="mixture-map", view="axes*mixture_outlines")


main()
