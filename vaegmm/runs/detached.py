"""Processes that outlive the one that starts them, and how others see whether they live.

A process holds a lock on its log, which it inherits with its standard output and which the system
frees when it dies: no number of a process that another one may have by now, and no clock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

_GLANCE_SECONDS = 0.2  # for which whoever looks may hold the lock


def start(*arguments: str | Path, log: Path, patience: float = 0.0) -> int | None:
    """Start `python -m vaegmm` with these arguments, unless one lives that writes to this log.

    Args:
        arguments: of the command line.
        log: what it prints goes to the end of this file.
        patience: seconds in which one that is about to end may do so.

    Returns:
        The number of the process; None if one lives already.

    Raises:
        OSError: if none can be started.
    """
    # The worker must import this package, wherever the app was started from.
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    with open(log, "ab") as file:
        if not _lock(file, max(patience, _GLANCE_SECONDS)):
            return None
        process = subprocess.Popen(
            [sys.executable, "-m", "vaegmm", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
    # A dead child that nobody waits for still has its number.
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid


def is_running(log: Path) -> bool:
    """Whether a process lives that was started with this log."""
    try:
        with open(log, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # which two may do at once
    except BlockingIOError:
        return True
    except OSError:  # there is none, or this user may not read it
        return False
    return False


def let_go() -> None:
    """Be seen no longer as the process that was started with this one's log: it is about to end."""
    with contextlib.suppress(OSError, ValueError):  # standard output may be anything
        fcntl.flock(sys.stdout.fileno(), fcntl.LOCK_UN)


def _lock(file: IO[bytes], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
