"""Mixture: EM step by step, the clusters, their names, and what is confused with what."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vaegmm import metrics
from vaegmm.app import cached, em, explore, figures, in_page, refitting, show
from vaegmm.app.page import page, stop_without_model
from vaegmm.app.words import share
from vaegmm.model import VAEGMM


def main() -> None:
    """Draw the page."""
    model = page("Mixture")
    st.title("Mixture")
    if model is None:
        stop_without_model()
    shown = refitting.choose(model)
    views = {
        "EM step by step": lambda shown: em.show(model, shown),
        "Clusters": show_clusters,
        "Map": show_map,
        "Confusion": show_confusion,
    }
    # Only what is looked at is computed and sent.
    tabs = st.tabs(list(views), on_change="rerun", key="mixture", bind="query-params")
    for tab, show_view in zip(tabs, views.values(), strict=True):
        if tab.open:
            with tab:
                show_view(shown)


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
    """Show the sizes of the clusters and the decoded mean of each, by name."""
    show_figures(model)
    weights, labels = model.mixture.weights_, explore.component_labels(model)
    titles = explore.label_titles(model)
    show.chart(figures.component_sizes(weights, labels, titles), "sizes", "Shares of the clusters")
    st.markdown("The mean of each cluster, decoded, with its share of the images.")
    means = model.decode(model.mixture.means_)
    for label, name in titles.items():
        members = np.flatnonzero(labels == label)
        if not len(members):
            continue
        members = members[np.argsort(-weights[members])]
        st.markdown(f"**{name}**: {share(weights[members].sum())} in {len(members)}")
        show.tiles(
            [[means[k]] for k in members],
            [share(weights[k]) for k in members],
            [f"cluster {k}, named {name}" for k in members],
            size=56,
        )


def show_map(model: VAEGMM) -> None:
    """Show the clusters' outlines where they are furthest apart, and what lies in them."""
    st.caption(
        "The stored z in the plane in which the named clusters are furthest apart. An outline is "
        "one standard deviation of a cluster."
    )
    in_page.explorer(model, key="mixture-map", view="axes*mixture_outlines")


def show_confusion(model: VAEGMM) -> None:
    """Show which digits are read as which."""
    if model.names is None:
        st.info(
            "This model was trained without labels: its clusters have no names.",
            icon=":material/info:",
        )
        return
    dataset, caption = cached.dataset(model)
    labels = dataset.test.labels
    if labels is None or dataset.label_names != model.label_names:
        st.info("The images at hand do not have this model's labels.", icon=":material/info:")
        st.caption(caption)
        return
    predicted = cached.scores(model, dataset).predicted
    counts = metrics.confusion_matrix(predicted, labels, len(model.label_names))
    show.chart(
        figures.confusion_matrix(counts, model.label_names),
        "confusion",
        "How often each digit was read as each",
    )
    st.caption(f"{share((predicted == labels).mean())} are read rightly. {caption}")
    wrong = np.flatnonzero(predicted != labels)[:40]
    if len(wrong):
        st.markdown("Read wrongly: what it is, and what it was taken for.")
        show.tiles(
            [[dataset.test.images[row]] for row in wrong],
            [
                f"{model.label_names[labels[row]]} → {model.label_names[predicted[row]]}"
                for row in wrong
            ],
            size=52,
        )


main()
