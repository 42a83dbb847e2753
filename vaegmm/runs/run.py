"""A training as a process with a directory: created, executed, watched, stopped, resumed.

Under torchrun the first process works on the directory and the others assist it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from vaegmm import data
from vaegmm.config import TrainConfig
from vaegmm.devices import choose_device
from vaegmm.errors import InputError
from vaegmm.model import VAEGMM, load
from vaegmm.runs import detached
from vaegmm.runs.about import About
from vaegmm.runs.directory import MOST_ATTEMPTS, RunDirectory
from vaegmm.runs.errors import RunError, busy, finished, unwritable
from vaegmm.runs.execution import carry_out, undisturbed
from vaegmm.runs.files import replace
from vaegmm.runs.status import WORKING
from vaegmm.training import Progress

_SECONDS_TO_END = 5.0  # a process that has said its last word may take as long


class Run(RunDirectory):
    """One training and its directory."""

    @classmethod
    def create(
        cls,
        path: str | Path,
        config: TrainConfig,
        data_name: str | Path,
        device: str | None = None,
        upload: bytes | None = None,
        attempts: int = 1,
        film: bool = True,
        title: str = "",
        note: str = "",
        tags: Iterable[str] = (),
    ) -> Run:
        """Make the directory of a new run.

        Args:
            path: a directory that does not exist yet.
            config: what to train.
            data_name: a name or path that `data.load` takes.
            device: where to train; chosen by itself if None.
            upload: the content of a data set that is to be kept in the run's directory, under
                `data_name`. One that is kept in another run's is kept in this one's too.
            attempts: how many seeds are trained, from the configuration's on, of which the one is
                kept that `vaegmm.training.merit` puts highest: no label has a say in it.
            film: whether the training writes its film.
            title: what people call it; `default_title` says it if empty.
            note: what they want to remember.
            tags: by which they find it.

        Raises:
            InputError: if title, note or a tag is too long, or there are no attempts, or too many.
            RunError: if there is one already, or it cannot be made.
        """
        if type(attempts) is not int or not 1 <= attempts <= MOST_ATTEMPTS:
            rule = f"be a whole number from 1 to {MOST_ATTEMPTS}"
            raise InputError(
                f"attempts must {rule}; got attempts={attempts}.",
                reason="setting",
                setting="attempts",
                rule=rule,
            )
        run, about = cls(path), About(title, note, tuple(tags))
        try:
            run.path.mkdir(parents=True)
        except FileExistsError as error:
            raise RunError(
                f"out must be a new directory; {path} exists. "
                "Add --resume to go on with the run in it, or choose another.",
                reason="run exists",
            ) from error
        except OSError as error:
            raise unwritable(run.path, error) from error
        try:
            if upload is not None:
                data_name = run.path / Path(data_name).name
                data_name.write_bytes(upload)
            elif _is_of_a_run(Path(data_name)):
                data_name = _kept(Path(data_name), run.path)
            settings = {
                "config": config.to_dict(),
                "data": _findable(str(data_name)),
                "device": device,
                "attempts": attempts,
                "film": film,
                "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            }
            replace(run.path / "config.json", json.dumps(settings, indent=1))
            if about != About():
                run.describe(**asdict(about))
        except BaseException as error:
            shutil.rmtree(run.path, ignore_errors=True)
            if isinstance(error, OSError):
                raise unwritable(run.path, error) from error
            raise
        return run

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Return the run in an existing directory.

        Raises:
            RunError: if the directory holds no run.
        """
        run = cls(path)
        run.config, run.attempts  # noqa: B018 - each raises what is wrong with it
        return run

    def execute(
        self,
        on_progress: Callable[[Progress], object] = lambda progress: None,
        on_fit: Callable[[], object] = lambda: None,
        device: str | None = None,
    ) -> VAEGMM:
        """Train from the last finished epoch to the result, in this process.

        Interrupted (KeyboardInterrupt), it leaves the last finished epoch behind and the status
        `stopped`; failed, the status `failed` with the reason. A finished run returns its result.

        Args:
            on_progress: called with each Progress.
            on_fit: called after the last epoch, before the mixture is fitted.
            device: where to train, if elsewhere than the run was created for.

        Raises:
            RunError: if another process works on this run, or its directory cannot be written.
            DataError: if its data set cannot be had.
            ValueError: if this machine has no such device, or the data set is too small.
            NonFiniteLossError: if the loss stops being finite.
            CheckpointError: if a saved state cannot be read or written.
        """
        with self.locked(seconds=2):
            if self.is_finished:
                return load(self.model_path, choose_device(device))
            try:
                return carry_out(self, on_progress, on_fit, device)
            except KeyboardInterrupt:
                with undisturbed():
                    self.write_last_status("stopped")
                raise
            except Exception as error:
                self.write_last_status("failed", error)
                raise

    def launch(self) -> None:
        """Start or resume this run in a process of its own, which outlives this one.

        Raises:
            RunError: if a process works on it already, it is finished, or none can be started.
        """
        with self.locked(seconds=1):  # of two sessions that launch at once, one comes first
            if self.is_finished:
                raise finished(self.path)
            if self.last_status().state in WORKING and self.has_process():
                raise busy(self.path)
            try:
                pid = detached.start(
                    *("train", "--resume", "--out", self.path),
                    log=self.path / "log.txt",
                    patience=_SECONDS_TO_END,
                )
            except OSError as error:
                raise unwritable(self.path, error) from error
            if pid is None:
                raise busy(self.path)
            self.write_status("starting", pid=pid)

    def stop(self) -> None:
        """Ask the process that works on this run to stop; it keeps the last finished epoch.

        A run that waits in the queue no longer does.
        """
        status = self.status
        if status.state == "waiting":
            with self.locked(seconds=1):
                if self.last_status().state == "waiting":  # it may have been launched by now
                    self.write_status("stopped")
            return
        if status.state not in WORKING or not status.pid:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(status.pid, signal.SIGTERM)
        if status.state == "starting":
            # Before it listens to signals it just dies, and cannot say so itself.
            deadline = time.monotonic() + 2
            while self.has_process() and time.monotonic() < deadline:
                time.sleep(0.02)
            if not self.is_active:
                self.write_last_status("stopped")


def _findable(data_name: str) -> str:
    """Return a name under which the data set is found from other working directories too."""
    if data_name in data.NAMES:
        return data_name
    return str(Path(data_name).expanduser().absolute())


def _is_of_a_run(data: Path) -> bool:
    return data.is_file() and (data.parent / "config.json").is_file()


def _kept(data: Path, folder: Path) -> Path:
    """Keep what another run's directory holds in this one too, however long that one is there."""
    own = folder.absolute() / data.name
    try:
        os.link(data, own)
    except OSError:
        shutil.copyfile(data, own)
    return own
