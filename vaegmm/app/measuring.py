"""Measuring mixtures of several sizes: a process of its own, shared by all who look at a model."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from vaegmm.app import explore
from vaegmm.model import VAEGMM
from vaegmm.sizes import COMPONENTS, Size, path_beside, read


class Measuring:
    """Sizes that are known of one model, and the process that measures more of them.

    Args:
        model: fitted.
        checkpoint: its file.
    """

    def __init__(self, model: VAEGMM, checkpoint: str) -> None:
        self._model, self._checkpoint = model, checkpoint
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()  # two people may press at once
        self._expected = 0
        beside = path_beside(checkpoint)
        self._path = beside
        if not os.access(beside.parent, os.W_OK) and not beside.exists():
            folder = Path(tempfile.mkdtemp(prefix="vaegmm-sizes-"))
            self._path = folder / beside.name

    @property
    def sizes(self) -> list[Size]:
        """What is known by now."""
        return read(self._path, self._model)

    @property
    def is_running(self) -> bool:
        """Whether more is being measured."""
        return self._process is not None and self._process.poll() is None

    @property
    def has_failed(self) -> bool:
        """Whether the last process ended with an error, and not by being stopped."""
        return self._process is not None and self._process.poll() in {1, 2}

    @property
    def progress(self) -> float:
        """How much of what was asked for is known, in [0, 1]."""
        return min(len(self.sizes) / max(self._expected, 1), 1.0)

    def start(self, covariance_types: Sequence[str], has_images: bool) -> None:
        """Measure all sizes of these types that are not known yet."""
        with self._lock:
            if self.is_running:
                return
            asked = {(k, kind) for kind in covariance_types for k in COMPONENTS}
            known = {(size.n_components, size.covariance_type) for size in self.sizes}
            self._expected = len(asked | known)
            command = [sys.executable, "-m", "vaegmm", "sizes", self._checkpoint]
            command += ["--types", ",".join(covariance_types), "--out", str(self._path)]
            if has_images:
                command += ["--data", explore.trained_on(self._model)]
            self._process = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1"},  # pages are served meanwhile
            )

    def stop(self) -> None:
        """End the process; what it has measured stays."""
        if self._process is not None:
            self._process.terminate()


@st.cache_resource(max_entries=8, show_spinner=False)
def of(_model: VAEGMM, checkpoint: str, fingerprint: str) -> Measuring:
    """Return what all visitors share of one model."""
    return Measuring(_model, checkpoint)
