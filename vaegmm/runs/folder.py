"""The folder that runs are kept in: the runs there, and places for new ones."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from pathlib import Path
from typing import Any

from vaegmm.config import TrainConfig
from vaegmm.runs.about import slug
from vaegmm.runs.directory import RunDirectory
from vaegmm.runs.errors import RunError
from vaegmm.runs.run import Run
from vaegmm.settings import preset_and_changes

# What tells the directory of a run whose config.json has been lost from any other.
_FILES = ("status.json", "metrics.jsonl", "state.safetensors", "model.safetensors", "about.json")


class DamagedRun(RunDirectory):
    """A run whose config.json no training can be read from; its result may be sound.

    Attributes:
        error: what is wrong with it.
    """

    def __init__(self, path: str | Path, error: RunError) -> None:
        super().__init__(path)
        self.error = error

    @property
    def reason(self) -> str:
        """What is wrong with it, in a sentence."""
        return str(self.error)


def runs_folder() -> Path:
    """Return where runs are kept: VAEGMM_RUNS, or runs/ in the working directory."""
    return Path(os.environ.get("VAEGMM_RUNS") or "runs").expanduser()


def list_runs(folder: str | Path | None = None) -> list[Run | DamagedRun]:
    """Return the runs in a folder, newest first; what was never a run is left out."""
    paths = _directories(Path(folder or runs_folder()))
    return [
        run
        for path in sorted(paths, key=lambda path: _modified(path / "config.json"), reverse=True)
        if (run := _read(path)) is not None
    ]


def sound_runs(folder: str | Path | None = None) -> list[Run]:
    """Return the runs in a folder that can be trained, newest first."""
    return [run for run in list_runs(folder) if isinstance(run, Run)]


def new_run(config: TrainConfig, data_name: str | Path, title: str = "", **options: Any) -> Run:
    """Make a new run in the folder of runs, beside whatever others make there at this moment.

    Args:
        config: what to train.
        data_name: a name or path that `data.load` takes.
        title: what people call it.
        options: what else `Run.create` takes.

    Raises:
        InputError: if title, note or a tag is too long.
        RunError: if it cannot be made.
    """
    while True:
        path = new_run_path(config, data_name, title)
        try:
            run = Run.create(path, config, data_name, title=title, **options)
            _make_newest(run)
            return run
        except RunError as error:
            if error.reason != "run exists":
                raise


def new_run_path(config: TrainConfig, data_name: str | Path, title: str = "") -> Path:
    """Return a directory for a new run, named after the time and its title or what it trains."""
    nearest = preset_and_changes(config)
    kind = nearest[0] if nearest else "custom"
    words = slug(title) or slug(f"{kind} {Path(data_name).stem}") or kind
    path = runs_folder() / f"{time.strftime('%Y%m%d-%H%M%S')}-{words}"
    numbered = (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
    return next(path for path in itertools.chain([path], numbered) if not os.path.lexists(path))


def _directories(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."]
    except OSError:
        return []


def _read(path: Path) -> Run | DamagedRun | None:
    try:
        return Run.open(path)
    except RunError as error:
        is_run = any(os.path.lexists(path / name) for name in ("config.json", *_FILES))
        return DamagedRun(path, error) if is_run else None


def _make_newest(run: Run) -> None:
    """List a new run first, also where the clock has been set back since the last one."""
    own = run.path / "config.json"
    others = (path for path in _directories(run.path.parent) if path.name != run.path.name)
    newest = max((_modified(path / "config.json") for path in others), default=0.0)
    if newest >= _modified(own):
        with contextlib.suppress(OSError):
            os.utime(own, (newest + 0.001, newest + 0.001))


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # deleted a moment ago, or lost
        return 0.0
