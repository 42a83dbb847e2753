"""EM over several processes: the same mixture, and an end when one of them dies."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from vaegmm.mixture import GaussianMixture

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "distributed_em.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

#: Each process fits its share and saves what it found.
_FIT = """
import datetime, os, signal, sys, warnings
import numpy as np
import torch.distributed as dist
from vaegmm.mixture import GaussianMixture, share

folder, rank, size, dies_at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
dist.init_process_group(
    "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=size,
    timeout=datetime.timedelta(seconds=60),
)

sums = []
add_up = dist.all_reduce

def all_reduce(values):
    sums.append(values.numel())
    if rank == 1 and len(sums) == dies_at:
        os.kill(os.getpid(), signal.SIGKILL)
    add_up(values)

dist.all_reduce = all_reduce
mine = share(folder + "/z.npy", rank, size)
warnings.simplefilter("ignore")
# A seed for each process: the first one's counts.
far = {"means_init": np.load(folder + "/means.npy")}
first = GaussianMixture(4, tol=0, max_iter=6, random_state=rank, distributed=True)
first.fit(mine)
n_first = len(sums)
second = GaussianMixture(4, tol=0, max_iter=6, distributed=True, **far).fit(mine)
np.savez(
    f"{folder}/{size}-{rank}.npz", bounds=first.lower_bounds_, means=first.means_,
    covariances=first.covariances_, again=second.means_, sums=sums[:n_first],
)
dist.destroy_process_group()
"""


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3001, 2)) + 5 * rng.integers(4, size=(3001, 1))
    np.save(tmp_path / "z.npy", z)
    # The last component is so far away that it empties and must be reseeded.
    np.save(tmp_path / "means.npy", np.concatenate([z[:3], [[1e4, 1e4]]]))
    return tmp_path


def start(folder, size, dies_at=-1):
    (folder / "meeting").unlink(missing_ok=True)
    return [
        subprocess.Popen(
            [sys.executable, "-c", _FIT, folder, str(rank), str(size), str(dies_at)],
            env=ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]


@pytest.mark.parametrize("size", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_processes_fit_the_mixture_that_one_would(folder, size):
    for process in start(folder, size):
        _, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
    results = [np.load(folder / f"{size}-{rank}.npz") for rank in range(size)]
    z = np.load(folder / "z.npy")
    alone = GaussianMixture(4, tol=0, max_iter=6, random_state=0).fit(z)
    with pytest.warns(UserWarning, match="1 components emptied"):
        far = GaussianMixture(4, tol=0, max_iter=6, means_init=np.load(folder / "means.npy")).fit(z)
    for result in results:
        np.testing.assert_allclose(result["bounds"], alone.lower_bounds_, rtol=0, atol=1e-9)
        np.testing.assert_allclose(result["means"], alone.means_, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(result["covariances"], alone.covariances_, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(result["again"], far.means_, rtol=1e-9, atol=1e-9)
        for name in ("bounds", "means", "covariances", "again"):
            assert (result[name] == results[0][name]).all(), "the processes must agree to the bit"
        # One sum of one buffer an iteration: log-likelihood, and phi for each of 4 components.
        buffers = [numel for numel in result["sums"] if numel == 1 + 4 * (1 + 2 + 3)]
        assert len(buffers) == 6
        assert (result["sums"][-6:] == buffers).all()


def test_a_dead_process_ends_the_others_with_an_error(folder):
    survivor, victim = start(folder, 2, dies_at=10)
    victim.wait(timeout=300)
    died = time.monotonic()
    _, error = survivor.communicate(timeout=60)
    assert time.monotonic() - died < 60
    assert survivor.returncode != 0 and victim.returncode != 0
    assert "Error" in error


@pytest.mark.slow
def test_the_example_runs_under_torchrun(folder):
    z = np.load(folder / "z.npy")
    shards = []
    for i, part in enumerate(np.array_split(z, 3)):
        shards.append(folder / f"shard{i}.npy")
        np.save(shards[-1], part)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", EXAMPLE, *shards, "--components", "4"]
    command += ["--out", folder / "mixture.npz"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=ENVIRONMENT, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = GaussianMixture(4, max_iter=100).fit(z)
    bound = float(re.search(r"log-likelihood +(\S+)", done.stdout)[1])
    assert bound == pytest.approx(expected.lower_bound_, abs=1e-9)
    saved = np.load(folder / "mixture.npz")
    np.testing.assert_allclose(saved["means"], expected.means_, rtol=1e-9, atol=1e-9)
