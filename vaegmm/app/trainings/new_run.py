"""A new training: its images, its settings, what they amount to, and its start."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.permission import is_owner, say_at_home
from vaegmm.app.trainings import (
    address,
    changes,
    confirming,
    estimates,
    messages,
    panel,
    templates,
)
from vaegmm.app.trainings.about import choose_tags
from vaegmm.app.trainings.images import Choice, choose_data
from vaegmm.app.trainings.options import Options, choose_options, choose_settings
from vaegmm.app.words import plain, sentence
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.errors import ReasonedError
from vaegmm.model import require_enough_images
from vaegmm.questions import questions
from vaegmm.runs import About

_PRESET_NOTES = {
    "default": "The readings of the description that work best: what to run.",
    "quick": "The default cut down: about half a minute on the bundled digits.",
    "reference": "Every number that the published description states; slow.",
}


def offer_new_run() -> None:
    """Choose data and settings, say what they amount to, and start."""
    st.subheader("A new training", anchor=False)
    if not is_owner():
        say_at_home("Trainings are started")
        return
    templates.begin()
    choice = choose_data()
    kind, base = choose_preset()
    title = st.text_input(
        "Name", placeholder="what it tries", key=templates.TITLE, persist_state="session"
    )
    try:
        with st.expander("Settings", icon=":material/tune:"):
            config = choose_settings(kind, base)
            options = choose_options()
            note = st.text_area("Note", height=80, key=templates.NOTE, persist_state="session")
            tags = choose_tags(templates.TAGS)
        about = About(title, note, tuple(tags))
        if choice is not None:
            require_enough_images(choice.n_images, config.mixture)
            st.caption(amount_of_work(choice, config))
            expected = estimates.show(config, choice.n_images, options)
            doubts = questions(config, choice.n_images, options.attempts, expected.answer)
    except ValueError as error:
        st.error(sentence(error), icon=":material/error:")
        choice = None
    pressed = st.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        disabled=choice is None,
        width="stretch",
        key="start",
    )
    if choice is not None and confirming.is_meant(pressed, choice, config, doubts):
        start(choice, config, options, about)


def choose_preset() -> tuple[str, TrainConfig]:
    """Choose where the settings start from; return what that is called, and the configuration."""
    presets = list(_PRESET_NOTES)
    template = templates.template()
    if template is not None:
        presets.append(templates.COPY)
    if st.session_state.get("preset") not in presets:
        st.session_state["preset"] = "default"
    preset = st.pills("Preset", presets, required=True, key="preset", persist_state="session")
    if template is not None and preset == templates.COPY:
        run, filled = template
        st.caption(f"All settings of *{plain(run.title)}*, to change some.")
        return f"copy-{run.name}", filled.config
    st.caption(_PRESET_NOTES[str(preset)])
    return str(preset), PRESETS[str(preset)]


def amount_of_work(choice: Choice, config: TrainConfig) -> str:
    """Say what a training will do."""
    steps = -(-choice.n_images // config.batch_size)
    return (
        f"{choice.n_images:,} training images in batches of {config.batch_size}: {steps:,} steps "
        f"an epoch, {steps * config.epochs:,} in all. Then a mixture of "
        f"{config.mixture.n_components} clusters is fitted to them."
    )


def start(choice: Choice, config: TrainConfig, options: Options, about: About) -> None:
    """Start a new run, or let it wait for its turn, and look at it."""
    try:
        run = changes.new_run(
            config,
            choice.name,
            device=options.device,
            upload=choice.upload,
            title=about.title,
            note=about.note,
            tags=about.tags,
            film=options.film,
            attempts=options.attempts,
        )
        if options.tensorboard:
            (run.path / "tensorboard").mkdir()  # which tells the process that will train it
        changes.enqueue(run)
    except ReasonedError as error:
        st.error(sentence(error), icon=":material/error:")
        return
    address.look_at(run.name)
    templates.use_up()
    panel.close()
    if run.status.state == "waiting":
        messages.say_next("The training waits for its turn.", ":material/hourglass_top:")
    else:
        messages.say_next("The training has started.", ":material/play_arrow:")
    st.rerun()
