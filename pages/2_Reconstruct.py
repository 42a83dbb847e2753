"""Reconstruct: inputs above, outputs below."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vaegmm.app import cached, explore, figures, show
from vaegmm.app.explore import Scores
from vaegmm.app.page import TEXT_WIDTH, page, stop_without_model
from vaegmm.colours import colour_of
from vaegmm.data import Dataset
from vaegmm.model import VAEGMM

_N_SHOWN = 40
_BY = ["at random", "by digit", "by cluster", "best", "worst"]


def main() -> None:
    """Draw the page."""
    model = page("Reconstruct")
    st.title("Reconstruct")
    if model is None:
        stop_without_model()
    st.markdown(
        f"Each input above, and below it what comes out after {model.vae.config.latent_dim} "
        "numbers. The aim is to learn what matters, not to copy: outputs are smoother than "
        "inputs, and where the model has misunderstood a digit, it shows. Under each pair stands "
        "its cross-entropy in nats: the lower, the closer.",
        width=TEXT_WIDTH,
    )
    dataset, caption = cached.dataset(model)
    scores = cached.scores(model, dataset)
    show_pairs(model, dataset, scores)
    st.caption(caption)
    show_summary(dataset, scores)
    show_samples(model)


def show_pairs(model: VAEGMM, dataset: Dataset, scores: Scores) -> None:
    """Choose images and show them beside what becomes of them."""
    # Not in the row of what follows: there it would be cut off on a phone, where alone it wraps.
    by = st.segmented_control(
        "Images", _BY, default=_BY[0], required=True, key="pairs", bind="query-params"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rows = choose_rows(by, model, dataset, scores)
        if by not in ("best", "worst"):
            turn = show.count_presses("Others", key="others")
            rows = np.random.default_rng(turn).permutation(rows)
    rows = rows[:_N_SHOWN]
    if not len(rows):
        st.info("No test image fits this choice.", icon=":material/info:")
        return
    images = dataset.test.images[rows]
    captions = [f"{scores.cross_entropy[row]:.0f}" for row in rows]
    show.tiles(
        list(zip(images, model.reconstruct(images), strict=True)),
        captions,
        [f"input and output, cross-entropy {text} nats" for text in captions],
    )


def choose_rows(by: str, model: VAEGMM, dataset: Dataset, scores: Scores) -> np.ndarray:
    """Return the rows of the test images that fit the choice."""
    if by in ("best", "worst"):
        order = scores.cross_entropy.argsort()
        return order if by == "best" else order[::-1]
    if by == "by digit":
        # Without labels: by what the model takes the images for.
        labels = dataset.test.labels
        names = dataset.label_names if labels is not None else model.label_names
        label = st.selectbox(
            "Digit",
            range(len(names)),
            format_func=names.__getitem__,
            key="digit",
            bind="query-params",
            width=140,
        )
        return np.flatnonzero((scores.predicted if labels is None else labels) == label)
    if by == "by cluster":
        component = st.selectbox(
            "Cluster",
            by_name(model),
            format_func=lambda k: explore.component_title(model, k),
            key="cluster",
            bind="query-params",
            width=200,
        )
        st.page_link(
            "pages/4_Mixture.py",
            label="Open its card",
            icon=":material/open_in_new:",
            query_params={"mixture": "Clusters", "cluster": str(component)},
        )
        return np.flatnonzero(scores.components == component)
    return np.arange(len(dataset.test))


def by_name(model: VAEGMM) -> list[int]:
    """Return the components sorted by what they are called."""
    labels = explore.component_labels(model)
    return sorted(range(len(labels)), key=lambda k: (labels[k] < 0, labels[k], k))


def show_summary(dataset: Dataset, scores: Scores) -> None:
    """Show the mean cross-entropy of all test images, and of those of each digit."""
    st.subheader("All test images", anchor=False)
    st.caption(f"Of the {len(dataset.test):,} test images of {dataset.title}, in nats an image.")
    low, median, high = np.quantile(scores.cross_entropy, [0.05, 0.5, 0.95])
    with st.container(horizontal=True, gap="medium"):
        st.metric(
            "Cross-entropy, test: mean", f"{scores.cross_entropy.mean():.1f}", width="content"
        )
        st.metric("Median", f"{median:.1f}", width="content")
        st.metric("Nine of ten between", f"{low:.0f} and {high:.0f}", width="content")
    labels = dataset.test.labels
    if labels is None:
        return
    present = np.unique(labels)
    means = {dataset.label_names[k]: scores.cross_entropy[labels == k].mean() for k in present}
    show.chart(
        figures.value_bars(means, [colour_of(k) for k in present], "nats an image"),
        "cross-entropy-by-digit",
        "Mean cross-entropy of each digit",
    )
    st.caption("Simple forms cost little, many strokes cost more.")


def show_samples(model: VAEGMM) -> None:
    """Show images that the model makes up."""
    st.subheader("Made up", anchor=False)
    st.markdown(
        "Drawn from the mixture and decoded: no input at all.",
        width=TEXT_WIDTH,
    )
    everything = "any"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        digits = [everything, *explore.named_labels(model)]
        digit = st.selectbox(
            "Digit",
            digits,
            format_func=lambda k: k if k == everything else model.label_names[k],
            key="sample",
            bind="query-params",
            width=140,
        )
        seed = show.count_presses("Others", key="other_samples")
    images, _ = model.sample(
        _N_SHOWN,
        digit=None if digit == everything else digit,
        seed=seed,
    )
    show.tiles([[image] for image in images], descriptions=["a sample"] * _N_SHOWN)


main()
