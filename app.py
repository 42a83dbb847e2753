"""Overview: what this is, the loaded model at a glance, and one digit's way through it."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit import runtime

from vaegmm.app import cached, server, show
from vaegmm.app.page import PAGES, TEXT_WIDTH, page, stop_without_model
from vaegmm.app.routes import ROUTES
from vaegmm.app.words import share
from vaegmm.model import VAEGMM
from vaegmm.reading import read_image


def main() -> None:
    """Draw the page."""
    model = page("Overview")
    st.title("Digits, compressed and clustered")
    st.markdown(
        "A variational autoencoder learns, without labels, to write each image as a few numbers. "
        "A mixture of Gaussians finds the clusters among those numbers by "
        "expectation–maximization. A few labelled images then give the clusters their names, and "
        "the model reads digits.",
        width=TEXT_WIDTH,
    )
    if model is None:
        stop_without_model()
    show_figures(model)
    show_one_way(model)
    st.subheader("Look further", anchor=False)
    for script, (label, icon, what) in list(PAGES.items())[1:]:
        st.page_link(script, label=f"**{label}**: {what}", icon=icon)


def show_figures(model: VAEGMM) -> None:
    """Show the model at a glance."""
    title = model.provenance.get("data", {}).get("title")
    with st.container(horizontal=True, gap="medium"):
        if title:
            images = f"{len(model.latents):,} images, without labels."
            st.metric("Trained on", title, help=images, width="content")
        st.metric("Clusters", len(model.mixture.weights_), width="content")
        show.metrics(model.metrics)


def show_one_way(model: VAEGMM) -> None:
    """Show what becomes of one image on its way through the model."""
    st.subheader("One digit's way", anchor=False)
    dataset, caption = cached.dataset(model)
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
        turn = show.count_presses("Another", key="another")
    if not len(rows):
        st.info("There is no test image of this kind.", icon=":material/info:")
        return
    image, answer = images[rows[turn % len(rows)]], ""
    if model.names is not None:
        reading = read_image(model, image)
        name, probability = model.label_names[reading.label], reading.probabilities.max()
        answer = f"Read as **{name}** ({share(probability, 0)})."
    show.way(model, image, answer)
    st.caption(caption)


if runtime.exists():
    main()
else:  # imported by `streamlit run app.py`, once, before the server starts
    app = st.App(__file__, lifespan=server.lifespan, routes=ROUTES)
