"""Which images a new training learns from: a data set by name, a file or folder, or an upload."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from vaegmm import data
from vaegmm.app.choice import UPLOAD_MEGABYTES, too_large
from vaegmm.app.words import sentence
from vaegmm.data import DataError

_FILE, _UPLOAD = "a file or folder", "an upload"
_TITLES = {
    "digits": "Digits (bundled)",
    "mnist": "MNIST",
    "fashion": "Fashion-MNIST",
    _FILE: "A file or folder",
    _UPLOAD: "Upload a .npz",
}


class Choice(NamedTuple):
    """The images to train on."""

    name: str  # as `data.load` takes it, or the file's own where it was uploaded
    n_images: int  # to train on
    upload: bytes | None = None


def choose_data() -> Choice | None:
    """Choose the images; return None, and say why, where there are none to train on."""
    names = list(_TITLES)
    name = str(
        st.selectbox(
            "Images",
            names,
            index=names.index("mnist" if data.is_available("mnist") else "digits"),
            format_func=data_title,
            key="data",
            persist_state="session",
        )
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
