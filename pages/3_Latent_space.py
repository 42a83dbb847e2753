"""Latent space: every stored z a point, coloured by cluster, to be touched and walked through."""

from __future__ import annotations

import streamlit as st

from vaegmm.app import in_page
from vaegmm.app.explore import n_trained_on
from vaegmm.app.page import TEXT_WIDTH, page, stop_without_model
from vaegmm.browser.blob import MOST_LATENTS


def main() -> None:
    """Draw the page."""
    model = page("Latent space")
    st.title("Latent space")
    if model is None:
        stop_without_model()
    n_images, n_shown = n_trained_on(model), min(len(model.latents), MOST_LATENTS)
    which = f"{n_shown:,} of the {n_images:,}" if n_images > n_shown else f"All {n_shown:,}"
    st.markdown(
        f"{which} training images, each as the {model.vae.config.latent_dim} "
        "numbers that are kept of it. Near each other lie images that the network takes for alike.",
        width=TEXT_WIDTH,
    )
    in_page.explorer(model, key="explorer")


main()
