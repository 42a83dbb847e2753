"""The settings of a new training, and how it is to be run."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vaegmm.config import TrainConfig
from vaegmm.devices import best_device
from vaegmm.errors import InputError
from vaegmm.runs.directory import MOST_ATTEMPTS
from vaegmm.settings import (
    ARCHITECTURE,
    SETTINGS,
    Setting,
    change,
    is_fixed,
    preset_and_changes,
    setting,
    units,
    written,
)


class Options(NamedTuple):
    """How a training is run: nothing of it changes what one attempt comes to."""

    device: str | None  # the best there is if None
    attempts: int
    film: bool
    tensorboard: bool


def choose_settings(kind: str, base: TrainConfig) -> TrainConfig:
    """Change the main settings of a configuration, and its network where its preset allows that.

    Args:
        kind: what the configuration is called: others have widgets of their own.
        base: it.

    Raises:
        ValueError: if a value is out of its range.
    """
    nearest = preset_and_changes(base)
    may_change = nearest is None or not is_fixed(nearest[0], "latents")
    numbers: dict[str, Any] = dict(SETTINGS)
    if may_change:
        numbers["latents"] = ARCHITECTURE["latents"]
    places = [place for _ in range(0, len(numbers), 2) for place in st.columns(2)]
    values = {
        name: choose_number(place, entry, setting(base, name), key=f"{kind}-{name}")
        for place, (name, entry) in zip(places, numbers.items(), strict=False)
    }
    if may_change:
        values["hidden"] = choose_units(setting(base, "hidden"), key=f"{kind}-hidden")
    return change(base, **values)


def choose_number(place: DeltaGenerator, entry: Setting[Any], value: Any, key: str) -> Any:
    """Choose one number, beginning with a value."""
    step = 1 if entry.kind is int else value / 2 or 0.5
    return place.number_input(
        entry.label,
        value=value,
        min_value=entry.kind(entry.least),
        max_value=None if entry.most is None else entry.kind(entry.most),
        step=step,
        format="%d" if entry.kind is int else "%g",
        help=f"{entry.help[0].upper()}{entry.help[1:]}.",
        key=key,
        persist_state="session",
    )


def choose_units(value: tuple[int, ...], key: str) -> tuple[int, ...]:
    """Choose the numbers of hidden units.

    Raises:
        InputError: if what was written are no numbers.
    """
    entry = ARCHITECTURE["hidden"]
    text = st.text_input(
        entry.label,
        value=written(value),
        help=f"{entry.help[0].upper()}{entry.help[1:]}.",
        key=key,
        persist_state="session",
    )
    try:
        return units(text)
    except ValueError as error:
        rule = "be whole numbers, by commas"
        message = f"hidden_units must {rule}; got {text!r}."
        raise InputError(message, reason="setting", setting="hidden_units", rule=rule) from error


def choose_options() -> Options:
    """Choose how the training is to be run."""
    st.session_state.setdefault("film", True)
    st.session_state.setdefault("attempts", 1)
    attempts = st.number_input(
        "Attempts",
        min_value=1,
        max_value=MOST_ATTEMPTS,
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
    has_tensorboard = find_spec("tensorboard") is not None
    tensorboard = st.toggle(
        "Write for TensorBoard",
        help="Event files in the run's folder, as it trains."
        if has_tensorboard
        else "It is not installed here: pip install tensorboard",
        disabled=not has_tensorboard,
        key="tensorboard",
        persist_state="session",
    )
    return Options(device, int(attempts), film, tensorboard)
