"""One EM over several processes: what they add up, and which points each one walks over."""

from __future__ import annotations

import torch
from torch import Tensor


class Group:
    """One process by itself: nothing to add, nothing to gather."""

    rank = 0
    size = 1

    def sum(self, values: Tensor) -> None:
        """Add up a tensor over the processes, in place."""

    def gather(self, values: Tensor) -> Tensor:
        """Rows of all processes, in the order of their ranks."""
        return values

    def total(self, count: float, device: torch.device) -> float:
        """Add up a number over the processes."""
        total = torch.tensor([count], dtype=torch.float64, device=device)
        self.sum(total)
        return total.item()


class Processes(Group):
    """The processes of `torch.distributed`'s default group.

    A process that dies closes its connections, which ends the sum of the others with an error;
    the timeout given to `init_process_group` bounds the wait for a machine that vanishes.

    Raises:
        ValueError: if `init_process_group` hasn't been called.
    """

    def __init__(self) -> None:
        import torch.distributed as dist

        if not (dist.is_available() and dist.is_initialized()):
            raise ValueError(
                "distributed=True must be used inside a process group; got none. Call "
                "torch.distributed.init_process_group first and start the script with torchrun."
            )
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def sum(self, values: Tensor) -> None:
        import torch.distributed as dist

        dist.all_reduce(values)

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


ALONE = Group()
