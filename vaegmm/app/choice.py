"""Which model the pages show: a shipped one, a run's result, or a checkpoint that was uploaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from vaegmm.app import uploads
from vaegmm.app.words import distinct, sentence
from vaegmm.checkpoint import CheckpointError, read_header
from vaegmm.runs import list_runs

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
_WIDTH = 28  # characters that the sidebar has room for

# Session keys.
_CHOSEN = "checkpoint"  # no widget's, so that it survives a change of page
_PICKER = "checkpoint_picker"  # the widget's own


def choose_checkpoint(path: str | Path) -> None:
    """Make a checkpoint the one that every page shows from the next run of the script on."""
    st.session_state[_CHOSEN] = str(Path(path).resolve())


def chosen_checkpoint() -> str:
    """Return the checkpoint that every page shows; `offer_models` was asked before."""
    return str(st.session_state[_CHOSEN])


def secret_of_upload() -> str:
    """Return what must stand in the addresses of the chosen model; empty unless it is an upload."""
    if get_script_run_ctx() is None or not uploads.is_upload(st.session_state.get(_CHOSEN, "")):
        return ""
    return uploads.own().secret


def is_chosen(path: str | Path) -> bool:
    """Whether a checkpoint is the one that every page shows."""
    return st.session_state.get(_CHOSEN) == str(Path(path).resolve())


def first_checkpoint() -> str | None:
    """Return the checkpoint that a visitor is shown first, or None where there is none."""
    sources = _sources()
    return _default(sources) if sources else None


def offer_models() -> str | None:
    """Draw the sidebar's choice of a checkpoint; return the path of the chosen one."""
    chooser = st.container()  # above the upload, which may add to what can be chosen
    with st.expander("Upload a checkpoint", icon=":material/upload:"):
        file = st.file_uploader(
            "A .safetensors file that vaegmm wrote",
            type="safetensors",
            max_upload_size=uploads.UPLOAD_MEGABYTES,
            key="checkpoint_upload",
        )
        if file is not None:
            _receive(file)
    sources = _sources(uploads.own().paths)
    if not sources:
        chooser.caption("No model yet: train one, or upload one.")
        return None
    chosen = st.session_state.get(_CHOSEN)
    if chosen is not None and chosen not in sources:
        if Path(chosen).is_file():  # chosen by a page, from somewhere else
            sources[chosen] = Path(chosen).stem
        else:
            chosen = None
    st.session_state[_CHOSEN] = st.session_state[_PICKER] = chosen or _default(sources)
    labels, name = distinct(sources, _WIDTH), sources[st.session_state[_PICKER]]
    chooser.selectbox(
        "Model",
        list(sources),
        format_func=lambda path: labels.get(path, str(path)),
        help=name if len(name) > _WIDTH else None,
        key=_PICKER,
        on_change=_pick,
    )
    return str(st.session_state[_CHOSEN])


def _pick() -> None:
    path = st.session_state[_PICKER]
    if path in _sources(uploads.own().paths):  # a browser may send any path of this machine
        choose_checkpoint(path)


def _sources(uploaded: Iterable[Path] = ()) -> dict[str, str]:
    """Return what can be chosen: path -> what it is called."""
    shipped = {path: path.stem for path in CHECKPOINTS.glob("*.safetensors")}
    shipped = dict(sorted(shipped.items(), key=lambda entry: entry[1]))
    runs = {run.model_path: run.title for run in list_runs() if run.model_path.is_file()}
    own = {path: f"upload {path.stem}" for path in uploaded}
    return {str(path.resolve()): name for path, name in {**shipped, **runs, **own}.items()}


def _default(sources: dict[str, str]) -> str:
    """Return the first checkpoint whose header can be read, or just the first."""
    for path in sources:
        try:
            read_header(path)
            return path
        except CheckpointError:
            continue
    return next(iter(sources))


def _receive(file: UploadedFile) -> None:
    """Keep an uploaded checkpoint and choose it, once; show why not if it is none."""
    own = uploads.own()
    if file.file_id not in own.refusals:
        own.refusals[file.file_id] = ""
        try:
            choose_checkpoint(own.keep(file))
        except CheckpointError as error:
            own.refusals[file.file_id] = sentence(error)
    if refusal := own.refusals[file.file_id]:
        st.error(refusal, icon=":material/error:")
