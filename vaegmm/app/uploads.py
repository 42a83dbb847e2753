"""Checkpoints that people have uploaded: each session sees its own, for as long as it lasts."""

from __future__ import annotations

import functools
import math
import secrets
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from vaegmm.app.permission import is_public
from vaegmm.checkpoint import CheckpointError, read_parts

UPLOAD_MEGABYTES = 50
MOST_UPLOADS = 3  # of a visitor; the oldest gives way
MOST_TOGETHER = 1_000_000_000  # bytes on the disk, of all visitors
UPLOAD_SECONDS = 3600.0  # after which a visitor's upload is removed

_SECRET = "uploads_secret"  # session key that no widget owns


class Uploads:
    """The checkpoints of one session, in a folder that nobody else is told of.

    Args:
        secret: stands in the addresses of these models, so that nobody finds them by their content.
    """

    def __init__(self, secret: str) -> None:
        self.secret = secret
        #: Why a file was refused, by the number that Streamlit gives it; empty if it was not.
        self.refusals: dict[str, str] = {}
        self._folder = Path(tempfile.mkdtemp(dir=_folder()))
        self._paths: list[Path] = []

    @property
    def paths(self) -> list[Path]:
        """What is there, the oldest first."""
        return [path for path in self._paths if path.is_file()]

    def keep(self, file: UploadedFile) -> Path:
        """Keep an uploaded file that is a checkpoint.

        Raises:
            CheckpointError: if it is none, too large, or there is no room for it.
        """
        if file.size > UPLOAD_MEGABYTES * 2**20:
            raise CheckpointError(
                f"upload must have at most {UPLOAD_MEGABYTES} MB; got {file.size / 2**20:.0f} MB.",
                **too_large(file, "Copy it to the folder of checkpoints instead."),
            )
        folder = self._folder / secrets.token_hex(4)  # two files may have one name
        path = folder / Path(file.name).name
        try:
            folder.mkdir()
            self._make_room(file.size)
            path.write_bytes(file.getvalue())
            read_parts(path)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise CheckpointError(f"{error}.", reason="no room for uploads") from error
        except CheckpointError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._paths.append(path)
        if is_public():
            timer = threading.Timer(UPLOAD_SECONDS, shutil.rmtree, [folder, True])
            timer.daemon = True
            timer.start()
        return path.resolve()

    def _make_room(self, n_bytes: int) -> None:
        if not is_public():
            return
        for oldest in self.paths[: 1 - MOST_UPLOADS]:
            shutil.rmtree(oldest.parent, ignore_errors=True)
        held = sum(path.stat().st_size for path in _folder().rglob("*") if path.is_file())
        if held + n_bytes > MOST_TOGETHER:
            raise CheckpointError("no room for uploads.", reason="no room for uploads")

    def remove(self) -> None:
        """Remove all of them: the session is over."""
        shutil.rmtree(self._folder, ignore_errors=True)


def own() -> Uploads:
    """Return the uploads of the session whose script runs."""
    return _of(st.session_state.setdefault(_SECRET, secrets.token_hex(8)))


# Removed as soon as the browser is gone; one that comes back has them kept once more.
@st.cache_resource(scope="session", show_spinner=False, on_release=Uploads.remove)
def _of(secret: str) -> Uploads:
    return Uploads(secret)


def is_upload(path: str | Path) -> bool:
    """Whether somebody has uploaded this checkpoint."""
    return Path(path).is_relative_to(_folder())


def too_large(file: UploadedFile, remedy: str) -> dict[str, Any]:
    """Return the reason and the facts of an error for an upload that is too large."""
    return {
        "reason": "large upload",
        "name": file.name,
        "megabytes": math.ceil(file.size / 2**20),
        "most": UPLOAD_MEGABYTES,
        "remedy": remedy,
    }


@functools.cache
def _root() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="vaegmm-")  # removed when the server ends


def _folder() -> Path:
    return Path(_root().name).resolve()
