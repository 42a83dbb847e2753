"""EM on points that stay on the disk, over one or several processes: seconds and memory.

    python benchmarks/streaming.py --points 10_000_000 --processes 1 2 4

Points of 8 columns in float32 are written to one .npy file, and every process walks over its share
of it. Seconds an iteration are those of a fit of several iterations less those of a fit of one;
memory is the most that one process ever held, libraries included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

DIMENSION = 8


def write_points(path: Path, n_points: int) -> None:
    """Thirty clusters that overlap, seeded, written piece by piece."""
    import numpy as np

    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(30, DIMENSION)).astype("f")
    points = np.lib.format.open_memmap(path, "w+", np.float32, (n_points, DIMENSION))
    for start in range(0, n_points, 2**20):
        part = points[start : start + 2**20]
        part[:] = centres[rng.integers(30, size=len(part))]
        part += rng.standard_normal(part.shape, dtype=np.float32)
    points.flush()


def measure(path: str, rank: int, size: int, n_components: int, iterations: int) -> dict[str, Any]:
    """What one process of several sees."""
    import torch.distributed as dist

    from vaegmm.mixture import GaussianMixture, share

    warnings.simplefilter("ignore")
    dist.init_process_group("gloo", init_method=f"file://{path}.{size}", rank=rank, world_size=size)
    mine = share(path, rank, size)
    clocks, cpus, bound = [], [], 0.0
    for n_iterations in (1, 1 + iterations):
        dist.barrier()
        clock, cpu = time.perf_counter(), time.process_time()
        mixture = GaussianMixture(
            n_components, tol=0, max_iter=n_iterations, init_params="random_from_data",
            distributed=True,
        ).fit(mine)  # fmt: skip
        clocks.append(time.perf_counter() - clock)
        cpus.append(time.process_time() - cpu)
        bound = mixture.lower_bound_
    dist.destroy_process_group()
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return {
        "s": (clocks[1] - clocks[0]) / iterations,
        "cpu_s": (cpus[1] - cpus[0]) / iterations,
        "peak_mb": int(peak.split()[1]) / 1024,
        "log_likelihood": bound,
    }


def run(path: Path, size: int, n_components: int, iterations: int) -> list[dict[str, Any]]:
    """Start the processes, one thread each, and collect what they saw."""
    Path(f"{path}.{size}").unlink(missing_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--measure", str(path)]
    processes = [
        subprocess.Popen(
            [*command, *map(str, (rank, size, n_components, iterations))],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for rank in range(size)
    ]
    outputs = [process.communicate()[0] for process in processes]
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def main() -> None:
    """Write the points, measure, print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", nargs="+", type=int, default=[10_000_000])
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--components", nargs="+", type=int, default=[10])
    parser.add_argument("--iterations", type=int, default=5, help="that are timed")
    parser.add_argument("--folder", type=Path, help="where to write the points")
    parser.add_argument("--measure", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        path, *numbers = arguments.measure
        print(json.dumps(measure(path, *map(int, numbers))))
        return
    print(
        "| points | file, MB | components | processes | s an iteration | CPU s an iteration, all | "
        "memory of a process, MB | log-likelihood, nats |\n" + "|---:" * 8 + "|"
    )
    for n_points in arguments.points:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            path = Path(folder) / "points.npy"
            write_points(path, n_points)
            for n_components in arguments.components:
                for size in arguments.processes:
                    found = run(path, size, n_components, arguments.iterations)
                    print(
                        f"| {n_points:,} | {path.stat().st_size / 1e6:,.0f} | {n_components} "
                        f"| {size} | {max(x['s'] for x in found):.2f} "
                        f"| {sum(x['cpu_s'] for x in found):.2f} "
                        f"| {max(x['peak_mb'] for x in found):.0f} "
                        f"| {found[0]['log_likelihood']:.12f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
