"""All trainings there are, as a table."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.trainings.saying import BADGES, data_name_of
from vaegmm.app.words import per_cent
from vaegmm.runs import list_runs
from vaegmm.settings import describe


def show_table(was_active: bool) -> None:
    """List all runs."""
    runs, rows = list_runs(), []
    if was_active and not any(run.is_active for run in runs):
        st.rerun()  # the last one has ended: nothing is left to poll for
    for run in runs:
        losses, metrics = run.losses, run.metrics
        rows.append(
            {
                "Training": run.name,
                "State": BADGES[run.status.state][0],
                "Epochs": f"{len(losses)} of {run.config.epochs}",
                "Cross-entropy, validation": losses[-1].validation_cross_entropy
                if losses
                else None,
                "Classification": percent(metrics.get("classification_accuracy")),
                "Clustering": percent(metrics.get("clustering_accuracy")),
                "Images": data_name_of(run),
                "Settings": describe(run.config),
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        placeholder="–",
        column_config={
            "Cross-entropy, validation": st.column_config.NumberColumn(
                format="%.1f", help="After the last epoch, in nats an image."
            ),
            "Classification": st.column_config.NumberColumn(format="%.1f %%"),
            "Clustering": st.column_config.NumberColumn(format="%.1f %%"),
        },
        alt="All trainings with their state, settings and figures",
        key="all_runs",
    )


def percent(share: float | None) -> float | None:
    """Return a share as the table shows it: a number, by which it is sorted."""
    return None if share is None else float(per_cent(share))
