"""A new training: its images, its settings, what they amount to, and its start."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.trainings.images import Choice, choose_data
from vaegmm.app.trainings.watched import look_at
from vaegmm.app.words import sentence
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.devices import best_device
from vaegmm.model import require_enough_images
from vaegmm.runs import Run, RunError, new_run_path
from vaegmm.settings import SETTINGS, change, setting

_PRESET_NOTES = {
    "default": "The readings of the description that work best: what to run.",
    "quick": "The default cut down: about half a minute on the bundled digits.",
    "reference": "Every number that the published description states; slow.",
}


def offer_new_run() -> None:
    """Choose data and settings, say what they amount to, and start."""
    choice = choose_data()
    preset = st.segmented_control(
        "Preset",
        ["default", "quick", "reference"],
        default="default",
        required=True,
        key="preset",
        persist_state="session",
    )
    st.caption(_PRESET_NOTES[preset])
    try:
        config, device = choose_settings(preset)
        if choice is not None:
            require_enough_images(choice.n_images, config.mixture)
            st.caption(amount_of_work(choice, config))
    except ValueError as error:
        st.error(sentence(error), icon=":material/error:")
        choice = None
    pressed = st.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        disabled=choice is None,
        key="start",
    )
    if pressed and choice is not None:
        start(choice, config, device)


def choose_settings(preset: str) -> tuple[TrainConfig, str | None]:
    """Start from a preset and change its main settings; also choose the device.

    Raises:
        ValueError: if a value is out of its range.
    """
    first, second = st.columns(2), st.columns(2)
    advanced = st.expander("Advanced", icon=":material/tune:")
    places = [*first, *second, advanced, advanced]
    values = {}
    for (name, entry), place in zip(SETTINGS.items(), places, strict=True):
        value = setting(PRESETS[preset], name)
        values[name] = place.number_input(
            entry.label,
            value=value,
            min_value=entry.kind(entry.least),
            max_value=None if entry.most is None else entry.kind(entry.most),
            step=1 if entry.kind is int else 0.5 if name == "kl_weight" else value / 2,
            format="%d" if entry.kind is int else "%g",
            help=f"{entry.help[0].upper()}{entry.help[1:]}.",
            key=f"{preset}-{name}",
            persist_state="session",
        )
    device = advanced.selectbox(
        "Device",
        [None, "cpu"] if best_device().type == "cpu" else [None, best_device().type, "cpu"],
        format_func=lambda name: name or f"the best there is ({best_device()})",
        key="device",
        persist_state="session",
    )
    return change(PRESETS[preset], **values), device


def amount_of_work(choice: Choice, config: TrainConfig) -> str:
    """Say what a training will do."""
    steps = -(-choice.n_images // config.batch_size)
    return (
        f"{choice.n_images:,} training images in batches of {config.batch_size}: {steps:,} steps "
        f"an epoch, {steps * config.epochs:,} in all. Then a mixture of "
        f"{config.mixture.n_components} clusters is fitted to them."
    )


def start(choice: Choice, config: TrainConfig, device: str | None) -> None:
    """Launch a new run and look at it."""
    path = new_run_path(config, choice.name)
    try:
        run = Run.create(path, config, choice.name, device, choice.upload)
        run.launch()
    except RunError as error:
        st.error(sentence(error), icon=":material/error:")
        return
    look_at(run)
    st.toast("The training has started.", icon=":material/play_arrow:")
