"""The joint stage: losses by their definitions, a prior that follows, starts without labels."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
)

from vaegmm.config import JointConfig, VAEConfig
from vaegmm.joint import (
    Prior,
    first_prior,
    imbalance,
    joint_parts,
    mutual_information,
    next_prior,
)
from vaegmm.vae import VAE

N, D, K = 5, 3, 4


@pytest.fixture
def prior():
    generator = torch.Generator().manual_seed(0)
    roots = torch.randn(K, D, D, generator=generator).triu() * 0.3 + torch.eye(D)
    weights = torch.tensor([0.1, 0.2, 0.3, 0.4])
    return Prior(weights, torch.randn(K, D, generator=generator), roots)


@pytest.fixture
def vae():
    torch.manual_seed(0)
    return VAE(VAEConfig(latent_dim=D, hidden_units=(16,)))


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


def test_one_view_costs_what_the_definition_says(vae, prior):
    images, noise = torch.rand(N, 784), torch.randn(N, D)
    parts = joint_parts(vae, prior, images, noise)
    mean, std = vae.posterior(images)
    z = mean + std * noise
    torch.testing.assert_close(parts.cross_entropy, vae.cross_entropy(z, images))
    entropy = Independent(Normal(mean, std), 1).entropy()
    torch.testing.assert_close(parts.kl, -entropy - torchs_own(prior).log_prob(z))
    assert parts.disagreement.tolist() == [0] * N


def test_two_views_share_the_cost_and_both_reconstruct_the_image(vae, prior):
    images, views, noise = torch.rand(N, 784), torch.rand(N, 784), torch.randn(2 * N, D)
    parts = joint_parts(vae, prior, images, noise, views)
    z = [
        vae.posterior(seen).sample(own)
        for seen, own in zip((images, views), noise.chunk(2), strict=True)
    ]
    expected = sum(vae.cross_entropy(one, images) for one in z) / 2
    torch.testing.assert_close(parts.cross_entropy, expected)
    one, other = (prior.log_joint(points).softmax(-1) for points in z)
    expected = -(one * other.log() + other * one.log()).sum(-1) / 2
    torch.testing.assert_close(parts.disagreement, expected)


def test_divergence_from_a_standard_normal_is_the_ordinary_one_on_average(vae):
    standard = Prior(torch.ones(1), torch.zeros(1, D), torch.eye(D)[None])
    images = torch.rand(1, 784).expand(20_000, -1)
    noise = torch.randn(20_000, D, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        sampled = joint_parts(vae, standard, images, noise).kl.mean()
        expected = vae.loss_parts(images[:1], noise[:1]).kl.sum()
    assert sampled.item() == pytest.approx(expected.item(), rel=0.05)


def test_mutual_information_of_views():
    sure = np.eye(K)[np.arange(40) % K]
    assert mutual_information(sure, sure) == pytest.approx(np.log(K))
    assert mutual_information(sure, np.full((40, K), 1 / K)) == pytest.approx(0, abs=1e-12)
    one_cluster = np.eye(K)[np.zeros(40, int)]
    assert mutual_information(one_cluster, one_cluster) == pytest.approx(0, abs=1e-12)


def test_disagreement_and_imbalance_are_minus_the_mutual_information():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(30, K, generator=generator, requires_grad=True)
    responsibilities = logits.softmax(-1)
    mean = responsibilities.mean(0)
    loss = imbalance(responsibilities, mean).mean()
    entropy = Categorical(mean).entropy()
    torch.testing.assert_close(loss, -entropy)
    (gradient,) = torch.autograd.grad(loss, logits, retain_graph=True)
    (expected,) = torch.autograd.grad(-entropy, logits)
    torch.testing.assert_close(gradient, expected)
    # Sure views: no disagreement, and log K nats of information.
    sure = torch.eye(K)
    assert imbalance(sure, sure.mean(0)).mean().item() == pytest.approx(-np.log(K))


def test_an_empty_component_costs_finite_numbers():
    assert imbalance(torch.eye(K), torch.tensor([1.0, 0, 0, 0])).isfinite().all()


def four_blobs(seed=0):
    """Digits far apart in the first dimension, and a way of writing, farther, in the second."""
    generator = np.random.default_rng(seed)
    digit, writing = generator.integers(0, 2, (2, 2000))
    z = np.stack([6.0 * digit, 6.3 * writing], 1) + generator.normal(size=(2000, 2))
    other = np.stack([6.0 * digit, 6.3 * generator.integers(0, 2, 2000)], 1)
    return z, other + generator.normal(size=(2000, 2)), digit


def accuracy_of(prior, z, digit):
    components = prior.log_joint(torch.from_numpy(z).float()).argmax(-1).numpy()
    return max(np.mean(components == digit), np.mean(components != digit))


def test_views_find_the_split_that_the_likelihood_does_not():
    z, other, digit = four_blobs()
    config = JointConfig(n_components=2, n_init=12)
    assert accuracy_of(first_prior(z, (z, other), config, seed=0), z, digit) > 0.95
    assert accuracy_of(first_prior(z, None, config, seed=0), z, digit) < 0.6


def test_the_same_seed_gives_the_same_first_prior():
    z = four_blobs()[0]
    one, same = (first_prior(z, None, JointConfig(n_components=3), seed=4) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))


def test_the_prior_follows_the_latents():
    z = four_blobs()[0]
    prior = first_prior(z, None, JointConfig(n_components=4, n_init=3), seed=0)
    moved = next_prior(z + 1.0, prior)
    np.testing.assert_allclose(moved.means, prior.means + 1.0, atol=0.05)
    points = torch.from_numpy(z + 1.0).float()
    before, after = (p.log_joint(points).logsumexp(-1).mean() for p in (prior, moved))
    assert after > before


def test_the_prior_does_not_leave_the_digits_for_the_writing():
    z, other, digit = four_blobs()
    by_digit = first_prior(z, (z, other), JointConfig(n_components=2, n_init=12), seed=0)
    moved = next_prior(z + 3.0, by_digit)
    assert accuracy_of(moved, z, digit) < accuracy_of(by_digit, z, digit)
    # The views are where they were: what EM found says less about them.
    assert next_prior(z + 3.0, by_digit, (z, other)) is by_digit
    followed = next_prior(z + 3.0, by_digit, (z + 3.0, other + 3.0))
    np.testing.assert_allclose(followed.means, moved.means)


def test_a_dead_component_is_rescued_and_none_closes_in_on_a_point():
    z = four_blobs()[0]
    z[:200] = z[0]  # many copies of one point
    prior = first_prior(z, None, JointConfig(n_components=4, n_init=1), seed=0)
    far = prior._replace(
        weights=torch.tensor([0.4, 0.3, 0.3 - 1e-6, 1e-6]),
        means=torch.cat([prior.means[:3], torch.full((1, 2), 1e4)]),
    )
    for _ in range(5):
        far = next_prior(z, far)
    assert all(part.isfinite().all() for part in far)
    assert (far.weights > 1e-3).all()
    assert far.means.abs().max() < 100
    # The standard deviation is nowhere below the root of what is added to every variance.
    assert torch.linalg.matrix_norm(far.precisions_cholesky, ord=2).max() < 1 / 0.0316


def test_weights_sum_to_one_and_have_logarithms(prior):
    z = four_blobs()[0]
    fitted = first_prior(z, None, JointConfig(n_components=50, n_init=1), seed=0)
    assert fitted.weights.sum().item() == pytest.approx(1, abs=1e-6)
    assert fitted.weights.log().isfinite().all()


def test_what_a_stage_cannot_be_is_refused():
    for values in ({"share": 1.0}, {"share": -0.1}, {"n_init": 0}, {"consistency": -1}):
        with pytest.raises(ValueError, match=f"joint.{next(iter(values))} must"):
            dataclasses.replace(JointConfig(), **values)
