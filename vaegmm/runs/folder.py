"""The folder that runs are kept in."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from vaegmm.config import TrainConfig
from vaegmm.runs.errors import RunError
from vaegmm.runs.run import Run
from vaegmm.settings import preset_and_changes


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


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # deleted a moment ago
        return 0.0
