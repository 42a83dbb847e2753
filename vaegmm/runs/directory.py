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
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from dataclasses import replace as with_changes
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vaegmm.checkpoint import CheckpointError, read_header
from vaegmm.config import TrainConfig
from vaegmm.data import NAMES
from vaegmm.runs.about import About, default_title
from vaegmm.runs.detached import is_running
from vaegmm.runs.errors import RunError, busy, damaged, unwritable
from vaegmm.runs.files import append_line, read_json, remove, replace
from vaegmm.runs.status import WORKING, State, Status, epoch_loss
from vaegmm.training import EpochLoss, Progress

MOST_ATTEMPTS = 100


class RunDirectory:
    """The directory of one training."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        """The directory's name: what addresses call the run."""
        return self.path.resolve().name

    @property
    def settings(self) -> dict[str, Any]:
        """What `Run.create` wrote: config, data, device, attempts, created.

        Raises:
            RunError: if it cannot be read.
        """
        path = self.path / "config.json"
        try:
            settings = read_json(path)
        except FileNotFoundError as error:
            raise RunError(
                f"{self.path} must be the directory of a run; it has no config.json.",
                reason="damaged run",
            ) from error
        except (OSError, ValueError) as error:
            raise damaged(path, error) from error
        return {**settings, "data": self._data(settings), "device": self._device(settings)}

    @property
    def config(self) -> TrainConfig:
        """The training's configuration.

        Raises:
            RunError: if it cannot be read.
        """
        try:
            return TrainConfig.from_dict(self.settings["config"])
        except KeyError as error:
            raise damaged(self.path / "config.json", "it has no config") from error
        except (ValueError, TypeError) as error:
            raise damaged(self.path / "config.json", error) from error

    @property
    def created(self) -> datetime | None:
        """When the run was created, in local time."""
        try:
            return datetime.fromisoformat(self.settings["created"]).astimezone()
        except (RunError, KeyError, TypeError, ValueError, OverflowError, OSError):
            return None

    @property
    def about(self) -> About:
        """What people wrote about the run."""
        try:
            return About.from_dict(read_json(self.path / "about.json"))
        except (OSError, ValueError):
            return About()

    @property
    def title(self) -> str:
        """What the run is called: its own title, or in words what it trains."""
        if title := self.about.title:
            return title
        try:
            return default_title(self.config, self.settings["data"], self.created)
        except RunError:
            return self.name

    def describe(
        self, title: str | None = None, note: str | None = None, tags: Iterable[str] | None = None
    ) -> None:
        """Write what people say about the run; what is None stays as it is.

        Args:
            title: as it is to be shown; the default title again if empty.
            note: of any number of lines.
            tags: any words.

        Raises:
            InputError: if one is too long.
            RunError: if it cannot be written.
        """
        now = self.about
        about = About(
            now.title if title is None else title,
            now.note if note is None else note,
            now.tags if tags is None else tuple(tags),
        )
        replace(self.path / "about.json", json.dumps(asdict(about), ensure_ascii=False, indent=1))

    @property
    def attempts(self) -> int:
        """How many seeds are trained, of which one is kept."""
        attempts = self.settings.get("attempts", 1)
        if type(attempts) is not int or not 1 <= attempts <= MOST_ATTEMPTS:
            problem = f"attempts must be a whole number from 1 to {MOST_ATTEMPTS}, not {attempts!r}"
            raise damaged(self.path / "config.json", problem)
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
        if status.state in WORKING and not self._is_worked_on():
            status = self.last_status()  # it may have ended between the two looks
            if status.state in WORKING:
                error = (
                    "the process ended without a word: it was killed, or the machine ran out of "
                    "memory or was switched off. Resume goes on from the last finished epoch."
                )
                return with_changes(status, state="failed", error=error, reason="process ended")
        if status.state == "finished" and not self.model_path.is_file():
            error = f"{self.model_path} is no longer there. Train it again, or delete the run."
            return with_changes(status, state="failed", error=error, reason="result gone")
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
        return self.losses_from(0)

    def losses_from(self, first: int) -> list[EpochLoss]:
        """Return the losses of the finished epochs but the first so many.

        A line that is damaged, or just being written, is left out.
        """
        try:
            text = self._metrics_path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        losses = []
        for line in text.splitlines()[first:]:
            with contextlib.suppress(TypeError, ValueError, RecursionError):
                losses.append(epoch_loss(json.loads(line)))
        return losses

    @property
    def metrics(self) -> dict[str, Any]:
        """The figures of the result; none before the run is finished."""
        try:
            metrics = read_header(self.model_path)["metrics"].items() if self.is_finished else ()
        except (CheckpointError, KeyError, TypeError, AttributeError):
            return {}
        return dict(metrics)

    def log_tail(self, n_lines: int = 20) -> str:
        """Return the last lines that the detached process printed."""
        try:
            lines = (self.path / "log.txt").read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-n_lines:])

    def delete(self) -> None:
        """Remove the directory and all it holds, for good; `vaegmm.runs.trash` has a way back.

        Raises:
            RunError: if a process works on this run, or it cannot be removed.
        """
        if self.is_active:
            raise busy(self.path)
        remove(self.path)

    @property
    def state_path(self) -> Path:
        """Where weights and moments are kept until the run is finished."""
        return self.path / "state.safetensors"

    def append_loss(self, loss: EpochLoss) -> None:
        """Keep the losses of one more epoch; those of the first forget any before."""
        line = json.dumps(asdict(loss))
        if loss.epoch == 1:
            replace(self._metrics_path, line + "\n")
        else:
            append_line(self._metrics_path, line)

    def write_losses(self, history: list[EpochLoss]) -> None:
        """Keep the losses of all finished epochs."""
        lines = [json.dumps(asdict(loss)) + "\n" for loss in history]
        replace(self._metrics_path, "".join(lines))

    def last_status(self) -> Status:
        """Return the last status written; without a sound one a run is `finished` or `stopped`."""
        try:
            return Status.from_dict(read_json(self.path / "status.json"))
        except (OSError, ValueError, TypeError, KeyError):
            # The result is written last, and whole.
            return Status("finished" if self.model_path.is_file() else "stopped", updated=0.0)

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
            pid=None if state == "waiting" else pid or os.getpid(),
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
        if not self.path.is_dir():  # which the lock would make
            raise RunError(f"{self.path} is no longer there.", reason="run gone")
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

    def has_process(self) -> bool:
        """Whether a launched process lives, whether or not it has come to take the run's lock."""
        return is_running(self.path / "log.txt")

    def _is_worked_on(self) -> bool:
        if self.has_process():
            return True
        try:
            with FileLock(self.path / "lock", timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # a run that this user may only read
            return False

    @property
    def _metrics_path(self) -> Path:
        return self.path / "metrics.jsonl"

    def _data(self, settings: dict[str, Any]) -> str:
        """Return the name or path of the data set; a copy in the directory moves with it."""
        name = settings.get("data")
        if not isinstance(name, str) or not name or "\0" in name:
            raise damaged(self.path / "config.json", f"data must be a name or a path, not {name!r}")
        own = self.path.absolute() / Path(name).name
        return name if name in NAMES or Path(name).exists() or not own.exists() else str(own)

    def _device(self, settings: dict[str, Any]) -> str | None:
        device = settings.get("device")
        if not isinstance(device, str | None):
            raise damaged(self.path / "config.json", f"device must be a name, not {device!r}")
        return device
