"""All trainings there are: a table to sort, search and choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import streamlit as st

from vaegmm.app.permission import is_owner
from vaegmm.app.trainings import address
from vaegmm.app.trainings.actions import delete
from vaegmm.app.trainings.saying import BADGES, phase_of, seconds_of
from vaegmm.app.words import per_cent, plain, sentence
from vaegmm.runs import DamagedRun, Run, RunError, data_title, list_runs
from vaegmm.settings import describe

_MOST_COMPARED = 6
_ID = "id"  # of a row; not a column that is shown
_COLUMNS = (
    *("Training", "State", "Film", "Classification", "Clustering", "Cross-entropy, validation"),
    *("Epochs", "Took", "Created", "Images", "Settings", "Tags", "Note"),
)


def show_shelf(was_busy: bool) -> None:
    """List all runs, and offer what can be done with those that are ticked.

    Args:
        was_busy: whether some run was active or waiting when the page was drawn.
    """
    runs = list_runs()
    if was_busy and not any(is_busy(run) for run in runs):
        st.rerun()  # the last one has ended: nothing is left to poll for
    by_name = {run.name: run for run in runs}
    rows = matching([row_of(run) for run in runs])
    if not rows:
        st.caption("None of them is like that.")
        return
    chosen = [by_name[name] for name in show_table(rows)]
    offer_choice(chosen)


def is_busy(run: Run | DamagedRun) -> bool:
    """Whether a run is going to change by itself."""
    return isinstance(run, Run) and phase_of(run.status) != "ended"


def row_of(run: Run | DamagedRun) -> dict[str, Any]:
    """Return what the table shows of a run."""
    row: dict[str, Any] = {_ID: run.name, "Training": run.title}
    if isinstance(run, DamagedRun):
        return {**row, "State": BADGES["damaged"].word, "Note": run.reason}
    losses, metrics, about = run.losses, run.metrics, run.about
    seconds = seconds_of(losses)
    return {
        **row,
        "State": BADGES[run.status.state].word,
        "Film": "▶" if run.film_path.is_file() else None,
        "Classification": percent(metrics.get("classification_accuracy")),
        "Clustering": percent(metrics.get("clustering_accuracy")),
        "Cross-entropy, validation": losses[-1].validation_cross_entropy if losses else None,
        "Epochs": f"{len(losses)} of {run.config.epochs}",
        "Took": None if seconds is None else timedelta(seconds=round(seconds)),
        "Created": run.created,
        "Images": data_title(run.settings["data"]),
        "Settings": describe(run.config),
        "Tags": list(about.tags),
        "Note": about.note,
    }


def matching(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose what is wanted among some rows; return those that match."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search",
            placeholder="a name, note, tag or setting",
            key="search",
            bind="query-params",
            width=250,
        )
        chosen = {
            "State": choose("State", {row["State"] for row in rows}),
            "Images": choose("Images", {row.get("Images") for row in rows} - {None}),
            "Tags": choose("Tags", {tag for row in rows for tag in row.get("Tags", [])}),
        }
    return [row for row in rows if matches(row, text, chosen)]


def choose(label: str, values: set[Any]) -> list[str]:
    """Choose some of what the rows have in one column; there is nothing to choose of one value."""
    if len(values) < (1 if label == "Tags" else 2):
        return []
    return list(
        st.multiselect(
            label,
            sorted(values),
            placeholder="all",
            key=label.lower(),
            bind="query-params",
            width=170,
        )
    )


def matches(row: dict[str, Any], text: str, chosen: dict[str, list[str]]) -> bool:
    """Whether a row has all the words of a text somewhere, and in each column what was chosen."""
    said = " ".join(str(value) for name, value in row.items() if name != _ID).casefold()
    if not all(word in said for word in text.casefold().split()):
        return False
    for column, wanted in chosen.items():
        value = row.get(column)
        values = value if isinstance(value, list) else [value]
        if wanted and not set(wanted) & set(values):
            return False
    return True


def show_table(rows: list[dict[str, Any]]) -> list[str]:
    """Show some rows; return the names of those that are ticked."""
    event = st.dataframe(
        rows,
        hide_index=True,
        column_order=_COLUMNS,
        placeholder="–",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "Training": st.column_config.TextColumn(pinned=True, width="medium"),
            "Film": st.column_config.TextColumn(width=50),
            "Cross-entropy, validation": st.column_config.NumberColumn(
                format="%.1f", help="After the last epoch, in nats an image."
            ),
            "Classification": st.column_config.NumberColumn(format="%.1f %%"),
            "Clustering": st.column_config.NumberColumn(format="%.1f %%"),
            "Created": st.column_config.DatetimeColumn(format="distance"),
            "Took": st.column_config.NumberColumn(format="compact"),
        },
        alt="All trainings with their state, settings and figures",
        # What is ticked are rows by their place: others in their place are not.
        key=f"all_runs-{hash(tuple(row[_ID] for row in rows))}",
    )
    return [rows[place][_ID] for place in event.selection.rows]


def offer_choice(runs: Sequence[Run | DamagedRun]) -> None:
    """Offer what can be done with the runs that are ticked."""
    if not runs:
        st.caption("Tick one to watch it, several to compare them.")
        return
    whole = [run.name for run in runs if isinstance(run, Run)][:_MOST_COMPARED]
    with st.container(horizontal=True):
        if len(whole) == 1:
            turn("Watch", ":material/movie:", address.open_watch, whole[0])
        elif whole:
            turn(f"Compare {len(whole)}", ":material/compare_arrows:", address.open_compare, whole)
        is_free = not any(is_busy(run) for run in runs)
        if (
            is_free
            and is_owner()
            and st.button("Delete", icon=":material/delete:", key="delete_ticked")
        ):
            try:
                delete(list(runs))
            except RunError as error:
                st.error(sentence(error), icon=":material/error:")
    for run in runs:
        if isinstance(run, DamagedRun):
            st.error(f"{plain(run.title)}: {sentence(run.error)}", icon=":material/broken_image:")


def turn(label: str, icon: str, to: Callable[[Any], None], what: Any) -> None:
    """Offer to turn to another view of the page."""
    if st.button(label, type="primary", icon=icon, on_click=to, args=[what], key=to.__name__):
        st.rerun()  # all of the page, of which this is a fragment


def percent(share: float | None) -> float | None:
    """Return a share as the table shows it: a number, by which it is sorted."""
    return None if share is None else float(per_cent(share))
