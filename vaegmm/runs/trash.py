"""Runs that were deleted and can be had back: they lie in .trash/ of their folder for a while."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from vaegmm.runs.directory import RunDirectory
from vaegmm.runs.errors import RunError, busy, unwritable
from vaegmm.runs.files import remove
from vaegmm.runs.folder import runs_folder

DAYS = 7.0  # that a run is kept there
MOST = 20  # runs that are kept there

_FOLDER = ".trash"


@dataclass(frozen=True)
class Discarded:
    """A run in the trash."""

    path: Path  # where it lies now
    number: int  # of a later one it is higher, whatever the clock said

    @property
    def name(self) -> str:
        """The name of its directory, before and after."""
        return self.path.name.partition("-")[2]

    @property
    def title(self) -> str:
        """What it is called."""
        return RunDirectory(self.path).title


def discard(run: RunDirectory) -> Discarded:
    """Put a run into the trash, and remove for good what has been there too long.

    Raises:
        RunError: if a process works on it, or it cannot be moved.
    """
    folder = run.path.absolute().parent / _FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(run.locked(seconds=1))  # nobody launches it meanwhile
        except RunError as error:
            if error.reason != "run unwritable":  # where no process can work on it either
                raise
        if run.has_process():
            raise busy(run.path)
        discarded = _move(run.path, folder)
    empty(folder.parent, DAYS, MOST)
    return discarded


def list_trash(folder: str | Path | None = None) -> list[Discarded]:
    """Return the runs in a folder's trash, the last discarded first."""
    try:
        names = os.listdir(_trash(folder))
    except OSError:
        return []
    matches = filter(None, (re.fullmatch(r"(\d{1,12})-.+", name, re.DOTALL) for name in names))
    found = [Discarded(_trash(folder) / match[0], int(match[1])) for match in matches]
    return sorted(found, key=lambda discarded: discarded.number, reverse=True)


def restore(discarded: Discarded) -> Path:
    """Put a run back where it was, under another name if there is one of its own by now.

    Returns:
        Its directory.

    Raises:
        RunError: if it is no longer in the trash, or cannot be moved.
    """
    back = discarded.path.parent.parent / discarded.name
    numbered = (back.with_name(f"{back.name}-{number}") for number in itertools.count(2))
    for path in itertools.chain([back], numbered):
        if os.path.lexists(path):
            continue
        try:
            discarded.path.rename(path)
        except FileNotFoundError as error:
            raise RunError(
                f"{discarded.name} is no longer in the trash: it was restored, or removed.",
                reason="not in the trash",
            ) from error
        except OSError as error:
            raise unwritable(path, error) from error
        return path
    raise AssertionError("the numbers do not end")


def empty(folder: str | Path | None = None, days: float = 0.0, most: int = 0) -> None:
    """Remove from a folder's trash what has been there for longer, or is more, for good.

    Args:
        folder: of the runs; `runs_folder()` if None.
        days: that a run stays. With a clock that was set back it stays longer.
        most: runs that stay, the last discarded.
    """
    for place, discarded in enumerate(list_trash(folder)):
        try:
            age = time.time() - discarded.path.lstat().st_mtime
            if place >= most or age > days * 86400:
                remove(discarded.path)
        except (OSError, RunError):  # someone else restores or removes it
            continue


def _trash(folder: str | Path | None) -> Path:
    return Path(folder or runs_folder()).absolute() / _FOLDER


def _move(path: Path, trash: Path) -> Discarded:
    number = max((discarded.number for discarded in list_trash(trash.parent)), default=0)
    while True:
        number += 1
        discarded = Discarded(trash / f"{number}-{path.name}", number)
        if os.path.lexists(discarded.path):
            continue
        try:
            path.rename(discarded.path)
            os.utime(discarded.path, follow_symlinks=False)  # since when it is here
        except OSError as error:
            raise RunError(
                f"{path} cannot be moved to {trash}: {error}.", reason="run cannot be removed"
            ) from error
        return discarded
