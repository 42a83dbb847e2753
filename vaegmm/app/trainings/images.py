"""Which images a new training learns from: a data set by name, a file or folder, or an upload."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from vaegmm import data
from vaegmm.app.permission import owner_only
from vaegmm.app.uploads import UPLOAD_MEGABYTES, too_large
from vaegmm.app.words import sentence
from vaegmm.data import DataError

_FILE, _UPLOAD = "a file or folder", "an upload"
_OTHERS = {_FILE: "A file or folder", _UPLOAD: "Upload a .npz"}
_NAME, _PATH = "data", "data_path"  # the keys of the widgets


class Choice(NamedTuple):
    """The images to train on."""

    name: str  # as `data.load` takes it, or the file's own where it was uploaded
    n_images: int  # to train on
    upload: bytes | None = None


@owner_only  # which names files of this machine
def choose_data() -> Choice | None:
    """Choose the images; return None, and say why, where there are none to train on."""
    st.session_state.setdefault(_NAME, "mnist" if data.is_available("mnist") else "digits")
    name = str(
        st.selectbox(
            "Images",
            [*data.NAMES, *_OTHERS],
            format_func=data_title,
            key=_NAME,
            persist_state="session",
        )
    )
    try:
        if name == _UPLOAD:
            return uploaded_data()
        if name == _FILE:
            path = st.text_input(
                "Path of a .npz or .npy file or a folder of images",
                help="A .npz holds `images` and, if you have them, `labels`. A folder holds one "
                "sub-folder a label, or just images. A .npy of bytes, or a folder of them, may be "
                "larger than memory.",
                key=_PATH,
                persist_state="session",
            )
            return Choice(path, count_images(path, stamp_of(path))) if path else None
    except DataError as error:
        st.error(sentence(error), icon=":material/error:")
        return None
    if not data.is_available(name):
        st.caption(
            f"It is not on this machine yet: the training will download it to "
            f"{data.data_folder()} ({data.NAMED[name].megabytes} MB)."
        )
    return Choice(name, data.NAMED[name].n_train)


def fill_in(name: str) -> None:
    """Choose a data set that a run was trained on, from the next run of the script on."""
    if name in data.NAMES:
        st.session_state[_NAME] = name
    else:
        st.session_state[_NAME], st.session_state[_PATH] = _FILE, name


def data_title(name: str) -> str:
    """Say what a data set is called, and whether it has to be downloaded first."""
    if name in _OTHERS:
        return _OTHERS[name]
    title = data.NAMED[name].title
    title = title[:1].upper() + title[1:]
    return title if data.is_available(name) else f"{title} (will be downloaded)"


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
