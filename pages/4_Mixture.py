"""Mixture: EM's likelihood, the clusters, their names, and what is confused with what."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vaegmm import metrics
from vaegmm.app import cached, explore, figures, in_page, show
from vaegmm.app.fitting import Refit
from vaegmm.app.page import TEXT_WIDTH, page, stop_without_model
from vaegmm.app.words import sentence, share
from vaegmm.model import VAEGMM

_POINTS_PLAYED = 4000  # of the stored z, drawn behind the ellipses
_POLL_SECONDS = 0.5
_PATIENCE = 0.5  # seconds to wait for a fit before its progress is shown
_FIT = "refit"  # session key of the fit that this person waits for


def main() -> None:
    """Draw the page."""
    model = page("Mixture")
    st.title("Mixture")
    if model is None:
        stop_without_model()
    st.markdown(
        "Expectation asks of each point which cluster it may come from; maximization moves each "
        "cluster's mean and covariance to the points that it is responsible for. Each round makes "
        "the points more likely, until nothing moves. Labelled images then name the clusters.",
        width=TEXT_WIDTH,
    )
    shown = choose_mixture(model)
    show_figures(shown)
    views = {
        "Clusters": show_clusters,
        "Map": show_map,
        "Likelihood": show_likelihood,
        "EM at work": show_playback,
        "Confusion": show_confusion,
    }
    # Only what is looked at is computed and sent.
    tabs = st.tabs(list(views), on_change="rerun", key="mixture", bind="query-params")
    for tab, show_view in zip(tabs, views.values(), strict=True):
        if tab.open:
            with tab:
                show_view(shown)


def choose_mixture(model: VAEGMM) -> VAEGMM:
    """Offer another number of clusters; return the model with the mixture that is chosen."""
    own = len(model.mixture.weights_)
    most = min(len(model.latents), 300)
    key = f"K-{model.fingerprint[:6]}"  # of this model: another has clusters of its own
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n_components = st.number_input(
            "Clusters",
            min_value=1,
            max_value=max(most, own),
            value=own,
            step=1,
            help="The same autoencoder with another mixture, fitted to the stored z from five "
            "starts; the likeliest is kept, and no label has a say in it.",
            key=key,
            bind="query-params",
            width=160,
        )
        if n_components == own:
            if _FIT in st.session_state:
                st.session_state.pop(_FIT).stop()  # nobody waits for it any more
            st.caption(f"The model's own mixture has {own}.")
            return model
        fit = refit_to(model, int(n_components))
        if fit.result is not None:
            st.caption(
                f"Fitted anew; the model's own mixture has {own}. The names are handed on by the "
                "stored z."
            )
            return fit.result
    if fit.is_running:
        st.fragment(watch, run_every=_POLL_SECONDS)(fit, key, own)
        st.caption("Until it is fitted, the model's own mixture is shown.")
    elif fit.error is not None:
        st.error(sentence(fit.error), icon=":material/error:")
    return model


def refit_to(model: VAEGMM, n_components: int) -> Refit:
    """Return this session's fit of so many clusters; begin it if there is none."""
    fit: Refit | None = st.session_state.get(_FIT)
    if fit is None or (fit.fingerprint, fit.n_components) != (model.fingerprint, n_components):
        if fit is not None:
            fit.stop()
        st.session_state[_FIT] = fit = Refit(model, n_components)
        fit.wait(_PATIENCE)  # small fits, and those that somebody has made before
    return fit


def watch(fit: Refit, key: str, own: int) -> None:
    """Show how far a fit is, and offer to stop it."""
    if not fit.is_running:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        now = fit.progress
        text = f"Fitting {fit.n_components} clusters …"
        if now is not None:
            text = (
                f"Start {now.start} of {now.n_init}, iteration {now.iteration}: "
                f"{now.lower_bound:.3f} nats a point"
            )
        st.progress(0.0 if now is None else (now.start - 1) / now.n_init, text=text)
        st.button("Stop", icon=":material/stop:", on_click=stop, args=[fit, key, own], key="stop")


def stop(fit: Refit, key: str, own: int) -> None:
    """Stop a fit and go back to the model's own mixture."""
    fit.stop()
    st.session_state.pop(_FIT, None)
    st.session_state[key] = own


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


def show_likelihood(model: VAEGMM) -> None:
    """Show how the likelihood rose."""
    bounds = model.mixture.lower_bounds_
    if not bounds:
        st.info("This mixture's iterations were not kept.", icon=":material/info:")
        return
    show.chart(figures.likelihood_curve(bounds), "likelihood", "Log-likelihood at each iteration")
    st.caption(
        f"From {bounds[0]:.3f} to {bounds[-1]:.3f} nats a point in {len(bounds)} iterations. It "
        "never falls: that is EM's promise, and a test of this project."
    )


@st.fragment
def show_playback(model: VAEGMM) -> None:
    """Fit the mixture again and play its iterations back."""
    st.caption(
        "A fit from a k-means start, in the plane of the first two principal axes: each ellipse is "
        "one standard deviation of a cluster. In the other dimensions clusters overlap less "
        "than they seem to."
    )
    if len(model.pca.mean) < 2:
        st.info("A latent space of one dimension has no plane.", icon=":material/info:")
        return
    if not st.toggle("Fit and play", key="play", persist_state="session"):
        return
    iterations = cached.em_iterations(model)
    rows = np.random.default_rng(0).permutation(len(model.latents))[:_POINTS_PLAYED]
    points = model.pca.transform(model.latents[rows])
    st.plotly_chart(
        figures.em_playback(points, iterations),
        key="playback",
        config={"displayModeBar": False},
        alt="The clusters' ellipses at each iteration of EM",
    )


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
