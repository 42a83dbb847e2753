"""What takes time and is the same for everyone: computed once, shared by all sessions.

Nothing that these functions return may be changed: other people look at it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from vaegmm import data
from vaegmm.app import explore, uploads
from vaegmm.app.permission import is_public
from vaegmm.app.start import Start, Wanted
from vaegmm.app.words import sentence
from vaegmm.browser.export import export_html_bytes
from vaegmm.browser.fit_blob import fit_blob
from vaegmm.data import DataError, Dataset, Split, StoredSplit
from vaegmm.images import spread
from vaegmm.metrics import accuracy
from vaegmm.mixture import FitProgress
from vaegmm.model import VAEGMM, load
from vaegmm.replay import replay

#: What caches tell one model, or one data set, from another by.
BY_FINGERPRINT: dict[str | type, Callable[[Any], str]] = {
    VAEGMM: lambda model: model.fingerprint,
    Dataset: lambda dataset: dataset.fingerprint,
    Start: repr,
    Wanted: repr,
}


def load_model(path: str | Path) -> VAEGMM:
    """Load a checkpoint.

    Raises:
        CheckpointError: if it is missing or no checkpoint.
    """
    path = Path(path).resolve()
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0  # load() says what is wrong
    return _load_model(str(path), stamp)


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def _load_model(path: str, stamp: int) -> VAEGMM:
    model = load(path)
    if is_public() and uploads.is_upload(path) and explore.trained_on(model) not in data.NAMES:
        # A visitor's file would say which of this machine's files are opened and shown.
        model.provenance["data"] = {**model.provenance.get("data", {}), "name": ""}
    return model


def dataset(model: VAEGMM) -> tuple[Dataset, str]:
    """Return images to show with a model, and a caption that says which they are.

    The model's own data set where this machine has it, else the bundled digits. Nothing is
    downloaded.
    """
    name = explore.trained_on(model)
    if _is_here(name):
        try:
            own = _load_dataset(name, str(data.data_folder()))
            return own, f"Images: {own.title}, {len(own.test):,} test images."
        except DataError as error:
            reason = sentence(error)
    else:
        reason = f"The model's own data set, {explore.title_of(model)}, is not on this machine."
    bundled = _load_dataset("digits", "")
    return bundled, f"Images: {bundled.title}, {len(bundled.test):,} test images. {reason}"


def own_dataset(model: VAEGMM) -> Dataset | None:
    """Return the data set that a model was trained on, if this machine has that very one."""
    name = explore.trained_on(model)
    if not _is_here(name):
        return None
    try:
        own = _load_dataset(name, str(data.data_folder()))
    except DataError:
        return None
    return own if own.fingerprint == model.provenance["data"].get("fingerprint") else None


def stored_split(model: VAEGMM) -> Split | StoredSplit | None:
    """Return the training images whose z a model stores, if this machine has them."""
    own = own_dataset(model)
    if own is None or len(own.train) == len(model.latents):
        return None if own is None else own.train
    return own.train.take(spread(len(own.train), len(model.latents)))


@st.cache_resource(max_entries=3, show_spinner="Loading the images …")
def _load_dataset(name: str, folder: str) -> Dataset:
    return data.load(name)


def _is_here(name: str) -> bool:
    if name in data.NAMES:
        return data.is_available(name)
    return bool(name) and Path(name).expanduser().exists()


@st.cache_resource(
    max_entries=4, show_spinner="Reconstructing the test images …", hash_funcs=BY_FINGERPRINT
)
def scores(model: VAEGMM, images: Dataset) -> explore.Scores:
    """Return what a model makes of the test images."""
    return explore.Scores.of(model, images.test.images)


@st.cache_resource(
    max_entries=4, show_spinner="Clustering the test images …", hash_funcs=BY_FINGERPRINT
)
def test_clusters(model: VAEGMM, images: Dataset) -> np.ndarray:
    """Return the cluster of each test image where there is one cluster a label, shape (N,)."""
    n_clusters = len(images.label_names)
    if len(model.mixture.weights_) != n_clusters:
        model = model.refit(n_clusters)
    return model.mixture.predict(model.encode(images.test.images))


@st.cache_resource(
    max_entries=32, show_spinner="Reading the validation images …", hash_funcs=BY_FINGERPRINT
)
def validation_accuracy(model: VAEGMM, images: Dataset) -> float:
    """Return the share of the validation images that a model with names reads rightly."""
    assert images.validation.labels is not None
    return accuracy(model.predict(images.validation.images), images.validation.labels)


def export(model: VAEGMM) -> bytes:
    """Return a model as one HTML file; those that have learned a hand are not kept."""
    if model.n_examples:
        with _exporting:
            return export_html_bytes(model)
    return _exported(model)


_exporting = threading.Lock()  # 20 MB are handled for each


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=BY_FINGERPRINT)
def _exported(model: VAEGMM) -> bytes:
    with _exporting:
        return export_html_bytes(model)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=BY_FINGERPRINT)
def refitted(
    model: VAEGMM, wanted: Wanted | Start, _progress: Callable[[FitProgress], object]
) -> VAEGMM:
    """Return the model with another mixture; `_progress` as `VAEGMM.refit` takes it.

    Args:
        model: it stays as it is.
        wanted: how large the mixture shall be, or where its fit shall begin.
    """
    other = model.refit(wanted.n_components, progress=_progress, history=True, **wanted.options())
    played(other, _progress)  # while its iterations are at hand, which take more room than it
    del other.mixture.history_
    other.mixture.history = False
    return other


@st.cache_resource(max_entries=12, show_spinner=False, hash_funcs=BY_FINGERPRINT)
def played(model: VAEGMM, _progress: Callable[[FitProgress], object]) -> bytes:
    """Return the fit of a model's mixture, as the page plays it back."""
    recording, is_onwards = replay(model, _progress)
    return fit_blob(model, recording, is_onwards)
