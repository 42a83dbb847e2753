"""The view of what is read as what: by the named clusters, and by as many clusters as labels."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vaegmm import metrics
from vaegmm.app import cached, in_page
from vaegmm.app.words import share
from vaegmm.data import Dataset
from vaegmm.model import VAEGMM

_BY = {"names": "Named clusters", "clusters": "One cluster a label"}


def show(model: VAEGMM) -> None:
    """Show the confusion matrix of the test images, each cell with the images behind it."""
    dataset, caption = cached.dataset(model)
    labels = dataset.test.labels
    if labels is None or dataset.label_names != (model.label_names or dataset.label_names):
        st.info("The images at hand do not have this model's labels.", icon=":material/info:")
        st.caption(caption)
        return
    if model.names is None:
        st.info(
            "This model was trained without labels: its clusters have no names.",
            icon=":material/info:",
        )
        return
    by = st.segmented_control(
        "Read by",
        list(_BY),
        default="names",
        format_func=_BY.__getitem__,
        required=True,
        label_visibility="collapsed",
        key="confusion_by",
        bind="query-params",
    )
    show_by = _by_names if by == "names" else _by_clusters
    show_by(model, dataset, labels)
    st.caption(caption)


def _by_names(model: VAEGMM, dataset: Dataset, labels: np.ndarray) -> None:
    scores = cached.scores(model, dataset)
    right = scores.predicted == labels
    _figures(
        {
            "Classification": share(right.mean()),
            **_agreement(scores.predicted, labels),
            "Calibration error": share(metrics.calibration_error(scores.confidence, right), 2),
        },
        "Clusters are named by validation labels; an image is read by the names of those that it "
        "falls into.",
    )
    key = f"confusion-names-{model.fingerprint}"
    in_page.confusion(model, key, labels, scores.predicted, scores.confidence)


def _by_clusters(model: VAEGMM, dataset: Dataset, labels: np.ndarray) -> None:
    clusters = cached.test_clusters(model, dataset)
    _figures(
        {
            "Clustering": share(metrics.clustering_accuracy(clusters, labels)),
            **_agreement(clusters, labels),
        },
        f"{len(model.label_names)} clusters that no label has named. For the figures each is "
        "assigned to one label, the best way there is.",
    )
    key = f"confusion-clusters-{model.fingerprint}"
    in_page.confusion(model, key, labels, metrics.assign_labels(clusters, labels))


def _agreement(groups: np.ndarray, labels: np.ndarray) -> dict[str, str]:
    return {
        "NMI": f"{metrics.normalized_mutual_information(groups, labels):.3f}",
        "ARI": f"{metrics.adjusted_rand_index(groups, labels):.3f}",
    }


def _figures(figures: dict[str, str], what: str) -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        for name, value in figures.items():
            st.metric(name, value, width="content")
        st.caption(what)
