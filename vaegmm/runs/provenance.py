"""Where a result comes from: the command that trains it, its data, and what it was made with."""

from __future__ import annotations

import json
import os
import platform
import shlex
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from vaegmm.data import Dataset
from vaegmm.processes import n_processes
from vaegmm.runs.directory import RunDirectory
from vaegmm.settings import preset_and_changes, written


def command_of(run: RunDirectory) -> str:
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
            words += [f"--{name.replace('_', '-')}", written(value)]
    else:
        words += ["--config", json.dumps(config.to_dict())]
    if run.attempts > 1:
        words += ["--attempts", str(run.attempts)]
    words += ["--data", settings["data"]]
    if settings["device"]:
        words += ["--device", settings["device"]]
    return shlex.join(words)


def provenance(
    run: RunDirectory, dataset: Dataset, device: torch.device, seconds: float
) -> dict[str, Any]:
    """Return what a checkpoint says of the training that it comes from.

    Args:
        run: the training.
        dataset: what it learned from.
        device: where it ran.
        seconds: that it took.
    """
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
