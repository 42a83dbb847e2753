"""Trainings beside each other: their films and curves, what differs, and seeds as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from vaegmm.app import in_page
from vaegmm.app.run_routes import Training
from vaegmm.app.trainings.saying import duration
from vaegmm.app.words import distinct, plain, sentence, share
from vaegmm.comparison import Group, Spread, group_names, losses_csv
from vaegmm.comparison import compare as comparison_of
from vaegmm.comparison import titles as titles_of
from vaegmm.runs import Run, RunError, data_title
from vaegmm.settings import SETTINGS

_POLL_SECONDS = 2.0
_LABEL_PIXELS, _COLUMN_PIXELS = 190, 165
_HEAD_CHARACTERS = 88  # that all columns have room for together on a desk
_LEAST_CHARACTERS = 22  # of one
#: What a figure is called, and how it is said.
_FIGURES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "classification_accuracy": ("Classification", share),
    "clustering_accuracy": ("Clustering", share),
    "nmi": ("NMI", "{:.3f}".format),
    "ari": ("Adjusted Rand index", "{:.3f}".format),
    "cross_entropy": ("Cross-entropy, test", "{:.1f}".format),
    "kl": ("KL divergence, test", "{:.2f}".format),
    "views_information": ("Information of the views", "{:.3f}".format),
    "latents_in_use": ("Latents in use", "{:.3g}".format),
    "validation_cross_entropy": ("Cross-entropy, validation", "{:.1f}".format),
    "validation_kl": ("KL divergence, validation", "{:.2f}".format),
    "seconds": ("Training took", duration),
    "epochs_done": ("Epochs done", "{:,}".format),
}
_PARTS = {
    "vae": "VAE",
    "mixture": "Mixture",
    "augmentation": "Views",
    "joint": "Joint stage",
}
#: Of fields whose names are no words.
_WORDS = {
    "data": "images",
    "kl_reduction": "KL over latents",
    "kl_warmup": "KL warm-up",
    "latent_dim": "latents",
    "max_iter": "most iterations",
    "n_components": "clusters",
    "n_init": "starts",
    "reg_covar": "added to variances",
    "std_floor": "least std",
    "tol": "tolerance",
}
_LABELS = {
    f"{entry.part}.{entry.field or name}" if entry.part else name: entry.label
    for name, entry in SETTINGS.items()
}


def compare(runs: Sequence[Run]) -> None:
    """Show some trainings beside each other.

    Args:
        runs: two or more.
    """
    try:
        names, groups = titles_of(runs), group_names(runs)
    except RunError as error:
        st.error(sentence(error), icon=":material/error:")
        return
    shown = [
        Training(run.name, name, group=group)
        for run, name, group in zip(runs, names, groups, strict=True)
    ]
    in_page.trainings(shown, key="compared")
    is_active = any(run.is_active for run in runs)
    # The films ask for what is new by themselves; the tables are drawn anew.
    st.fragment(show_tables, run_every=_POLL_SECONDS if is_active else None)(runs, is_active)


def show_tables(runs: Sequence[Run], was_active: bool) -> None:
    """Show what differs between runs, and groups of seeds; offer both as files."""
    if was_active and not any(run.is_active for run in runs):
        st.rerun()  # nothing is left to poll for
    try:
        comparison = comparison_of(runs)
    except RunError as error:
        st.error(sentence(error), icon=":material/error:")
        return
    if comparison.groups:
        show_groups(comparison.groups)
    st.subheader("What differs", anchor=False)
    with_equal = st.toggle("Also what is the same", key="with_equal")
    rows = comparison.rows(with_equal)
    if rows:
        draw_table(
            {label_of(row.name): [said(row.name, value) for value in row.values] for row in rows},
            comparison.titles,
            alt="Settings and figures of each training",
            key="differences",
        )
    else:
        st.markdown("They differ in nothing.")
    with st.container(horizontal=True):
        offer_file("Curves", "losses.csv", lambda: losses_csv(*runs))
        offer_file("Table", "comparison.csv", lambda: comparison.to_csv(with_equal))


def show_groups(groups: Sequence[Group]) -> None:
    """Draw the figures of trainings that differ only in their seed."""
    st.subheader("Over seeds", anchor=False)
    figures = [name for name in _FIGURES if any(name in group.figures for group in groups)]
    if not figures:
        st.markdown("Mean and spread come here as soon as two of a group have ended.")
        return
    draw_table(
        {
            label_of(name): [said_spread(name, group.figures.get(name)) for group in groups]
            for name in figures
        },
        [f"{group.name}, {len(group.members)} seeds" for group in groups],
        alt="Mean and standard deviation of the figures over seeds",
        key="groups",
    )
    st.caption(
        "Mean ± standard deviation (n − 1) over the trainings of a group that have done all their "
        "epochs. Cross-entropy and KL divergence are nats an image."
    )


def draw_table(
    rows: Mapping[str, Sequence[str]], titles: Sequence[str], alt: str, key: str
) -> None:
    """Draw a table whose first column keeps in sight.

    Args:
        rows: what stands in each column, by the label of the row.
        titles: of the columns.
        alt: what the table shows.
        key: of the element.
    """
    room = max(_HEAD_CHARACTERS // len(titles), _LEAST_CHARACTERS)
    heads = distinct({str(i): title for i, title in enumerate(titles)}, room)
    st.dataframe(
        [{"label": label, **dict(zip(heads, row, strict=True))} for label, row in rows.items()],
        column_config={
            "label": st.column_config.TextColumn("", pinned=True, width=_LABEL_PIXELS),
            **{
                name: st.column_config.TextColumn(head, help=plain(title), width=_COLUMN_PIXELS)
                for (name, head), title in zip(heads.items(), titles, strict=True)
            },
        },
        hide_index=True,
        height="content",
        alt=alt,
        key=key,
    )


def offer_file(label: str, name: str, make: Callable[[], str]) -> None:
    """Offer a table as a file, which is made when it is asked for."""
    st.download_button(
        f"{label} as CSV",
        make,
        file_name=name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download-{name}",
    )


def label_of(name: str) -> str:
    """Return what a row is called: as the form calls the setting, or in its own words."""
    if name in _FIGURES:
        return _FIGURES[name][0]
    if name in _LABELS:
        return _LABELS[name]
    part, _, field = name.rpartition(".")
    words = _WORDS.get(field, field.replace("_", " "))
    return f"{_PARTS[part]}: {words}" if part else words[0].upper() + words[1:]


def said(name: str, value: Any) -> str:
    """Say a setting or figure of one run."""
    if value is None:
        return "–"
    if name in _FIGURES:
        return _FIGURES[name][1](value)
    if name == "data":
        return data_title(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def said_spread(name: str, spread: Spread | None) -> str:
    """Say a figure over several runs."""
    if spread is None:
        return "–"
    say = _FIGURES[name][1]
    return f"{say(spread.mean)} ± {say(spread.sd)} (n = {spread.n})"
