"""Where a training runs: one device, or one for each of torchrun's processes."""

from __future__ import annotations

import os
from typing import Any

import torch
import torch.distributed as dist

from vaegmm.model import best_device


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
        raise ValueError(
            f"device must be one this machine has; got device={name!r} ({reason}). "
            "Leave it out to take the best there is."
        ) from error


def n_processes() -> int:
    """Return over how many processes torchrun spreads this training: 1 without torchrun."""
    return int(os.environ["WORLD_SIZE"]) if dist.is_torchelastic_launched() else 1


def is_first_process() -> bool:
    """Whether this process is the one that writes, prints and decides."""
    return n_processes() == 1 or os.environ["RANK"] == "0"


def join_processes(device: torch.device) -> None:
    """Meet torchrun's other processes."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")


def from_first_process(value: Any = None) -> Any:
    """Hand the first process's value to all; the others wait for it."""
    values = [value]
    dist.broadcast_object_list(values, src=0)
    return values[0]


def _own_device(name: str | None) -> str:
    if name not in (None, "cpu", "cuda"):
        raise ValueError(
            f"device must be cpu or cuda under torchrun; got device={name!r}. "
            "Each process takes a GPU of its own by itself."
        )
    if name == "cpu" or not torch.cuda.is_available():
        return name or "cpu"
    return f"cuda:{os.environ['LOCAL_RANK']}"
