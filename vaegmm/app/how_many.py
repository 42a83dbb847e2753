"""The view of how many clusters there should be: criteria over sizes and covariance types."""

from __future__ import annotations

import streamlit as st

from vaegmm.app import cached, figures, measuring, mixtures, permission, refitting
from vaegmm.app.choice import chosen_checkpoint
from vaegmm.app.measuring import Measuring
from vaegmm.app.start import Wanted
from vaegmm.model import VAEGMM
from vaegmm.sizes import N_INIT, Size

_CRITERIA = {
    "bic": ("BIC", "lowest", "Likelihood less a price for each parameter; low is good."),
    "aic": ("AIC", "lowest", "The same with a lower price; low is good."),
    "log_likelihood": (
        "Held-out",
        "highest",
        "Of the test images' z, in nats an image: what the fit has not seen.",
    ),
    "accuracy": (
        "Classification",
        "highest",
        "Test images read rightly, the clusters named by all validation labels.",
    ),
}
_KINDS = ["full", "tied", "diag", "spherical"]
_POLL_SECONDS = 1.0
_CHART = "sizes_chart"


def show(model: VAEGMM) -> None:
    """Show what mixtures of other sizes give, let them be measured, and open one by a click."""
    own = mixtures.own()
    checkpoint = chosen_checkpoint()
    shared = measuring.of(own, checkpoint, own.fingerprint)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        criterion = st.segmented_control(
            "Criterion",
            list(_CRITERIA),
            default="bic",
            format_func=lambda name: _CRITERIA[name][0],
            required=True,
            key="criterion",
            bind="query-params",
        )
        kinds = st.pills(
            "Covariances", _KINDS, selection_mode="multi", default=["full"], key="size_kinds"
        )
        if permission.is_owner():
            st.button(
                "Measure",
                icon=":material/straighten:",
                on_click=permission.owner_only(shared.start),
                args=[kinds or ["full"], cached.own_dataset(own) is not None],
                disabled=shared.is_running,
                help="Eight sizes of each chosen form, in a process of its own: some minutes on "
                "one core. What is known stays beside the checkpoint.",
                key="measure",
            )
    if shared.is_running:
        st.fragment(_watch, run_every=_POLL_SECONDS)(shared)
    elif shared.has_failed:
        st.error(
            "The sizes could not be measured. Free some space on the disk, and try again.",
            icon=":material/error:",
        )
    _draw(shared.sizes, str(criterion))


def _watch(shared: Measuring) -> None:
    if not shared.is_running:
        st.rerun()
    known = len(shared.sizes)
    if st.session_state.get("sizes_known") != known:
        st.session_state["sizes_known"] = known
        st.rerun()  # another point for the chart
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(shared.progress, text=f"Measuring: {known} sizes are known.")
        if permission.is_owner():
            stop = permission.owner_only(shared.stop)
            st.button("Stop", icon=":material/stop:", on_click=stop, key="stop_measuring")


def _draw(sizes: list[Size], criterion: str) -> None:
    _, best, what = _CRITERIA[criterion]
    curves: dict[str, dict[int, float]] = {}
    for size in sizes:
        value = _value(size, criterion)
        if value is not None:
            curves.setdefault(size.covariance_type, {})[size.n_components] = value
    if not curves:
        if sizes:
            text = "This needs the model's own images, which are not on this machine."
            st.info(text, icon=":material/info:")
        elif permission.is_owner():
            st.info("Nothing is measured yet: press Measure.", icon=":material/info:")
        else:
            permission.say_at_home("Nothing is measured yet: that is done")
        return
    st.caption(f"{what} Click a point to see that mixture on every page.")
    st.plotly_chart(
        figures.size_curves(curves, _CRITERIA[criterion][0], best == "lowest"),
        key=_CHART,
        on_select=_open,
        selection_mode="points",
        config={"displayModeBar": False},
        alt=f"{_CRITERIA[criterion][0]} over the number of clusters",
    )


def _value(size: Size, criterion: str) -> float | None:
    if criterion == "accuracy":
        return size.accuracies[max(size.accuracies)] if size.accuracies else None
    value: float | None = getattr(size, criterion)
    return value


def _open() -> None:
    """Show the mixture whose point was clicked, fitted as it was when it was measured."""
    points = st.session_state[_CHART].selection.points
    if points:
        n_components, covariance_type = points[0]["customdata"]
        refitting.begin(Wanted(int(n_components), str(covariance_type), N_INIT))
