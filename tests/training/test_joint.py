"""The joint stage: losses by their definitions, and a prior that is trained."""

import dataclasses
import math

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
from vaegmm.prior import Prior, mutual_information
from vaegmm.training.joint import (
    TrainedPrior,
    imbalance,
    joint_parts,
    rescue,
    views_disagreement,
)
from vaegmm.vae import VAE

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


@pytest.fixture
def vae():
    torch.manual_seed(0)
    return VAE(VAEConfig(latent_dim=D, hidden_units=(16,)))


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


def test_what_is_trained_is_the_mixture_that_it_took(prior):
    trained = TrainedPrior(K, D)
    trained.take(prior)
    for part, expected in zip(trained(), prior, strict=True):
        torch.testing.assert_close(part, expected)
    loss = trained().log_joint(torch.ones(N, D)).logsumexp(-1).sum()
    loss.backward()
    assert all(part.grad.abs().sum() > 0 for part in trained.parameters())
    assert not trained.roots.grad.tril(-1).any()


def test_whatever_the_gradient_does_a_trained_prior_is_a_mixture():
    trained = TrainedPrior(3, D)
    with torch.no_grad():
        trained.logits.copy_(torch.tensor([1e4, 0, -1e4]))
        trained.roots.fill_(1e3)
        trained.roots[0].fill_(-1e3)
    prior = trained()
    assert prior.weights.sum().item() == pytest.approx(1, abs=1e-3)
    assert prior.log_joint(torch.zeros(N, D)).isfinite().all()
    stds = 1 / prior.precisions_cholesky.diagonal(dim1=-2, dim2=-1)
    assert 0.03 < stds.min() < stds.max() < 101


def test_divergence_from_a_standard_normal_is_the_ordinary_one_on_average(vae):
    standard = Prior(torch.ones(1), torch.zeros(1, D), torch.eye(D)[None])
    images = torch.rand(1, 784).expand(20_000, -1)
    noise = torch.randn(20_000, D, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        sampled = joint_parts(vae, standard, images, noise).kl.mean()
        expected = vae.loss_parts(images[:1], noise[:1]).kl.sum()
    assert sampled.item() == pytest.approx(expected.item(), rel=0.05)


def test_imbalance_is_minus_the_entropy_and_has_its_gradient():
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


def test_disagreement_and_imbalance_bound_the_views_information():
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 500, K, generator=generator).mul(3).softmax(-1)
    # Of independent views, about none; of the same and sure ones, log K nats.
    sure = torch.eye(K)[torch.arange(500) % K].clamp_min(1e-9)
    for views, expected in (((one, other), (-math.inf, 0.0)), ((sure, sure), (1.38, 1.387))):
        log = torch.cat(views).log()
        mean = log.exp().mean(0)
        bound = -(views_disagreement(log).mean() + imbalance(log.exp(), mean).mean()).item()
        assert expected[0] < bound < expected[1]
        assert bound <= mutual_information(*(view.numpy() for view in views)) + 1e-4


def test_an_empty_component_costs_finite_numbers():
    assert imbalance(torch.eye(K), torch.tensor([1.0, 0, 0, 0])).isfinite().all()


def test_more_dead_components_than_points_are_rescued_as_far_as_points_go(prior):
    far = prior._replace(means=torch.full((K, D), 1e3))
    far.means[0] = 0
    revived = rescue(far, torch.zeros(2, D))
    assert (revived.means.abs().sum(1) == 0).sum() == 3


def test_what_a_stage_cannot_be_is_refused():
    for values in ({"share": 1.0}, {"share": -0.1}, {"n_init": 0}, {"consistency": -1}):
        with pytest.raises(ValueError, match=f"joint.{next(iter(values))} must"):
            dataclasses.replace(JointConfig(), **values)
