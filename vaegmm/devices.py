"""Which processor a model runs on: the one that is named, or the best there is."""

from __future__ import annotations

import os

import torch

from vaegmm.errors import InputError
from vaegmm.processes import n_processes


def best_device() -> torch.device:
    """Choose CUDA, then MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def choose_device(name: str | None = None) -> torch.device:
    """Return the named device, or the best there is; this process's own under torchrun.

    Raises:
        ValueError: if this machine has no such device.
    """
    if n_processes() > 1:
        name = _own_device(name)
    if name is None:
        return best_device()
    try:
        torch.empty(1, device=name)
        return torch.device(name)
    # torch raises RuntimeError, AssertionError or AcceleratorError for devices it lacks.
    except Exception as error:
        reason = str(error).splitlines()[0].split(". ")[0][:120]
        raise InputError(
            f"device must be one this machine has; got device={name!r} ({reason}). "
            "Leave it out to take the best there is.",
            reason="no such device",
        ) from error


def _own_device(name: str | None) -> str:
    if name not in (None, "cpu", "cuda"):
        raise ValueError(
            f"device must be cpu or cuda under torchrun; got device={name!r}. "
            "Each process takes a GPU of its own by itself."
        )
    if name == "cpu" or not torch.cuda.is_available():
        return name or "cpu"
    return f"cuda:{os.environ['LOCAL_RANK']}"
