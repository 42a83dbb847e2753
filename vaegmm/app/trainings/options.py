"""The settings of a new training, and how it is to be run."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from vaegmm.config import TrainConfig
from vaegmm.devices import best_device
from vaegmm.settings import SETTINGS, change, setting

_MOST_ATTEMPTS = 32


class Options(NamedTuple):
    """How a training is run: nothing of it changes what one attempt comes to."""

    device: str | None  # the best there is if None
    attempts: int
    film: bool
    tensorboard: bool


def choose_settings(kind: str, base: TrainConfig) -> TrainConfig:
    """Change the main settings of a configuration.

    Args:
        kind: what the configuration is called: others have widgets of their own.
        base: it.

    Raises:
        ValueError: if a value is out of its range.
    """
    places = [place for _ in range(0, len(SETTINGS), 2) for place in st.columns(2)]
    values = {}
    for (name, entry), place in zip(SETTINGS.items(), places, strict=False):
        value = setting(base, name)
        values[name] = place.number_input(
            entry.label,
            value=value,
            min_value=entry.kind(entry.least),
            max_value=None if entry.most is None else entry.kind(entry.most),
            step=1 if entry.kind is int else 0.5 if name == "kl_weight" else value / 2,
            format="%d" if entry.kind is int else "%g",
            help=f"{entry.help[0].upper()}{entry.help[1:]}.",
            key=f"{kind}-{name}",
            persist_state="session",
        )
    return change(base, **values)


def choose_options() -> Options:
    """Choose how the training is to be run."""
    st.session_state.setdefault("film", True)
    attempts = st.number_input(
        "Attempts",
        value=1,
        min_value=1,
        max_value=_MOST_ATTEMPTS,
        help="So many trainings with seeds of their own, one after the other. The one is kept "
        "whose views tell most of each other; no label has a say in it.",
        key="attempts",
        persist_state="session",
    )
    device = st.selectbox(
        "Device",
        [None, "cpu"] if best_device().type == "cpu" else [None, best_device().type, "cpu"],
        format_func=lambda name: name or f"the best there is ({best_device()})",
        key="device",
        persist_state="session",
    )
    film = st.toggle(
        "Film it", help="A frame an epoch, at most 60 kB each.", key="film", persist_state="session"
    )
    tensorboard = st.toggle(
        "Write for TensorBoard",
        help="Event files in the run's folder, as it trains.",
        key="tensorboard",
        persist_state="session",
    )
    return Options(device, int(attempts), film, tensorboard)
