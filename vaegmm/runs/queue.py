"""The queue: runs that wait until others have ended, and start by themselves.

A run waits because its status says so; .queue/queue.json in the folder of runs adds their order
and how many train at once. Whoever changes one of them holds .queue/lock, and launches what has a
place. What still waits then is watched by the supervisor, a process of its own that goes on when
nobody looks, and ends when nothing waits. Whatever dies at whatever moment, `ensure` brings it
back.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from vaegmm.errors import InputError
from vaegmm.runs import detached
from vaegmm.runs.errors import RunError, busy, finished, unwritable
from vaegmm.runs.files import read_json, replace
from vaegmm.runs.folder import list_runs, runs_folder, sound_runs
from vaegmm.runs.run import Run

MOST_AT_ONCE = 64

_FOLDER = ".queue"
_LOCK_SECONDS = 10.0  # launching takes milliseconds
_POLL_SECONDS = 1.0
_MOST_FAILURES = 600  # in a row, of the supervisor: it gives up after ten minutes


@dataclass(frozen=True)
class QueueSettings:
    """How a folder's queue works."""

    at_once: int = 1  # trainings that run side by side

    def __post_init__(self) -> None:
        """Refuse what no queue can do."""
        if type(self.at_once) is not int or not 1 <= self.at_once <= MOST_AT_ONCE:
            raise InputError(
                f"at_once must be a whole number from 1 to {MOST_AT_ONCE}; got {self.at_once!r}.",
                reason="at once",
                most=MOST_AT_ONCE,
            )


def enqueue(run: Run) -> None:
    """Start a run, or let it wait behind those that wait already; it may be a resumed one.

    Raises:
        RunError: if a process works on it, it is finished, or nothing can be written.
    """
    with _changing(_folder(run)) as folder:
        if run.status.state == "waiting":
            return
        if run.is_finished:
            raise finished(run.path)
        with run.locked(seconds=1):
            if run.has_process():
                raise busy(run.path)
            run.write_status("waiting")
        _write_order(folder, [*_names(folder, but=run), run.name])


def start_now(run: Run) -> None:
    """Launch a waiting run, however many train already.

    Raises:
        RunError: as `Run.launch`.
    """
    with _changing(_folder(run)):
        run.launch()


def cancel(run: Run) -> None:
    """Let a run wait no longer; it is then a stopped one. One that doesn't wait stays as it is.

    Raises:
        RunError: if its status cannot be written.
    """
    with _changing(_folder(run)):
        if run.status.state == "waiting":
            run.stop()


def move(run: Run, place: int) -> None:
    """Put a waiting run at a place of the queue, counted from 1; others make room.

    Raises:
        RunError: if the order cannot be written.
    """
    with _changing(_folder(run)) as folder:
        names = _names(folder, but=run)
        if run.status.state == "waiting":
            names.insert(max(0, place - 1), run.name)
            _write_order(folder, names)


def place(run: Run) -> int | None:
    """Return a run's place in the queue, counted from 1; None if it doesn't wait."""
    names = [other.name for other in waiting(_folder(run))]
    return names.index(run.name) + 1 if run.name in names else None


def waiting(folder: str | Path | None = None) -> list[Run]:
    """Return the runs that wait, the next first."""
    folder = Path(folder or runs_folder())
    order = {name: index for index, name in enumerate(_order(folder))}
    # A run that the file does not know of waits behind the others, the oldest first.
    runs = [run for run in sound_runs(folder) if run.status.state == "waiting"][::-1]
    return sorted(runs, key=lambda run: order.get(run.name, len(order)))


def settings(folder: str | Path | None = None) -> QueueSettings:
    """Return how a folder's queue works."""
    try:
        at_once = read_json(_file(Path(folder or runs_folder()))).get("at_once", 1)
        return QueueSettings(at_once)
    except (OSError, ValueError):  # there is none, or it was damaged: nothing is lost by that
        return QueueSettings()


def change_settings(at_once: int, folder: str | Path | None = None) -> None:
    """Change how many trainings run side by side, and start what has a place by that.

    Raises:
        InputError: if there cannot be so many.
        RunError: if it cannot be written.
    """
    changed = QueueSettings(at_once)
    with _changing(Path(folder or runs_folder())) as folder:
        _write(folder, changed, _order(folder))


def ensure(folder: str | Path | None = None) -> None:
    """Launch what has a place, and see to it that a supervisor looks after what still waits.

    Cheap where nothing waits. To be called by whoever begins to look after a folder of runs.

    Raises:
        RunError: if nothing can be written.
    """
    folder = Path(folder or runs_folder())
    if waiting(folder):
        with _changing(folder):
            pass


def supervise(folder: str | Path) -> None:
    """Launch waiting runs as places get free, until none waits.

    Ends at once where another process does that already.

    Raises:
        RunError: if nothing can be written.
    """
    folder = Path(folder)
    supervisor = FileLock(folder / _FOLDER / "supervisor")
    try:
        supervisor.acquire(timeout=0)
    except Timeout:
        return
    n_failures = 0
    try:
        while folder.is_dir():
            try:
                # Whoever adds a run holds the same lock: it sees a supervisor that looks once
                # more, or none.
                with _locked(folder):
                    _dispatch(folder)
                    if not waiting(folder):
                        supervisor.release()
                        detached.let_go()
                        return
                n_failures = 0
            except RunError:  # others hold the lock for long, or the disk is full: for a while
                n_failures += 1
                if n_failures == _MOST_FAILURES:
                    raise
            time.sleep(_POLL_SECONDS)
    finally:
        supervisor.release()


@contextlib.contextmanager
def _changing(folder: Path) -> Iterator[Path]:
    """Hold the queue's lock for a change; then launch what has a place by it."""
    with _locked(folder):
        yield folder
        _dispatch(folder)
        if waiting(folder):
            log = folder / _FOLDER / "log.txt"
            with contextlib.suppress(OSError):  # the next one who looks tries again
                detached.start("queue", "--supervise", "--folder", folder.absolute(), log=log)


def _dispatch(folder: Path) -> None:
    """Launch waiting runs, in their order, while there are places."""
    free = settings(folder).at_once - sum(run.is_active for run in list_runs(folder))
    for run in waiting(folder):
        if free <= 0:
            return
        try:
            run.launch()
            free -= 1
        except RunError as error:  # it must not keep the others from starting
            if error.reason in ("run busy", "run gone"):  # another one has started or deleted it
                continue
            logging.getLogger(__name__).warning("%s", error)
            run.write_last_status("failed", error)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    place = folder / _FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place / "lock").acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        raise busy(place) from error
    except OSError as error:
        raise unwritable(place, error) from error
    with lock:
        yield


def _folder(run: Run) -> Path:
    return run.path.absolute().parent


def _file(folder: Path) -> Path:
    return folder / _FOLDER / "queue.json"


def _names(folder: Path, but: Run) -> list[str]:
    return [run.name for run in waiting(folder) if run.name != but.name]


def _order(folder: Path) -> list[str]:
    try:
        order = read_json(_file(folder)).get("order")
    except (OSError, ValueError):
        return []
    return [name for name in order if isinstance(name, str)] if isinstance(order, list) else []


def _write_order(folder: Path, names: list[str]) -> None:
    _write(folder, settings(folder), names)


def _write(folder: Path, settings: QueueSettings, order: list[str]) -> None:
    replace(_file(folder), json.dumps({**asdict(settings), "order": order}, indent=1))
