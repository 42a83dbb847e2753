"""Overview: what this is, the loaded model at a glance, and one digit's way through it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vaegmm.app import ui
from vaegmm.model import VAEGMM
from vaegmm.reading import read_image

_PAGES = {
    "pages/1_Train.py": ("Train", ":material/model_training:", "launch, watch, stop, compare"),
    "pages/2_Reconstruct.py": ("Reconstruct", ":material/compare:", "inputs above, outputs below"),
    "pages/3_Latent_space.py": (
        "Latent space",
        ":material/scatter_plot:",
        "all images as points, coloured by cluster",
    ),
    "pages/4_Mixture.py": ("Mixture", ":material/bubble_chart:", "EM, clusters and their names"),
    "pages/5_Draw.py": ("Draw", ":material/draw:", "your own digit, classified"),
}


def main() -> None:
    """Draw the page."""
    model = ui.page("Overview")
    st.title("Digits, compressed and clustered")
    st.markdown(
        "A variational autoencoder learns, without labels, to write each image as a few numbers. "
        "A mixture of Gaussians finds the clusters among those numbers by "
        "expectation–maximization. A few labelled images then give the clusters their names, and "
        "the model reads digits.",
        width=ui.TEXT_WIDTH,
    )
    if model is None:
        ui.stop_without_model()
    show_figures(model)
    show_one_way(model)
    st.subheader("Look further", anchor=False)
    for path, (label, icon, what) in _PAGES.items():
        st.page_link(path, label=f"**{label}**: {what}", icon=icon)


def show_figures(model: VAEGMM) -> None:
    """Show the model at a glance."""
    title = model.provenance.get("data", {}).get("title")
    with st.container(horizontal=True, gap="medium"):
        if title:
            images = f"{len(model.latents):,} images, without labels."
            st.metric("Trained on", title, help=images, width="content")
        st.metric("Clusters", len(model.mixture.weights_), width="content")
        ui.show_metrics(model.metrics)


def show_one_way(model: VAEGMM) -> None:
    """Show what becomes of one image on its way through the model."""
    st.subheader("One digit's way", anchor=False)
    dataset, caption = ui.dataset(model)
    images, labels = dataset.test.images, dataset.test.labels
    rows = np.arange(len(images))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if labels is not None:
            choices = range(len(dataset.label_names))
            label = st.pills(
                "Digit",
                choices,
                default=int(labels[0]),
                format_func=lambda label: dataset.label_names[label],
                required=True,
                key="way_label",
            )
            rows = np.flatnonzero(labels == label)
        turn = ui.count_presses("Another", key="another")
    if not len(rows):
        st.info("There is no test image of this kind.", icon=":material/info:")
        return
    image, answer = images[rows[turn % len(rows)]], ""
    if model.names is not None:
        reading = read_image(model, image)
        name, probability = model.label_names[reading.label], reading.probabilities.max()
        answer = f"Read as **{name}** ({probability:.0%})."
    ui.show_way(model, image, answer)
    st.caption(caption)


main()
