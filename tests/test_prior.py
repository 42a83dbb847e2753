"""The mixture that a network is trained with: its density, and what it tells of views."""

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from vaegmm.prior import Prior, mutual_information

N, D, K = 5, 3, 4


@pytest.fixture
def prior():
    generator = torch.Generator().manual_seed(0)
    roots = torch.randn(K, D, D, generator=generator).triu() * 0.3 + torch.eye(D)
    weights = torch.tensor([0.1, 0.2, 0.3, 0.4])
    return Prior(weights, torch.randn(K, D, generator=generator), roots)


def torchs_own(prior):
    precisions = prior.precisions_cholesky @ prior.precisions_cholesky.mT
    return MixtureSameFamily(
        Categorical(prior.weights),
        MultivariateNormal(prior.means, precision_matrix=precisions),
    )


def test_a_log_joint_sums_to_torchs_own_density(prior):
    z = torch.randn(N, D, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(prior.log_joint(z).logsumexp(-1), torchs_own(prior).log_prob(z))


def test_a_start_is_the_prior_itself(prior):
    start = prior.as_start()
    expected = torchs_own(prior).component_distribution.precision_matrix
    np.testing.assert_allclose(start["precisions_init"], expected, rtol=1e-5)
    np.testing.assert_allclose(start["weights_init"].sum(), 1, atol=1e-12)


def test_mutual_information_of_views():
    sure = np.eye(K)[np.arange(40) % K]
    assert mutual_information(sure, sure) == pytest.approx(np.log(K))
    assert mutual_information(sure, np.full((40, K), 1 / K)) == pytest.approx(0, abs=1e-12)
    one_cluster = np.eye(K)[np.zeros(40, int)]
    assert mutual_information(one_cluster, one_cluster) == pytest.approx(0, abs=1e-12)


def test_mutual_information_of_tiny_responsibilities_is_finite():
    one = np.tile(np.array([1, 1e-30, 0], np.float32), (40, 1))
    assert mutual_information(one, one) == pytest.approx(0, abs=1e-6)
