"""Overview: the idea, to be touched; then what the loaded model has come to."""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware
from streamlit import runtime

from vaegmm.app import in_page, server, show
from vaegmm.app.explore import n_trained_on
from vaegmm.app.guard import Guard
from vaegmm.app.page import PAGES, TEXT_WIDTH, page, stop_without_model
from vaegmm.app.routes import under_base_path
from vaegmm.model import VAEGMM


def main() -> None:
    """Draw the page."""
    model = page("Overview")
    if model is None:
        st.title("Digits, compressed and clustered")
        stop_without_model()
    in_page.overview(model, key="overview")
    show_figures(model)
    st.subheader("Look further", anchor=False)
    for script, (label, icon, what) in list(PAGES.items())[1:]:
        st.page_link(script, label=f"**{label}**: {what}", icon=icon)


def show_figures(model: VAEGMM) -> None:
    """Show the model at a glance."""
    st.subheader("What it has come to", anchor=False)
    st.markdown(
        "A variational autoencoder has learned the numbers without labels. A mixture of Gaussians "
        "has found the clusters among them, by expectation–maximization. A few labelled images "
        "have given the clusters their names, and so the model reads.",
        width=TEXT_WIDTH,
    )
    title = model.provenance.get("data", {}).get("title")
    with st.container(horizontal=True, gap="medium"):
        if title:
            images = f"{n_trained_on(model):,} images, without labels."
            st.metric("Trained on", title, help=images, width="content")
        st.metric("Clusters", len(model.mixture.weights_), width="content")
        show.metrics(model.metrics)


if runtime.exists():
    main()
else:  # imported by `streamlit run app.py`, once, before the server starts
    app = st.App(
        __file__,
        lifespan=server.lifespan,
        routes=under_base_path(),
        middleware=[Middleware(Guard)],
    )
