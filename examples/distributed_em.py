"""Fit one Gaussian mixture to .npy shards, over several processes or machines.

    torchrun --nproc-per-node 4 examples/distributed_em.py shards/*.npy --components 50

Every process walks over its share of the points and keeps only a few megabytes of them in memory;
the sums of each iteration, one small buffer, are added up over the processes. The result is that
of one process. On several machines, start the same line on each of them with torchrun's --nnodes
and --rdzv-endpoint; each must see the shards.
"""

from __future__ import annotations

import argparse
import datetime
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from vaegmm.mixture import GaussianMixture, share


class OnDevice:
    """Blocks of points that are moved to a GPU when their turn comes."""

    def __init__(self, blocks: list[np.ndarray], device: torch.device, rows: int = 2**20) -> None:
        self.blocks, self.device, self.rows = blocks, device, rows

    def __iter__(self) -> Iterator[torch.Tensor]:
        for block in self.blocks:
            for start in range(0, len(block), self.rows):
                rows = np.array(block[start : start + self.rows])
                yield torch.from_numpy(rows).to(self.device)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path, nargs="+", help=".npy files of shape (n, D)")
    parser.add_argument("--components", type=int, default=10)
    parser.add_argument("--covariance-type", default="full")
    parser.add_argument("--max-iter", type=int, default=100)
    parser.add_argument("--tol", type=float, default=1e-4, help="nats")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help=".npz file for weights, means and covariances")
    return parser.parse_args()


def main() -> None:
    """Fit, and let the first process report."""
    arguments = parse_arguments()
    on_gpu = torch.cuda.is_available()
    # A process that dies closes its connections, and the others end at once; the timeout is for
    # a machine that vanishes without doing so.
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=datetime.timedelta(seconds=60))
    points = share(sorted(arguments.shards), dist.get_rank(), dist.get_world_size())
    if on_gpu:
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
        points = OnDevice(points, device)
    mixture = GaussianMixture(
        arguments.components,
        covariance_type=arguments.covariance_type,
        max_iter=arguments.max_iter,
        tol=arguments.tol,
        random_state=arguments.seed,
        distributed=True,
    ).fit(points)
    if dist.get_rank() == 0:
        print(f"processes       {dist.get_world_size()}")
        print(f"iterations      {mixture.n_iter_}")
        print(f"log-likelihood  {mixture.lower_bound_:.12f} nats a point")
        if arguments.out:
            parts = {
                name: torch.as_tensor(getattr(mixture, f"{name}_")).cpu().numpy()
                for name in ("weights", "means", "covariances")
            }
            np.savez(arguments.out, **parts)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
