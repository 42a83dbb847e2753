"""k-means: what each step must not make worse, and the points that make it stumble."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from vaegmm.mixture.kmeans import kmeans_plus_plus, lloyd, nearest


def points(n_points=300, dimension=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(dimension, n_points, generator=generator, dtype=torch.float64)


def inertia(x, centres, weights=None):
    distance = (x - centres[nearest(x, centres)].mT).square().sum(0)
    return (distance * (1 if weights is None else weights)).sum().item()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_nearest_is_the_nearest():
    x = points(1000, 3)
    centres = points(7, 3, seed=1).mT
    expected = torch.cdist(x.mT, centres).argmin(1)
    assert torch.equal(nearest(x, centres), expected)


@pytest.mark.parametrize("weighted", [False, True])
def test_no_iteration_raises_the_inertia(weighted):
    x = points()
    weights = points(seed=2)[0].exp() if weighted else None
    centres = x[:, :8].mT
    inertias = [inertia(x, centres, weights)]
    for _ in range(10):
        centres = lloyd(x, centres, weights, max_iter=1)
        inertias.append(inertia(x, centres, weights))
    assert (np.diff(inertias) <= 1e-9).all() and inertias[-1] < 0.8 * inertias[0]


def test_it_ends_where_scikit_learns_does():
    x = points()
    start = x[:, :5].mT
    peer = KMeans(5, init=start.numpy(), n_init=1, tol=0, algorithm="lloyd").fit(x.mT.numpy())
    centres = lloyd(x, start, max_iter=300, tol=0)
    np.testing.assert_allclose(centres.numpy(), peer.cluster_centers_, atol=1e-10)


def test_a_weight_counts_like_so_many_copies():
    x = points(60)
    counts = torch.arange(60) % 4
    start = x[:, 1:5].mT
    once = lloyd(x, start, counts.double(), max_iter=1)
    expected = lloyd(x.repeat_interleave(counts, dim=1), start, max_iter=1)
    torch.testing.assert_close(once, expected, rtol=1e-12, atol=1e-12)


def test_a_centre_without_points_moves_to_the_farthest_point():
    x = torch.tensor([[0.0, 0.1, 0.2, 9.0]], dtype=torch.float64)
    centres = lloyd(x, torch.tensor([[0.1], [500.0]], dtype=torch.float64), max_iter=1)
    assert 9.0 in centres
    centres = lloyd(x, torch.tensor([[0.1], [500.0]], dtype=torch.float64))
    torch.testing.assert_close(centres.sort(0).values, torch.tensor([[0.1], [9.0]]).double())


@pytest.mark.parametrize("seed", range(5))
def test_plus_plus_takes_one_point_of_every_far_cluster(seed):
    labels = torch.arange(400) % 8
    x = points(400, 2) * 0.01 + 10 * points(8, 2, seed=3)[:, labels]
    chosen = kmeans_plus_plus(x, 8, seeded(seed))
    assert sorted(labels[chosen].tolist()) == list(range(8))


def test_plus_plus_draws_by_weight_and_never_a_point_of_weight_zero():
    x = points(50)
    weights = (torch.arange(50) >= 40).double()
    for seed in range(10):
        assert (kmeans_plus_plus(x, 6, seeded(seed), weights) >= 40).all()
    first = [kmeans_plus_plus(x, 1, seeded(s), torch.arange(50.0).double())[0] for s in range(300)]
    assert torch.stack(first).double().mean() == pytest.approx(33, abs=2.5)


def test_plus_plus_beats_random_points():
    x = torch.cat([points(200, 2, seed=s) * 0.1 + s**2 for s in range(6)], 1)
    careful = [inertia(x, x[:, kmeans_plus_plus(x, 6, seeded(s))].mT) for s in range(5)]
    random = [inertia(x, x[:, torch.randperm(1200, generator=seeded(s))[:6]].mT) for s in range(5)]
    assert np.mean(careful) < 0.5 * np.mean(random)


def test_duplicates_are_no_obstacle():
    x = torch.ones(2, 30, dtype=torch.float64)
    chosen = kmeans_plus_plus(x, 5, seeded())
    centres = lloyd(x, x[:, chosen].mT)
    assert (chosen < 30).all() and torch.equal(centres, torch.ones(5, 2).double())
