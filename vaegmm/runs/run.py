"""A training as a process with a directory: created, executed, watched, stopped, resumed.

Under torchrun the first process works on the directory and the others assist it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from vaegmm import data
from vaegmm.config import TrainConfig
from vaegmm.devices import choose_device
from vaegmm.errors import InputError
from vaegmm.model import VAEGMM, load
from vaegmm.runs.directory import MOST_ATTEMPTS, RunDirectory, is_alive
from vaegmm.runs.errors import RunError, busy, unwritable
from vaegmm.runs.execution import carry_out, undisturbed
from vaegmm.runs.files import replace
from vaegmm.runs.status import WORKING
from vaegmm.training import Progress


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
    ) -> Run:
        """Make the directory of a new run.

        Args:
            path: a directory that does not exist yet.
            config: what to train.
            data_name: a name or path that `data.load` takes.
            device: where to train; chosen by itself if None.
            upload: the content of a data set that is to be kept in the run's directory, under
                `data_name`.
            attempts: how many seeds are trained, from the configuration's on, of which the one is
                kept that `vaegmm.training.merit` puts highest: no label has a say in it.
            film: whether the training writes its film.

        Raises:
            RunError: if there is one already, or it cannot be made.
            InputError: if there are no attempts, or too many.
        """
        if type(attempts) is not int or not 1 <= attempts <= MOST_ATTEMPTS:
            rule = f"be a whole number from 1 to {MOST_ATTEMPTS}"
            raise InputError(
                f"attempts must {rule}; got attempts={attempts}.",
                reason="setting",
                setting="attempts",
                rule=rule,
            )
        run = cls(path)
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
            settings = {
                "config": config.to_dict(),
                "data": _findable(str(data_name)),
                "device": device,
                "attempts": attempts,
                "film": film,
                "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            }
            replace(run.path / "config.json", json.dumps(settings, indent=1))
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
        run.config  # noqa: B018 - raises what is wrong with it
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
            if self.is_starting(self.last_status()):
                raise busy(self.path)
            if self.is_finished:
                raise RunError(
                    f"{self.path} is finished; its result is {self.model_path}.",
                    reason="run finished",
                )
            # The worker must import this package, wherever the app was started from.
            package = str(Path(__file__).resolve().parents[2])
            paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
            try:
                with open(self.path / "log.txt", "ab") as log:
                    process = subprocess.Popen(
                        [sys.executable, "-m", "vaegmm", "train", "--resume", "--out", self.path],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                    )
            except OSError as error:
                raise unwritable(self.path, error) from error
            # A dead child that nobody waits for still looks alive.
            threading.Thread(target=process.wait, daemon=True).start()
            self.write_status("starting", pid=process.pid)

    def stop(self) -> None:
        """Ask the process that works on this run to stop; it keeps the last finished epoch."""
        status = self.status
        if status.state not in WORKING or not status.pid:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(status.pid, signal.SIGTERM)
        if status.state == "starting":
            # Before it listens to signals it just dies, and cannot say so itself.
            deadline = time.monotonic() + 2
            while is_alive(status.pid) and time.monotonic() < deadline:
                time.sleep(0.02)
            if not self.is_active:
                self.write_last_status("stopped")

    def delete(self) -> None:
        """Remove the directory and all it holds.

        Raises:
            RunError: if a process works on this run, or it cannot be removed.
        """
        if self.is_active:
            raise busy(self.path)
        try:
            shutil.rmtree(self.path)
        except OSError as error:
            raise RunError(
                f"{self.path} cannot be removed: {error}.", reason="run cannot be removed"
            ) from error


def _findable(data_name: str) -> str:
    """Return a name under which the data set is found from other working directories too."""
    if data_name in data.NAMES:
        return data_name
    return str(Path(data_name).expanduser().absolute())
