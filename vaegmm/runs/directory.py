"""A run's directory, read and written: the truth that command line, pages and tests all read.

config.json         what is trained, on which data, since when
status.json         where it stands; replaced atomically
metrics.jsonl       one line a finished epoch
state.safetensors   weights and Adam's moments after the last epoch, until it is finished
model.safetensors   the result
film.bin            the training as a film: see vaegmm.film
attempts.jsonl      where several seeds are tried: see vaegmm.runs.attempts
log.txt             what a detached process printed
lock                held by the process that works on it; the system frees it when that dies
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vaegmm.checkpoint import CheckpointError, read_header
from vaegmm.config import TrainConfig
from vaegmm.runs.errors import RunError, busy, unwritable
from vaegmm.runs.files import replace
from vaegmm.runs.status import WORKING, State, Status
from vaegmm.training import EpochLoss, Progress

MOST_ATTEMPTS = 100
_STARTING_SECONDS = 120.0  # importing torch from a cold disk takes up to a minute


class RunDirectory:
    """The directory of one training."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        """The directory's name."""
        return self.path.resolve().name

    @property
    def settings(self) -> dict[str, Any]:
        """What `create` wrote: config, data, device, attempts, created."""
        try:
            return dict(json.loads((self.path / "config.json").read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise RunError(
                f"{self.path} must be the directory of a run; it has no readable config.json.",
                reason="damaged run",
            ) from error

    @property
    def config(self) -> TrainConfig:
        """The training's configuration."""
        try:
            return TrainConfig.from_dict(self.settings["config"])
        except (KeyError, ValueError, TypeError) as error:
            raise RunError(
                f"{self.path / 'config.json'} is damaged: {error}", reason="damaged run"
            ) from error

    @property
    def attempts(self) -> int:
        """How many seeds are trained, of which one is kept."""
        attempts = self.settings.get("attempts", 1)
        if type(attempts) is not int or not 1 <= attempts <= MOST_ATTEMPTS:
            raise RunError(
                f"{self.path / 'config.json'} is damaged: attempts must be a whole number from 1 "
                f"to {MOST_ATTEMPTS}; got attempts={attempts!r}.",
                reason="damaged run",
            )
        return attempts

    @property
    def model_path(self) -> Path:
        """Where the result is, once the run is finished."""
        return self.path / "model.safetensors"

    @property
    def film_path(self) -> Path:
        """Where the film of the training is."""
        return self.path / "film.bin"

    @property
    def status(self) -> Status:
        """Where the run stands; `failed` if its process ended without a word."""
        status = self.last_status()
        if status.state in WORKING and not self._is_worked_on(status):
            status = self.last_status()  # it may have ended between the two looks
            if status.state in WORKING:
                error = (
                    "the process ended without a word: it was killed, or the machine ran out of "
                    "memory or was switched off. Resume goes on from the last finished epoch."
                )
                return with_changes(status, state="failed", error=error, reason="process ended")
        return status

    @property
    def is_active(self) -> bool:
        """Whether a process works on this run, or was started a moment ago to do so."""
        return self.status.state in WORKING

    @property
    def is_finished(self) -> bool:
        """Whether the result is there."""
        return self.last_status().state == "finished" and self.model_path.is_file()

    @property
    def losses(self) -> list[EpochLoss]:
        """The losses of the finished epochs."""
        try:
            lines = (self.path / "metrics.jsonl").read_text().splitlines()
            return [EpochLoss(**json.loads(line)) for line in lines]
        except (OSError, ValueError, TypeError):
            return []

    @property
    def metrics(self) -> dict[str, Any]:
        """The figures of the result; none before the run is finished."""
        try:
            return dict(read_header(self.model_path)["metrics"]) if self.is_finished else {}
        except (CheckpointError, KeyError, TypeError, ValueError):
            return {}

    def log_tail(self, n_lines: int = 20) -> str:
        """Return the last lines that the detached process printed."""
        try:
            lines = (self.path / "log.txt").read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-n_lines:])

    @property
    def state_path(self) -> Path:
        """Where weights and moments are kept until the run is finished."""
        return self.path / "state.safetensors"

    def write_losses(self, history: list[EpochLoss]) -> None:
        """Keep the losses of all finished epochs."""
        lines = [json.dumps(asdict(loss)) + "\n" for loss in history]
        replace(self.path / "metrics.jsonl", "".join(lines))

    def last_status(self) -> Status:
        """Return the last status written; a run that never wrote one is `stopped`."""
        try:
            return Status.from_dict(json.loads((self.path / "status.json").read_text()))
        except (OSError, ValueError, TypeError, KeyError):
            return Status("stopped", updated=0.0)

    def write_status(
        self,
        state: State,
        progress: Progress | None = None,
        error: Exception | None = None,
        pid: int | None = None,
        film_error: str | None = None,
    ) -> None:
        """Say where the run stands.

        Args:
            state: what it does.
            progress: the last report; that of the last status if None.
            error: what it failed by.
            pid: of the process that works on it; this one's if None.
            film_error: why its film is not whole; that of the last status if None, unless the run
                is starting.

        Raises:
            RunError: if it cannot be written.
        """
        last = self.last_status()
        if film_error is None and state != "starting":
            film_error = last.film_error
        status = Status(
            state=state,
            updated=time.time(),
            pid=pid or os.getpid(),
            progress=progress or last.progress,
            error=None if error is None else str(error) or type(error).__name__,
            reason=getattr(error, "reason", ""),
            facts=getattr(error, "facts", {}),
            film_error=film_error,
        )
        replace(self.path / "status.json", json.dumps(asdict(status)))

    def write_last_status(self, state: State, error: Exception | None = None) -> None:
        """Say how a run that is not finished has ended, where that can be written."""
        if self.is_finished:
            return  # whatever came after the result takes nothing from it
        # Where a full disk is what ended the run, that error is the one to raise.
        with contextlib.suppress(RunError):
            self.write_status(state, error=error)

    @contextlib.contextmanager
    def locked(self, seconds: float) -> Iterator[None]:
        """Hold the run's lock, for which a glance at it by another process is waited out."""
        lock = FileLock(self.path / "lock", timeout=seconds)
        try:
            lock.acquire()
        except Timeout as error:
            raise busy(self.path) from error
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            yield
        finally:
            lock.release()

    def _is_worked_on(self, status: Status) -> bool:
        if self.is_starting(status):
            return True
        try:
            with FileLock(self.path / "lock", timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # a run that this user may only read
            return False

    @staticmethod
    def is_starting(status: Status) -> bool:
        """Whether a process was launched that has not come to take the lock yet."""
        return (
            status.state == "starting"
            and time.time() - status.updated < _STARTING_SECONDS
            and status.pid is not None
            and is_alive(status.pid)
        )


def is_alive(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
