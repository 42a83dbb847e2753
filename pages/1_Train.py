"""Train: launch, watch, stop, resume, compare and load trainings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from vaegmm import data
from vaegmm.app import figures, show
from vaegmm.app.choice import choose_checkpoint
from vaegmm.app.page import TEXT_WIDTH, page
from vaegmm.app.uploads import UPLOAD_MEGABYTES, too_large
from vaegmm.app.words import per_cent, say, sentence
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.data import DataError
from vaegmm.devices import best_device
from vaegmm.model import require_enough_images
from vaegmm.runs import Run, RunError, command_of, list_runs, new_run_path
from vaegmm.settings import SETTINGS, change, describe, setting
from vaegmm.training import Progress

_POLL_SECONDS = 1.0
_WATCHED = "run"  # the key, in the session and in the address, of the run that is looked at
_FILE, _UPLOAD = "a file or folder", "an upload"
_TITLES = {
    "digits": "Digits (bundled)",
    "mnist": "MNIST",
    "fashion": "Fashion-MNIST",
    _FILE: "A file or folder",
    _UPLOAD: "Upload a .npz",
}
_PRESET_NOTES = {
    "default": "The readings of the description that work best: what to run.",
    "quick": "The default cut down: about half a minute on the bundled digits.",
    "reference": "Every number that the published description states; slow.",
}
_BADGES = {
    "starting": ("starting", ":material/hourglass_empty:", "gray"),
    "training": ("training", ":material/play_arrow:", "blue"),
    "fitting": ("fitting the mixture", ":material/bubble_chart:", "blue"),
    "finished": ("finished", ":material/check:", "green"),
    "stopped": ("stopped", ":material/pause:", "gray"),
    "failed": ("failed", ":material/error:", "red"),
}


class Choice(NamedTuple):
    """The images to train on."""

    name: str  # as `data.load` takes it, or the file's own where it was uploaded
    n_images: int  # to train on
    upload: bytes | None = None


def main() -> None:
    """Draw the page."""
    page("Train")
    st.title("Train")
    st.markdown(
        "An autoencoder learns to bring each image down to a few numbers and back; a mixture of "
        "Gaussians then finds the clusters among those numbers. A training is a process of its "
        "own: it goes on when this page is closed, and what it has learned is kept after every "
        "epoch.",
        width=TEXT_WIDTH,
    )
    new, watched = st.columns([5, 8], gap="large")
    with new:
        st.subheader("A new training", anchor=False)
        offer_new_run()
    with watched:
        st.subheader("Trainings", anchor=False)
        runs = list_runs()
        if runs:
            show_runs(runs)
        else:
            st.markdown(
                "None yet. The preset *quick* on the bundled digits takes about half a minute."
            )
    if runs:
        st.subheader("All trainings", anchor=False)
        any_active = any(run.is_active for run in runs)
        st.fragment(show_table, run_every=_POLL_SECONDS if any_active else None)(any_active)


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
    if st.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        disabled=choice is None,
        key="start",
    ):
        start(choice, config, device)


def choose_data() -> Choice | None:
    """Choose the images; return None, and say why, where there are none to train on."""
    names = list(_TITLES)
    name = st.selectbox(
        "Images",
        names,
        index=names.index("mnist" if data.is_available("mnist") else "digits"),
        format_func=data_title,
        key="data",
        persist_state="session",
    )
    try:
        if name == _UPLOAD:
            return uploaded_data()
        if name == _FILE:
            path = st.text_input(
                "Path of a .npz file or a folder of images",
                help="A .npz holds `images` and, if you have them, `labels`. A folder holds one "
                "sub-folder a label, or just images.",
                key="data_path",
                persist_state="session",
            )
            return Choice(path, count_images(path, stamp_of(path))) if path else None
        if not data.is_available(name):
            st.caption(
                f"It is not on this machine yet: the training will download it to "
                f"{data.data_folder()}."
            )
            return Choice(name, 55_000)
        return Choice(name, count_images(name, 0))
    except DataError as error:
        st.error(sentence(error), icon=":material/error:")
        return None


def data_title(name: str) -> str:
    """Say what a data set is called, and whether it has to be downloaded first."""
    is_missing = name in data.NAMES and not data.is_available(name)
    return f"{_TITLES[name]} (will be downloaded)" if is_missing else _TITLES[name]


def uploaded_data() -> Choice | None:
    """Take a data set from the browser."""
    file = st.file_uploader(
        "A .npz with `images` and, if you have them, `labels`",
        type="npz",
        max_upload_size=UPLOAD_MEGABYTES,
        key="data_upload",
    )
    if file is None:
        return None
    if file.size > UPLOAD_MEGABYTES * 2**20:
        raise DataError(
            f"upload must have at most {UPLOAD_MEGABYTES} MB; got {file.size / 2**20:.0f} MB.",
            **too_large(file, "Choose a file or folder above and say where it is instead."),
        )
    content = file.getvalue()
    return Choice(file.name, count_uploaded_images(file.file_id, file.name, content), content)


@st.cache_data(max_entries=20, show_spinner="Reading the images …")
def count_images(name: str, stamp: int) -> int:
    """Count the images that a training on this data set gets."""
    return len(data.load(name).train)


@st.cache_data(max_entries=5, show_spinner="Reading the images …")
def count_uploaded_images(file_id: str, name: str, _content: bytes) -> int:
    """Count the images that a training on an uploaded file gets."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, Path(name).name)
        path.write_bytes(_content)
        return len(data.load(path).train)


def stamp_of(path: str) -> int:
    """Return what changes with a file, to key a cache on."""
    try:
        return Path(path).expanduser().stat().st_mtime_ns
    except OSError:
        return 0


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
    st.session_state[_WATCHED] = run.name
    st.toast("The training has started.", icon=":material/play_arrow:")


def show_runs(runs: list[Run]) -> None:
    """Choose one run to look at, with what can be done with it, and others to compare."""
    by_name = {run.name: run for run in runs}
    if st.session_state.get(_WATCHED) not in by_name:
        st.session_state.pop(_WATCHED, None)
    run = by_name[st.selectbox("Training", list(by_name), key=_WATCHED, bind="query-params")]
    others = [name for name in by_name if name != run.name]
    if others:
        others = st.multiselect(
            "Compare with",
            others,
            max_selections=5,
            placeholder="other trainings",
            key="compare",
            bind="query-params",
        )
    is_active = run.is_active
    compared = [run, *(by_name[name] for name in others)]
    st.fragment(show_run, run_every=_POLL_SECONDS if is_active else None)(compared, is_active)
    try:
        offer_actions(run, is_active)
    except RunError as error:
        st.error(sentence(error), icon=":material/error:")


def show_run(compared: list[Run], was_active: bool) -> None:
    """Show where the first of some runs stands, and the curves of all."""
    run = compared[0]
    status = run.status
    if was_active and not run.is_active:
        st.rerun()  # it has just ended: what can be done with it is another thing now
    label, icon, colour = _BADGES[status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, icon=icon, color=colour)
        st.caption(f"{describe(run.config)} on {data_name_of(run)}", width="content")
    if status.state == "failed":
        st.error(say(status.reason, status.facts), icon=":material/error:")
        if log := run.log_tail():
            with st.expander("The end of its log", icon=":material/article:"):
                st.code(log, language=None, wrap_lines=True)
    if run.is_finished:
        with st.container(horizontal=True):
            show.metrics(run.metrics)
    elif status.state == "training" and status.progress is not None:
        st.progress(status.progress.fraction, text=words_for(status.progress, run.config))
    elif status.state == "fitting":
        st.progress(1.0, text="All epochs are done; the mixture is being fitted …")
    else:
        done, epochs = len(run.losses), run.config.epochs
        words = "Getting ready …" if was_active else f"{done} of {epochs} epochs are kept."
        st.progress(done / epochs, text=words)
    show_curves(compared)


def show_curves(runs: list[Run]) -> None:
    """Draw the losses of some runs over their epochs."""
    losses = {run.name: run.losses for run in runs}
    if not any(losses.values()):
        return
    titles = {"cross_entropy": "Cross-entropy", "kl": "KL divergence"}
    for column, (part, title) in zip(st.columns(2), titles.items(), strict=True):
        curves = {
            name: (
                [getattr(loss, part) for loss in history],
                [getattr(loss, f"validation_{part}") for loss in history],
            )
            for name, history in losses.items()
        }
        column.markdown(f"**{title}**, nats an image")
        column.plotly_chart(
            figures.loss_curves(curves),
            key=f"curves-{part}",
            config={"displayModeBar": False},
            alt=f"{title} of each epoch, on training and on validation images",
        )
    st.caption("Solid: training images. Dotted: validation images, which are not trained on.")


def offer_actions(run: Run, is_active: bool) -> None:
    """Offer what can be done with a run in its state.

    Raises:
        RunError: if it cannot be done.
    """
    with st.container(horizontal=True):
        if is_active:
            if st.button("Stop", icon=":material/stop:", key="stop"):
                run.stop()
                st.rerun()
            return
        if run.is_finished:
            if st.button(
                "Load",
                type="primary",
                icon=":material/check:",
                on_click=choose_checkpoint,
                args=[run.model_path],
                key="load",
            ):
                st.toast("Every page shows this model now.", icon=":material/check:")
            st.download_button(
                "Download",
                run.model_path.read_bytes,
                file_name=f"{run.name}.safetensors",
                icon=":material/download:",
                on_click="ignore",
                key="download",
            )
        elif st.button("Resume", type="primary", icon=":material/play_arrow:", key="resume"):
            run.launch()
            st.rerun()
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(f"Delete **{run.name}** with its model? There is no way back.")
            if st.button("Delete it", icon=":material/delete_forever:", key="delete"):
                run.delete()
                st.rerun()
        with st.popover("Command", icon=":material/terminal:"):
            st.markdown("The same training from the command line:")
            st.code(command_of(run), language="bash", wrap_lines=True)


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
                "State": _BADGES[run.status.state][0],
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


def data_name_of(run: Run) -> str:
    """Say what a run is trained on, without the folder it lies in."""
    return Path(run.settings["data"]).name


def words_for(progress: Progress, config: TrainConfig) -> str:
    """Say how far a training is."""
    words = [f"Epoch {progress.epoch} of {progress.epochs}"]
    if progress.starts_tried:
        words.append(
            f"{progress.starts_tried} of {config.joint.n_init} starts of the mixture tried"
        )
    else:
        words.append(f"step {progress.step} of {progress.steps}")
        words.append(f"{duration(progress.seconds_left or 0)} left")
    if progress.restarts:
        words.append("begun again, since its clusters had collapsed")
    return ", ".join(words)


def duration(seconds: float) -> str:
    """Say a duration as people do: two units at most."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


main()
