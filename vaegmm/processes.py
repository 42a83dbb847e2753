"""What several processes do together: who takes part, what they add up, and whom they follow."""

from __future__ import annotations

import os
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


class Group:
    """One process by itself: nothing to add, nothing to gather, nobody to follow."""

    rank = 0
    size = 1

    def sum(self, *values: Tensor) -> None:
        """Add up tensors over the processes, in place, through one buffer."""

    def gather(self, values: Tensor) -> Tensor:
        """Rows of all processes, in the order of their ranks."""
        return values

    def total(self, count: float, device: torch.device) -> float:
        """Add up a number over the processes."""
        total = torch.tensor([count], dtype=torch.float64, device=device)
        self.sum(total)
        return total.item()

    def follow_first(self, *values: Tensor) -> None:
        """Take over what the first process has, in place: processors round differently."""


class Processes(Group):
    """The processes of `torch.distributed`'s default group.

    A process that dies closes its connections, which ends the sum of the others with an error;
    the timeout given to `init_process_group` bounds the wait for a machine that vanishes.

    Raises:
        ValueError: if `init_process_group` hasn't been called.
    """

    def __init__(self) -> None:
        if not (dist.is_available() and dist.is_initialized()):
            raise ValueError(
                "distributed=True must be used inside a process group; got none. Call "
                "torch.distributed.init_process_group first and start the script with torchrun."
            )
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def sum(self, *values: Tensor) -> None:
        if len(values) == 1:
            dist.all_reduce(values[0])
            return
        buffer = torch.cat([value.reshape(-1) for value in values])
        dist.all_reduce(buffer)
        parts = buffer.split([value.numel() for value in values])
        for value, part in zip(values, parts, strict=True):
            value.copy_(part.view_as(value))

    def gather(self, values: Tensor) -> Tensor:
        sizes = torch.zeros(self.size, dtype=torch.float64, device=values.device)
        sizes[self.rank] = len(values)
        self.sum(sizes)
        # A sum of zero-filled rows: every backend can add, and few rows are gathered.
        counts = [int(size) for size in sizes.tolist()]
        start = sum(counts[: self.rank])
        rows = values.new_zeros(sum(counts), *values.shape[1:])
        rows[start : start + len(values)] = values
        self.sum(rows)
        return rows

    def follow_first(self, *values: Tensor) -> None:
        for value in values:
            dist.broadcast(value, 0)


ALONE = Group()


def current() -> Group:
    """Return the processes that this one works with: those of a training, or itself alone."""
    return Processes() if dist.is_available() and dist.is_initialized() else ALONE


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
