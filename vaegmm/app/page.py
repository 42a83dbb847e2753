"""The frame of every page: its title, the way to the others, and the chosen model."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import streamlit as st

from vaegmm.app import explore, guard, mixtures, permission
from vaegmm.app.cached import export, load_model
from vaegmm.app.choice import offer_models
from vaegmm.app.words import sentence, share
from vaegmm.checkpoint import CheckpointError
from vaegmm.model import VAEGMM

# A file: Streamlit's own icons would be fetched from the network.
_ICON = str(Path(__file__).with_name("icon.svg"))
# Streamlit leaves 5 rem free at both sides, which maps and tables can use better.
_STYLE = """
<style>
.stMainBlockContainer { padding-inline: clamp(1rem, 3vw, 3rem); }
</style>
"""
TEXT_WIDTH = 680  # pixels: about 80 characters a line

#: Every page: its script, what it is called, its icon, and what one does there.
PAGES = {
    "app.py": ("Overview", ":material/home:", "the idea, and one digit's way through it"),
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


def page(title: str) -> VAEGMM | None:
    """Set a page up and draw the shared sidebar; the first call of every page.

    Args:
        title: of the browser's tab.

    Returns:
        The chosen model, or None where there is none that can be loaded. Why one cannot be loaded
        has then been shown.
    """
    st.set_page_config(page_title=f"{title} · vaegmm", page_icon=_ICON, layout="wide")
    st.html(_STYLE)
    with st.sidebar:
        for script, (label, icon, _) in PAGES.items():
            st.page_link(script, label=label, icon=icon)
        is_admitted = guard.has_room() or permission.is_owner()
        path = offer_models() if is_admitted else None
        details = st.container()
        permission.offer_sign_in()
    if not is_admitted:
        st.info(
            "There are many visitors just now. Come back in a few minutes.",
            icon=":material/groups:",
        )
        st.stop()
    if path is None:
        return None
    try:
        model = mixtures.shown(load_model(path))
    except CheckpointError as error:
        st.error(sentence(error), icon=":material/error:")
        return None
    with details:
        st.caption(_summary(model))
        if mixtures.can_undo():
            st.info(
                f"Chosen on Mixture: {mixtures.describe(model)}.", icon=":material/bubble_chart:"
            )
            st.button("Back to its own", on_click=mixtures.reset, key="own_mixture")
        st.download_button(
            "Take it home",
            lambda: export(model),
            file_name=f"{Path(path).stem}.html",
            mime="text/html",
            icon=":material/home_app_logo:",
            on_click="ignore",
            help="One file that runs the model in any browser, without a network: to touch, to "
            "draw on, to hand on.",
            key="export",
        )
    return model


def stop_without_model() -> NoReturn:
    """Say how to come by a model, and end the page here."""
    st.markdown(
        "There is no model to show yet. Train one on the **Train** page (the preset *quick* on "
        "the bundled digits takes under a minute), or upload a checkpoint in the sidebar.",
        width=TEXT_WIDTH,
    )
    st.page_link("pages/1_Train.py", label="Go to Train", icon=":material/model_training:")
    st.stop()


def _summary(model: VAEGMM) -> str:
    parts = [explore.title_of(model), f"{len(model.mixture.weights_)} clusters"]
    accuracy = model.metrics.get("classification_accuracy")
    if accuracy is not None:
        parts.append(f"accuracy {share(accuracy)}")
    if model.n_examples:
        parts.append(f"adapted with {model.n_examples} drawings")
    return " · ".join(parts)
