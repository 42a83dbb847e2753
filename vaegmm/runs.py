"""A training as a process with a directory: created, executed, watched, stopped, resumed.

The directory is the truth that command line, pages and tests all read:

    config.json         what is trained, on which data, since when
    status.json         where it stands; replaced atomically
    metrics.jsonl       one line a finished epoch
    state.safetensors   weights and Adam's moments after the last epoch, until it is finished
    model.safetensors   the result
    log.txt             what a detached process printed
    lock                held by the process that works on it; the system frees it when that dies

Under torchrun the first process works on the directory and the others assist it.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import Tensor

from vaegmm import data
from vaegmm.checkpoint import CheckpointError, read_header, read_tensors, write_tensors
from vaegmm.config import TrainConfig
from vaegmm.data import DataError, Dataset
from vaegmm.devices import choose_device
from vaegmm.errors import ReasonedError
from vaegmm.evaluation import evaluate
from vaegmm.model import VAEGMM, load, require_enough_images
from vaegmm.processes import from_first_process, join_processes, n_processes
from vaegmm.settings import preset_and_changes
from vaegmm.training import EpochLoss, Progress, TrainState, train

State = Literal["starting", "training", "fitting", "finished", "stopped", "failed"]
_WORKING = ("starting", "training", "fitting")
_STARTING_SECONDS = 120.0  # importing torch from a cold disk takes up to a minute
_STATUS_SECONDS = 0.5
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class RunError(ReasonedError):
    """A run directory cannot be used as asked; the message says why and what to do."""


@dataclass(frozen=True)
class Status:
    """Where a run stands."""

    state: State
    updated: float  # seconds since 1970
    pid: int | None = None
    progress: Progress | None = None  # the last one
    error: str | None = None
    reason: str = ""  # of the error, with its facts: see vaegmm.errors
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Status:
        """Rebuild a status from what `dataclasses.asdict` made of it."""
        progress = values["progress"]
        if progress is not None:
            finished = progress["finished_epoch"]
            progress = Progress(
                **{**progress, "finished_epoch": finished and EpochLoss(**finished)}
            )
        return cls(**{**values, "progress": progress})


class Run:
    """One training and its directory."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def create(
        cls,
        path: str | Path,
        config: TrainConfig,
        data_name: str | Path,
        device: str | None = None,
        upload: bytes | None = None,
    ) -> Run:
        """Make the directory of a new run.

        Args:
            path: a directory that does not exist yet.
            config: what to train.
            data_name: a name or path that `data.load` takes.
            device: where to train; chosen by itself if None.
            upload: the content of a data set that is to be kept in the run's directory, under
                `data_name`.

        Raises:
            RunError: if there is one already, or it cannot be made.
        """
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
            raise _unwritable(run.path, error) from error
        try:
            if upload is not None:
                data_name = run.path / Path(data_name).name
                data_name.write_bytes(upload)
            settings = {
                "config": config.to_dict(),
                "data": _findable(str(data_name)),
                "device": device,
                "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            }
            _replace(run.path / "config.json", json.dumps(settings, indent=1))
        except BaseException as error:
            shutil.rmtree(run.path, ignore_errors=True)
            if isinstance(error, OSError):
                raise _unwritable(run.path, error) from error
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

    @property
    def name(self) -> str:
        """The directory's name."""
        return self.path.resolve().name

    @property
    def settings(self) -> dict[str, Any]:
        """What `create` wrote: config, data, device, created."""
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
    def model_path(self) -> Path:
        """Where the result is, once the run is finished."""
        return self.path / "model.safetensors"

    @property
    def status(self) -> Status:
        """Where the run stands; `failed` if its process ended without a word."""
        status = self._last_status()
        if status.state in _WORKING and not self._is_worked_on(status):
            status = self._last_status()  # it may have ended between the two looks
            if status.state in _WORKING:
                error = (
                    "the process ended without a word: it was killed, or the machine ran out of "
                    "memory or was switched off. Resume goes on from the last finished epoch."
                )
                return replace(status, state="failed", error=error, reason="process ended")
        return status

    @property
    def is_active(self) -> bool:
        """Whether a process works on this run, or was started a moment ago to do so."""
        return self.status.state in _WORKING

    @property
    def is_finished(self) -> bool:
        """Whether the result is there."""
        return self._last_status().state == "finished" and self.model_path.is_file()

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
        with self._locked(seconds=2):
            if self.is_finished:
                return load(self.model_path, choose_device(device))
            try:
                return self._execute(on_progress, on_fit, device)
            except KeyboardInterrupt:
                with _undisturbed():
                    self._write_last_status("stopped")
                raise
            except Exception as error:
                self._write_last_status("failed", error)
                raise

    def launch(self) -> None:
        """Start or resume this run in a process of its own, which outlives this one.

        Raises:
            RunError: if a process works on it already, it is finished, or none can be started.
        """
        with self._locked(seconds=1):  # of two sessions that launch at once, one comes first
            if self._is_starting(self._last_status()):
                raise _busy(self.path)
            if self.is_finished:
                raise RunError(
                    f"{self.path} is finished; its result is {self.model_path}.",
                    reason="run finished",
                )
            # The worker must import this package, wherever the app was started from.
            package = str(Path(__file__).resolve().parent.parent)
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
                raise _unwritable(self.path, error) from error
            # A dead child that nobody waits for still looks alive.
            threading.Thread(target=process.wait, daemon=True).start()
            self._write_status("starting", pid=process.pid)

    def stop(self) -> None:
        """Ask the process that works on this run to stop; it keeps the last finished epoch."""
        status = self.status
        if status.state not in _WORKING or not status.pid:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(status.pid, signal.SIGTERM)
        if status.state == "starting":
            # Before it listens to signals it just dies, and cannot say so itself.
            deadline = time.monotonic() + 2
            while _is_alive(status.pid) and time.monotonic() < deadline:
                time.sleep(0.02)
            if not self.is_active:
                self._write_last_status("stopped")

    def delete(self) -> None:
        """Remove the directory and all it holds.

        Raises:
            RunError: if a process works on this run, or it cannot be removed.
        """
        if self.is_active:
            raise _busy(self.path)
        try:
            shutil.rmtree(self.path)
        except OSError as error:
            raise RunError(
                f"{self.path} cannot be removed: {error}.", reason="run cannot be removed"
            ) from error

    def _execute(
        self,
        on_progress: Callable[[Progress], object],
        on_fit: Callable[[], object],
        device_name: str | None,
    ) -> VAEGMM:
        config, settings = self.config, self.settings
        self._write_status("starting")
        device = choose_device(device_name or settings["device"])
        dataset = data.load(settings["data"])
        require_enough_images(len(dataset.train), config.mixture)
        fingerprint = dataset.fingerprint
        state = TrainState.start(config, device)
        self._restore(state, fingerprint)
        if n_processes() > 1:
            join_processes(device)
            from_first_process(_Share(config, settings["data"], fingerprint, *_on_cpu(state)))

        began, last_status = time.perf_counter(), 0.0
        for report in train(state, dataset.train.images, config, dataset.validation.images):
            if report.finished_epoch:
                self._save(state, fingerprint)
            if report.finished_epoch or report.seconds - last_status >= _STATUS_SECONDS:
                self._write_status("training", report)
                last_status = report.seconds
            on_progress(report)

        self._write_status("fitting")
        on_fit()
        validation = dataset.validation
        model = VAEGMM(config, device).finish(
            state,
            dataset.train.images,
            None if validation.labels is None else (validation.images, validation.labels),
            dataset.label_names,
        )
        seconds = round(time.perf_counter() - began, 1)
        model.provenance = _provenance(self, dataset, device, seconds)
        model.provenance["restarts"] = state.restarts
        model.metrics = evaluate(model, dataset.test.images, dataset.test.labels)
        model.save(self.model_path)
        self._write_status("finished")
        self._state_path.unlink()  # three times the model's size, and of no more use
        return model

    def _save(self, state: TrainState, fingerprint: str) -> None:
        """Keep the weights and losses of the epoch that has just finished."""
        tensors, history = _on_cpu(state)
        header = {"history": [asdict(loss) for loss in history], "fingerprint": fingerprint}
        write_tensors(self._state_path, tensors, header)
        self._write_losses(history)

    def _restore(self, state: TrainState, fingerprint: str) -> None:
        """Go back to the last finished epoch, if there is one."""
        if not self._state_path.exists():
            return
        tensors, header = read_tensors(self._state_path)
        try:
            if header["fingerprint"] != fingerprint:
                raise DataError(
                    f"a resumed run must have the images it began with; "
                    f"{self.settings['data']} holds others now. Start a new run.",
                    reason="other images",
                )
            state.restore(tensors, [EpochLoss(**loss) for loss in header["history"]])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{self._state_path} is damaged: {error}", reason="damaged run"
            ) from error
        self._write_losses(state.history)  # an interrupted save may have left them behind

    @property
    def _state_path(self) -> Path:
        return self.path / "state.safetensors"

    def _write_losses(self, history: list[EpochLoss]) -> None:
        lines = [json.dumps(asdict(loss)) + "\n" for loss in history]
        _replace(self.path / "metrics.jsonl", "".join(lines))

    def _last_status(self) -> Status:
        """Return the last status written; a run that never wrote one is `stopped`."""
        try:
            return Status.from_dict(json.loads((self.path / "status.json").read_text()))
        except (OSError, ValueError, TypeError, KeyError):
            return Status("stopped", updated=0.0)

    def _write_status(
        self,
        state: State,
        progress: Progress | None = None,
        error: Exception | None = None,
        pid: int | None = None,
    ) -> None:
        status = Status(
            state=state,
            updated=time.time(),
            pid=pid or os.getpid(),
            progress=progress or self._last_status().progress,
            error=None if error is None else str(error) or type(error).__name__,
            reason=getattr(error, "reason", ""),
            facts=getattr(error, "facts", {}),
        )
        _replace(self.path / "status.json", json.dumps(asdict(status)))

    def _write_last_status(self, state: State, error: Exception | None = None) -> None:
        if self.is_finished:
            return  # whatever came after the result takes nothing from it
        # Where a full disk is what ended the run, that error is the one to raise.
        with contextlib.suppress(RunError):
            self._write_status(state, error=error)

    @contextlib.contextmanager
    def _locked(self, seconds: float) -> Iterator[None]:
        """Hold the run's lock, for which a glance at it by another process is waited out."""
        lock = FileLock(self.path / "lock", timeout=seconds)
        try:
            lock.acquire()
        except Timeout as error:
            raise _busy(self.path) from error
        except OSError as error:
            raise _unwritable(self.path, error) from error
        try:
            yield
        finally:
            lock.release()

    def _is_worked_on(self, status: Status) -> bool:
        if self._is_starting(status):
            return True
        try:
            with FileLock(self.path / "lock", timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # a run that this user may only read
            return False

    @staticmethod
    def _is_starting(status: Status) -> bool:
        """Whether a process was launched that has not come to take the lock yet."""
        return (
            status.state == "starting"
            and time.time() - status.updated < _STARTING_SECONDS
            and status.pid is not None
            and _is_alive(status.pid)
        )


@dataclass(frozen=True)
class _Share:
    """What the first process tells those that assist it: their machines may lack the directory."""

    config: TrainConfig
    data_name: str
    fingerprint: str
    tensors: dict[str, Tensor]
    history: list[EpochLoss]


def assist(device_name: str | None = None) -> None:
    """Take part in the training that torchrun's first process executes.

    Raises:
        DataError: if the data set is not here, or another one than the first process has.
    """
    device = choose_device(device_name)
    join_processes(device)
    share: _Share = from_first_process()
    # The first process alone decides when to stop; the others end when it has left them.
    for name in _SIGNALS:
        signal.signal(name, signal.SIG_IGN)
    dataset = data.load(share.data_name)
    if dataset.fingerprint != share.fingerprint:
        raise DataError(
            f"every process must have the same images; those of {share.data_name} on "
            f"{platform.node()} are others than the first process has."
        )
    state = TrainState.start(share.config, device)
    state.restore(share.tensors, share.history)
    try:
        for _ in train(state, dataset.train.images, share.config):
            pass
    except RuntimeError as error:
        if type(error) is not RuntimeError:
            raise
        # What gloo raises in a process whose neighbour has gone; that one has said why.
        raise RunError("the other processes have left this training.") from error


def runs_folder() -> Path:
    """Return where runs are kept: VAEGMM_RUNS, or runs/ in the working directory."""
    return Path(os.environ.get("VAEGMM_RUNS") or "runs").expanduser()


def list_runs(folder: str | Path | None = None) -> list[Run]:
    """Return the runs in a folder, newest first; what cannot be read as a run is left out."""
    folder = Path(folder or runs_folder())
    configs = folder.glob("*/config.json") if folder.is_dir() else ()
    runs = []
    for config in sorted(configs, key=_modified, reverse=True):
        with contextlib.suppress(RunError):
            runs.append(Run.open(config.parent))
    return runs


def new_run_path(config: TrainConfig, data_name: str | Path) -> Path:
    """Return a directory for a new run, named after the time and what it trains."""
    nearest = preset_and_changes(config)
    kind = nearest[0] if nearest else "custom"
    return runs_folder() / f"{time.strftime('%Y%m%d-%H%M%S')}-{kind}-{Path(data_name).stem}"


def command_of(run: Run) -> str:
    """Return the command line that trains what this run trains."""
    settings, config = run.settings, run.config
    nearest = preset_and_changes(config)
    words = ["python", "-m", "vaegmm", "train"]
    if n_processes() > 1:
        words[:1] = ["torchrun", "--nproc-per-node", os.environ["LOCAL_WORLD_SIZE"]]
    if nearest:
        preset, changes = nearest
        words += ["--preset", preset]
        for name, value in changes.items():
            words += [f"--{name.replace('_', '-')}", str(value)]
    else:
        words += ["--config", json.dumps(config.to_dict())]
    words += ["--data", settings["data"]]
    if settings["device"]:
        words += ["--device", settings["device"]]
    return shlex.join(words)


def _provenance(run: Run, dataset: Dataset, device: torch.device, seconds: float) -> dict[str, Any]:
    return {
        "data": {
            "name": dataset.name,
            "title": dataset.title,
            "fingerprint": dataset.fingerprint,
            "n_train": len(dataset.train),
            "n_validation": len(dataset.validation),
            "n_test": len(dataset.test),
        },
        "command": command_of(run),
        "device": str(device),
        "processes": n_processes(),
        "threads": torch.get_num_threads(),
        "seconds": seconds,  # of the process that finished it
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scikit-learn": version("scikit-learn"),
        },
    }


def _on_cpu(state: TrainState) -> tuple[dict[str, Tensor], list[EpochLoss]]:
    tensors = {name: value.detach().cpu() for name, value in state.tensors().items()}
    return tensors, state.history


def _findable(data_name: str) -> str:
    """Return a name under which the data set is found from other working directories too."""
    if data_name in data.NAMES:
        return data_name
    return str(Path(data_name).expanduser().absolute())


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # deleted a moment ago
        return 0.0


def _busy(path: Path) -> RunError:
    return RunError(
        f"{path} is being worked on by another process. Wait for it, or stop it.",
        reason="run busy",
    )


def _unwritable(path: Path, error: Exception) -> RunError:
    return RunError(
        f"{path} cannot be written: {error}. Free some space, or choose another place.",
        reason="run unwritable",
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no second Ctrl-C or SIGTERM (torchrun sends both) cut off what the first one began."""
    before = {name: signal.signal(name, signal.SIG_IGN) for name in _SIGNALS}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _replace(path: Path, text: str) -> None:
    """Write a text file such that a reader sees the old one or the new one, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text)
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
