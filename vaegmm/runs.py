"""A training as a process with a directory: created, executed, watched, stopped, resumed.

The directory is the truth that command line, pages and tests all read:

    config.json         what is trained, on which data, since when
    status.json         where it stands; replaced atomically
    metrics.jsonl       one line a finished epoch
    state.safetensors   weights and Adam's moments after the last finished epoch
    model.safetensors   the result
    log.txt             what a detached process printed
    lock                held by the process that works on it; the system frees it when that dies
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sklearn
import torch
from filelock import FileLock, Timeout

from vaegmm import data
from vaegmm.checkpoint import read_tensors, write_tensors
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.evaluation import evaluate
from vaegmm.model import VAEGMM, best_device, require_enough_images
from vaegmm.training import EpochLoss, Progress, TrainState, train

State = Literal["starting", "training", "fitting", "finished", "stopped", "failed"]
_STARTING_SECONDS = 120.0  # importing torch from a cold disk takes up to a minute
_STATUS_SECONDS = 0.5


class RunError(Exception):
    """A run directory cannot be used as asked; the message says why and what to do."""


@dataclass(frozen=True)
class Status:
    """Where a run stands."""

    state: State
    updated: float  # seconds since 1970
    pid: int | None = None
    progress: dict[str, Any] | None = None  # the last Progress
    error: str | None = None


class Run:
    """One training and its directory."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def create(
        cls, path: str | Path, config: TrainConfig, data_name: str, device: str | None = None
    ) -> Run:
        """Make the directory of a new run.

        Raises:
            RunError: if there is one already, or it cannot be made.
        """
        run = cls(path)
        settings = {
            "config": config.to_dict(),
            "data": data_name,
            "device": device,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        try:
            run.path.mkdir(parents=True)
            _replace(run.path / "config.json", json.dumps(settings, indent=1))
            run.write_status("starting")
        except FileExistsError as error:
            raise RunError(
                f"out must be a new directory; {path} exists. "
                "Add --resume to go on with the run in it, or choose another."
            ) from error
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error}. Choose another place.") from error
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

    @property
    def name(self) -> str:
        """The directory's name."""
        return self.path.name

    @property
    def settings(self) -> dict[str, Any]:
        """What `create` wrote: config, data, device, created."""
        try:
            return json.loads((self.path / "config.json").read_text())
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self.path} must be the directory of a run; it has no readable config.json."
            ) from error

    @property
    def config(self) -> TrainConfig:
        """The training's configuration."""
        try:
            return TrainConfig.from_dict(self.settings["config"])
        except (KeyError, ValueError, TypeError) as error:
            raise RunError(f"{self.path / 'config.json'} is damaged: {error}") from error

    @property
    def model_path(self) -> Path:
        """Where the result is, once the run is finished."""
        return self.path / "model.safetensors"

    @property
    def is_active(self) -> bool:
        """Whether a process works on this run, or was started a moment ago to do so."""
        status = self.status
        if status.state == "starting" and time.time() - status.updated < _STARTING_SECONDS:
            return True
        if status.state not in ("starting", "training", "fitting"):
            return False
        try:
            with FileLock(self.path / "lock", timeout=0):
                return False
        except Timeout:
            return True

    @property
    def status(self) -> Status:
        """The last status written; a run that never wrote one is `stopped`."""
        try:
            return Status(**json.loads((self.path / "status.json").read_text()))
        except (OSError, ValueError, TypeError):
            return Status("stopped", updated=0.0)

    @property
    def losses(self) -> list[EpochLoss]:
        """The losses of the finished epochs."""
        try:
            lines = (self.path / "metrics.jsonl").read_text().splitlines()
        except OSError:
            return []
        return [EpochLoss(**json.loads(line)) for line in lines if line.endswith("}")]

    @property
    def log(self) -> str:
        """What the detached process printed."""
        try:
            return (self.path / "log.txt").read_text(errors="replace")
        except OSError:
            return ""

    def write_status(
        self, state: State, progress: Progress | None = None, error: str | None = None
    ) -> None:
        """Replace status.json."""
        status = Status(
            state=state,
            updated=time.time(),
            pid=os.getpid(),
            progress=asdict(progress) if progress else self.status.progress,
            error=error,
        )
        _replace(self.path / "status.json", json.dumps(asdict(status)))

    def save_state(self, state: TrainState) -> None:
        """Keep the weights and losses of the epoch that has just finished."""
        history = [asdict(loss) for loss in state.history]
        tensors = {name: value.detach().cpu() for name, value in state.tensors().items()}
        write_tensors(self.path / "state.safetensors", tensors, {"history": history})
        _replace(self.path / "metrics.jsonl", "".join(json.dumps(loss) + "\n" for loss in history))

    def restore_state(self, state: TrainState) -> None:
        """Go back to the last finished epoch, if there is one."""
        path = self.path / "state.safetensors"
        if not path.exists():
            return
        tensors, header = read_tensors(path)
        state.restore(tensors, [EpochLoss(**loss) for loss in header["history"]])

    def execute(
        self,
        on_progress: Callable[[Progress], object] = lambda progress: None,
        on_fit: Callable[[], object] = lambda: None,
    ) -> VAEGMM:
        """Train from the last finished epoch to the result, in this process.

        Interrupted (KeyboardInterrupt), it leaves the last finished epoch behind and the status
        `stopped`; failed, the status `failed` with the reason.

        Args:
            on_progress: called with each Progress.
            on_fit: called after the last epoch, before the mixture is fitted.

        Raises:
            RunError: if another process works on this run.
            DataError: if its data set cannot be had.
            NonFiniteLossError: if the loss stops being finite.
        """
        lock = FileLock(self.path / "lock", timeout=2)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunError(
                f"{self.path} is being worked on by another process. Wait for it, or stop it."
            ) from error
        try:
            return self._execute(on_progress, on_fit)
        except KeyboardInterrupt:
            self.write_status("stopped")
            raise
        except Exception as error:
            self._write_failure(error)
            raise
        finally:
            lock.release()

    def _execute(
        self, on_progress: Callable[[Progress], object], on_fit: Callable[[], object]
    ) -> VAEGMM:
        config, settings = self.config, self.settings
        self.write_status("starting")
        dataset = data.load(settings["data"])
        require_enough_images(len(dataset.train), config.mixture)
        device = torch.device(settings["device"]) if settings["device"] else best_device()
        state = TrainState.start(config, device)
        self.restore_state(state)

        began, last_status = time.perf_counter(), 0.0
        for report in train(state, dataset.train.images, config, dataset.validation.images):
            if report.finished_epoch:
                self.save_state(state)
            if report.finished_epoch or report.seconds - last_status >= _STATUS_SECONDS:
                self.write_status("training", report)
                last_status = report.seconds
            on_progress(report)

        self.write_status("fitting")
        on_fit()
        validation = dataset.validation
        model = VAEGMM(config, device).finish(
            state,
            dataset.train.images,
            None if validation.labels is None else (validation.images, validation.labels),
            dataset.label_names,
        )
        model.provenance = {
            "data": {
                "name": dataset.name,
                "title": dataset.title,
                "fingerprint": dataset.fingerprint,
                "n_train": len(dataset.train),
                "n_validation": len(validation),
                "n_test": len(dataset.test),
            },
            "command": command_of(self),
            "device": str(device),
            "threads": torch.get_num_threads(),
            "seconds": round(time.perf_counter() - began, 1),  # of this process
            "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "numpy": np.__version__,
                "scikit-learn": sklearn.__version__,
            },
        }
        model.metrics = evaluate(model, dataset.test.images, dataset.test.labels)
        model.save(self.model_path)
        self.write_status("finished")
        return model

    def _write_failure(self, error: Exception) -> None:
        # Where a full disk is what failed, the error itself is raised all the same.
        with contextlib.suppress(OSError):
            self.write_status("failed", error=str(error) or type(error).__name__)

    def launch(self) -> None:
        """Start or resume this run in a process of its own, which outlives this one.

        Raises:
            RunError: if a process works on it already.
        """
        if self.is_active and self.status.state != "starting":
            raise RunError(f"{self.path} is being worked on by another process.")
        self.write_status("starting")
        # The worker must import this package, wherever the app was started from.
        package = str(Path(__file__).resolve().parent.parent)
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        with open(self.path / "log.txt", "ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "vaegmm", "train", "--resume", "--out", str(self.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )

    def stop(self) -> None:
        """Ask the process that works on this run to stop; it keeps the last finished epoch."""
        status = self.status
        if status.state in ("training", "fitting") and status.pid and self.is_active:
            os.kill(status.pid, signal.SIGTERM)


def runs_folder() -> Path:
    """Return where runs are kept: VAEGMM_RUNS, or runs/ in the working directory."""
    return Path(os.environ.get("VAEGMM_RUNS") or "runs").expanduser()


def list_runs(folder: str | Path | None = None) -> list[Run]:
    """Return the runs in a folder, newest first."""
    folder = Path(folder or runs_folder())
    configs = folder.glob("*/config.json") if folder.is_dir() else ()
    newest_first = sorted(configs, key=lambda file: file.stat().st_mtime, reverse=True)
    return [Run(file.parent) for file in newest_first]


def command_of(run: Run) -> str:
    """Return the command line that trains what this run trains."""
    settings, config = run.settings, run.config
    presets = [name for name, preset in PRESETS.items() if preset == config]
    words = ["python", "-m", "vaegmm", "train"]
    if presets:
        words += ["--preset", presets[0]]
    else:
        words += ["--config", json.dumps(config.to_dict())]
    words += ["--data", settings["data"]]
    if settings["device"]:
        words += ["--device", settings["device"]]
    return shlex.join(words)


def _replace(path: Path, text: str) -> None:
    """Write a text file such that a reader sees the old one or the new one, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
