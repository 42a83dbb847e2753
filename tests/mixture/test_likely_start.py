"""The default start: clusters that k-means cannot find, and never worse than it."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris, make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score

from vaegmm.mixture import GaussianMixture
from vaegmm.mixture.agglomeration import agglomerate, merged
from vaegmm.mixture.covariance import COVARIANCES

TYPES = ["full", "tied", "diag", "spherical"]


def stripes(seed):
    """Four parallel stripes of 500 points, 10 : 0.3, 2 apart: scikit-learn's issue 34842."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=(500, 2)) * [10, 0.3] + [0, 2 * k] for k in range(4)])


def test_stripes_are_found_where_k_means_is_lost():
    truth = np.repeat(np.arange(4), 500)
    agreement = []
    for seed in range(10):
        points = stripes(seed)
        found = GaussianMixture(4, random_state=seed).fit_predict(points)
        agreement.append(adjusted_rand_score(truth, found))
    assert sum(value > 0.95 for value in agreement) >= 9
    lost = GaussianMixture(4, init_params="kmeans").fit_predict(stripes(0))
    assert adjusted_rand_score(truth, lost) < 0.1


def data_sets():
    """As scikit-learn's examples of mixtures have them."""
    aniso = make_blobs(500, random_state=170)[0] @ [[0.6, -0.6], [-0.4, 0.8]]
    return {
        "iris": (load_iris().data, 3),
        "moons": (make_moons(500, noise=0.05, random_state=30)[0], 2),
        "anisotropic": (aniso, 3),
        "no structure": (np.random.RandomState(30).rand(500, 2), 3),
    }


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("name", data_sets())
def test_it_never_ends_worse_than_k_means(name, covariance_type):
    points, n_components = data_sets()[name]
    for seed in range(2):
        settings = {"covariance_type": covariance_type, "random_state": seed, "tol": 1e-6}
        ours = GaussianMixture(n_components, **settings).fit(points)
        peer = GaussianMixture(n_components, init_params="kmeans", **settings).fit(points)
        assert ours.lower_bound_ >= peer.lower_bound_ - 1e-3


def test_no_iterations_give_the_start():
    points = stripes(0)
    start = GaussianMixture(4, max_iter=0).fit(points)
    assert (start.n_iter_, start.lower_bounds_, start.converged_) == (0, [], False)
    whole = GaussianMixture(4, history=True).fit(points)
    np.testing.assert_array_equal(whole.history_[0].means, start.means_)
    given = GaussianMixture(4, means_init=points[:4], max_iter=0).fit(points)
    np.testing.assert_array_equal(given.means_, points[:4])


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_cheapest_pair_is_merged(covariance_type):
    """Two small clusters in one cloud, and one elsewhere."""
    rng = np.random.default_rng(0)
    y = torch.from_numpy(rng.normal(size=(2, 300)))
    labels = (y[0] > 0).long()
    labels[200:] = 2
    y[:, 200:] += 8
    into = merged(y, torch.ones(300).double(), labels, 2, COVARIANCES[covariance_type])
    assert into[0] == into[1] != into[2]


def test_too_few_distinct_points_are_not_merged():
    x = torch.zeros(2, 30).double()
    generator = torch.Generator().manual_seed(0)
    assert agglomerate(x, torch.ones(30), 3, COVARIANCES["full"], generator) is None
