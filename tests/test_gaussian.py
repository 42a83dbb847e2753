"""Log densities and divergences against torch.distributions, in float64."""

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from vaegmm.gaussian import kl_to_standard_normal, log_multivariate_normal, log_normal


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def random(*shape, generator):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3)])
def test_log_normal_is_the_density_of_independent_dimensions(shape, generator):
    z, mean = random(*shape, generator=generator), random(*shape, generator=generator)
    std = random(*shape, generator=generator).exp()
    expected = Independent(Normal(mean, std), 1).log_prob(z)
    torch.testing.assert_close(log_normal(z, mean, std), expected, rtol=1e-12, atol=1e-12)


def test_log_normal_broadcasts_mean_and_std(generator):
    z = random(4, 3, generator=generator)
    two = torch.tensor(2.0, dtype=torch.float64)
    expected = Normal(0.5, two).log_prob(z).sum(-1)
    torch.testing.assert_close(log_normal(z, 0.5, 2.0), expected, rtol=1e-12, atol=1e-12)
    mean = random(6, 1, 3, generator=generator)
    assert log_normal(z, mean, torch.ones(3, dtype=torch.float64)).shape == (6, 4)


def test_log_normal_has_the_right_gradients(generator):
    z, mean, std = (random(2, 3, generator=generator) for _ in range(3))
    inputs = [t.requires_grad_() for t in (z, mean, std.exp().detach())]
    assert torch.autograd.gradcheck(log_normal, inputs)


@pytest.mark.parametrize("dimension", [1, 2, 8])
def test_log_multivariate_normal_agrees_with_torch(dimension, generator):
    z = random(7, dimension, generator=generator)
    mean = random(3, dimension, generator=generator)
    root = random(3, dimension, dimension, generator=generator)
    covariance = root @ root.mT + 0.1 * torch.eye(dimension, dtype=torch.float64)
    precisions_cholesky = torch.linalg.inv(torch.linalg.cholesky(covariance)).mT
    expected = MultivariateNormal(mean, covariance).log_prob(z[:, None])
    actual = log_multivariate_normal(z, mean, precisions_cholesky)
    assert actual.shape == (7, 3)
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)


def test_kl_agrees_with_torch_dimension_by_dimension(generator):
    mean, std = random(5, 3, generator=generator), random(5, 3, generator=generator).exp()
    expected = kl_divergence(Normal(mean, std), Normal(torch.zeros_like(mean), 1.0))
    actual = kl_to_standard_normal(mean, std)
    assert actual.shape == mean.shape
    torch.testing.assert_close(actual, expected, rtol=1e-12, atol=1e-12)
    assert (actual >= 0).all()


def test_kl_of_the_standard_normal_is_zero():
    assert kl_to_standard_normal(torch.zeros(4), torch.ones(4)).abs().max() == 0
