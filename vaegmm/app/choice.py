"""Which model the pages show: a shipped one, a run's result, or a checkpoint that was uploaded."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from vaegmm.app.words import distinct, sentence
from vaegmm.checkpoint import CheckpointError, read_header, read_parts
from vaegmm.runs import list_runs

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
UPLOAD_MEGABYTES = 50
_WIDTH = 28  # characters that the sidebar has room for

# Session keys that no widget owns, so that they survive a change of page.
_CHOSEN = "checkpoint"
_UPLOADS = "uploads"  # file id -> path, or the sentence that says why it was refused
_PICKER = "checkpoint_picker"  # the widget's own


def choose_checkpoint(path: str | Path) -> None:
    """Make a checkpoint the one that every page shows from the next run of the script on."""
    st.session_state[_CHOSEN] = str(Path(path).resolve())


def chosen_checkpoint() -> str:
    """Return the checkpoint that every page shows; `offer_models` was asked before."""
    return str(st.session_state[_CHOSEN])


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
            max_upload_size=UPLOAD_MEGABYTES,
            key="checkpoint_upload",
        )
        if file is not None:
            _receive(file)
    sources = _sources(st.session_state.get(_UPLOADS, {}).values())
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
        on_change=lambda: choose_checkpoint(st.session_state[_PICKER]),
    )
    return str(st.session_state[_CHOSEN])


def _sources(uploads: Iterable[str] = ()) -> dict[str, str]:
    """Return what can be chosen: path -> what it is called."""
    shipped = {path: path.stem for path in CHECKPOINTS.glob("*.safetensors")}
    shipped = dict(sorted(shipped.items(), key=lambda entry: entry[1]))
    runs = {run.model_path: run.title for run in list_runs() if run.model_path.is_file()}
    own = {Path(path): f"upload {Path(path).stem}" for path in uploads if Path(path).is_file()}
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


def too_large(file: UploadedFile, remedy: str) -> dict[str, Any]:
    """Return the reason and the facts of an error for an upload that is too large."""
    return {
        "reason": "large upload",
        "name": file.name,
        "megabytes": math.ceil(file.size / 2**20),
        "most": UPLOAD_MEGABYTES,
        "remedy": remedy,
    }


def _receive(file: UploadedFile) -> None:
    """Keep an uploaded checkpoint and choose it, once; show why not if it is none."""
    uploads: dict[str, str] = st.session_state.setdefault(_UPLOADS, {})
    if file.file_id not in uploads:
        try:
            uploads[file.file_id] = _keep(file)
            choose_checkpoint(uploads[file.file_id])
        except CheckpointError as error:
            uploads[file.file_id] = sentence(error)
    if not Path(uploads[file.file_id]).is_file():
        st.error(uploads[file.file_id], icon=":material/error:")


def _keep(file: UploadedFile) -> str:
    if file.size > UPLOAD_MEGABYTES * 2**20:
        raise CheckpointError(
            f"upload must have at most {UPLOAD_MEGABYTES} MB; got {file.size / 2**20:.0f} MB.",
            **too_large(file, "Copy it to the folder of checkpoints instead."),
        )
    content = file.getvalue()
    folder = Path(_upload_folder().name) / hashlib.sha256(content).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    path = folder / Path(file.name).name
    path.write_bytes(content)
    try:
        read_parts(path)
    except CheckpointError:
        path.unlink()
        raise
    return str(path.resolve())


@st.cache_resource(show_spinner=False)
def _upload_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="vaegmm-")  # removed when the server ends
