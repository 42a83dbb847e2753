"""Points that don't fit in memory: the same mixture as from an array, and little memory."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from vaegmm.mixture import GaussianMixture, share
from vaegmm.mixture.chunks import LONGEST_CHUNK, Points, evenly

TYPES = ["full", "tied", "diag", "spherical"]


@pytest.fixture(scope="module")
def z():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(40_000, 2)) + 6 * rng.integers(3, size=(40_000, 1))).astype("f")


class Blocks:
    """Any object that yields blocks, again and again."""

    def __init__(self, z, sizes, kind=np.asarray):
        self.z, self.sizes, self.kind = z, sizes, kind

    def __iter__(self):
        start = 0
        for size in self.sizes:
            yield self.kind(self.z[start : start + size])
            start += size
        yield self.kind(self.z[start:])


def sources(z, folder):
    """The same points in every form that `fit` takes."""
    paths = []
    for i, part in enumerate(np.array_split(z, 3)):
        paths.append(folder / f"{i}.npy")
        np.save(paths[-1], part)
    np.save(folder / "all.npy", z)
    return {
        "memory map": np.load(folder / "all.npy", mmap_mode="r"),
        "path": str(folder / "all.npy"),
        "shards": paths,
        "blocks": Blocks(z, [1, 999, 20_000]),
        "tensors": Blocks(z, [7000], torch.from_numpy),
        "list of arrays": np.array_split(z, 5),
        "read-only": np.frombuffer(z.tobytes(), z.dtype).reshape(z.shape),
        "other strides": np.asfortranarray(z),
        "backwards": np.ascontiguousarray(z[::-1])[::-1],
    }


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_source_gives_the_same_mixture(z, tmp_path, covariance_type, weighted, dtype):
    weights = np.random.default_rng(1).exponential(size=len(z)) if weighted else None
    params = {"covariance_type": covariance_type, "tol": 0, "max_iter": 4}
    whole = z.astype(dtype)
    expected = GaussianMixture(3, **params).fit(whole, sample_weight=weights)
    for name, source in sources(whole, tmp_path).items():
        streamed = GaussianMixture(3, **params).fit(source, sample_weight=weights)
        assert streamed.lower_bounds_ == expected.lower_bounds_, name
        for attribute in ("weights_", "means_", "covariances_"):
            np.testing.assert_array_equal(
                np.asarray(getattr(streamed, attribute)),
                getattr(expected, attribute),
                err_msg=name,
            )


def test_a_source_may_fill_the_same_buffer_again(z):
    class Buffer:
        def __iter__(self):
            buffer = np.empty((900, 2), z.dtype)
            for start in range(0, len(z), 900):
                part = buffer[: len(z) - start]
                part[:] = z[start : start + 900]
                yield part

    again = GaussianMixture(3, tol=0, max_iter=3).fit(Buffer())
    assert again.lower_bounds_ == GaussianMixture(3, tol=0, max_iter=3).fit(z).lower_bounds_


def test_predictions_come_from_every_source(z, tmp_path):
    mixture = GaussianMixture(3, max_iter=3, tol=0).fit(z)
    for name, source in sources(z, tmp_path).items():
        np.testing.assert_array_equal(mixture.predict(source), mixture.predict(z), err_msg=name)
        assert mixture.score(source) == pytest.approx(mixture.score(z), abs=1e-6)
        assert mixture.bic(source) == pytest.approx(mixture.bic(z), rel=1e-6)


def test_what_can_be_walked_over_only_once_is_refused(z):
    with pytest.raises(TypeError, match="X must be something to walk over again and again"):
        GaussianMixture(2).fit(block for block in [z])
    with pytest.raises(TypeError, match="X must be an array"):
        GaussianMixture(2).fit(7)
    with pytest.raises(ValueError, match="X must hold at least one block"):
        GaussianMixture(2).fit(Blocks.__new__(type("Empty", (), {"__iter__": lambda s: iter(())})))


def test_blocks_must_agree_and_be_finite(z):
    with pytest.raises(ValueError, match="blocks of X must have the same columns; got 1 columns"):
        GaussianMixture(2).fit([z, z[:, :1]])
    spoilt = z.copy()
    spoilt[-1, 0] = np.inf
    with pytest.raises(ValueError, match="X must be finite; got infinity"):
        GaussianMixture(2).fit(Blocks(spoilt, [10]))


def test_rows_are_found_across_blocks(z):
    points = Points(Blocks(z, [1, 999]), np.arange(len(z)))
    rows, weights = points.rows(torch.tensor([0, 1, 999, 1000, 39_999]))
    np.testing.assert_array_equal(rows, z[[0, 1, 999, 1000, 39_999]])
    np.testing.assert_array_equal(weights, [0, 1, 999, 1000, 39_999])


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_shares_are_even_and_complete(z, tmp_path, size):
    for name in ("memory map", "path", "shards", "list of arrays"):
        source = sources(z, tmp_path)[name]
        shares = [np.concatenate(share(source, rank, size)) for rank in range(size)]
        np.testing.assert_array_equal(np.concatenate(shares), z)
        lengths = [len(part) for part in shares]
        assert max(lengths) <= (1 + 1 / 16) * min(lengths) + 1


@pytest.mark.parametrize("size", [2, 3, 4])
def test_shares_end_where_chunks_end(size):
    n_points = 2**18 * size + 12_345
    ends = np.cumsum([sum(map(len, share(np.zeros((n_points, 1)), r, size))) for r in range(size)])
    assert ends[-1] == n_points and (ends[:-1] % LONGEST_CHUNK == 0).all()
    assert [len(share(np.zeros((size + 1, 1)), r, size)) for r in range(size)] == [1] * size


def test_blocks_are_cut_evenly_whatever_they_come_in(z):
    points, weights = torch.from_numpy(z[:1000]), torch.arange(1000)
    for sizes in ([1000], [1, 299, 300, 0, 400], [256, 256, 488]):
        pieces = zip(points.split(sizes), weights.split(sizes), strict=True)
        blocks = list(evenly(pieces, 256))
        assert [len(x) for x, _ in blocks] == [256, 256, 256, 232]
        assert torch.equal(torch.cat([x for x, _ in blocks]), points)
        assert torch.equal(torch.cat([w for _, w in blocks]), weights)
    halves = [(part, None) for part in points.split(500)]
    assert [w for _, w in evenly(halves, 256)] == [None] * 4


_MEASURE = """
import resource, sys
import numpy as np
from vaegmm.mixture import GaussianMixture

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

GaussianMixture(5, tol=0, max_iter=2).fit(np.random.default_rng(0).normal(size=(70_000, 8)))
before = peak()
GaussianMixture(5, tol=0, max_iter=2).fit(np.load(sys.argv[1], mmap_mode="r"))
print(peak() - before)
"""


@pytest.mark.slow
def test_a_memory_map_is_never_in_memory_as_a_whole(tmp_path):
    path = tmp_path / "points.npy"
    z = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(8_000_000, 8))
    rng = np.random.default_rng(0)
    for start in range(0, len(z), 10**6):
        z[start : start + 10**6] = rng.normal(size=(10**6, 8))
    z.flush()
    assert path.stat().st_size > 250e6
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 120, "megabytes beyond a small fit"
