"""Starts of the joint stage: the best of several, which no label chooses."""

import numpy as np
import pytest
import torch

from vaegmm.config import JointConfig
from vaegmm.training.joint import TrainedPrior, rescue
from vaegmm.training.start import starts


def four_blobs(seed=0):
    """Digits far apart in the first dimension, and a way of writing, farther, in the second."""
    generator = np.random.default_rng(seed)
    digit, writing = generator.integers(0, 2, (2, 2000))
    z = np.stack([6.0 * digit, 6.3 * writing], 1) + generator.normal(size=(2000, 2))
    other = np.stack([6.0 * digit, 6.3 * generator.integers(0, 2, 2000)], 1)
    other += generator.normal(size=(2000, 2))
    return torch.from_numpy(z).float(), torch.from_numpy(other).float(), digit


def first_prior(*args, **kwargs):
    return max(starts(*args, **kwargs), key=lambda start: start.merit).prior


def accuracy_of(prior, z, digit):
    components = prior.log_joint(z).argmax(-1).numpy()
    return max(np.mean(components == digit), np.mean(components != digit))


def test_views_find_the_split_that_the_likelihood_does_not():
    z, other, digit = four_blobs()
    config = JointConfig(n_components=2, n_init=4)
    assert accuracy_of(first_prior(z, None, config, seed=0), z, digit) < 0.6
    assert accuracy_of(first_prior(z, (z, other), config, seed=0), z, digit) > 0.95


def test_a_single_start_leaves_a_wrong_split_behind():
    z, other, digit = four_blobs()
    config = JointConfig(n_components=2, n_init=1)
    wrong = next(
        seed for seed in range(9) if accuracy_of(first_prior(z, None, config, seed), z, digit) < 0.6
    )
    assert accuracy_of(first_prior(z, (z, other), config, wrong), z, digit) > 0.95


def test_the_same_seed_gives_the_same_first_prior():
    z = four_blobs()[0]
    config = JointConfig(n_components=3, n_init=1)
    for views in (None, (z, z + 0.1)):
        one, same = (first_prior(z, views, config, seed=4) for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))


def test_no_component_closes_in_on_a_point():
    z = four_blobs()[0]
    z[:200] = z[0]  # many copies of one point
    prior = first_prior(z, None, JointConfig(n_components=4, n_init=1), seed=0)
    # The standard deviation is nowhere below the root of what is added to every variance.
    assert torch.linalg.matrix_norm(prior.precisions_cholesky, ord=2).max() < 1 / 0.0316


def test_weights_sum_to_one_and_have_logarithms():
    z = four_blobs()[0]
    fitted = first_prior(z, None, JointConfig(n_components=50, n_init=1), seed=0)
    assert fitted.weights.sum().item() == pytest.approx(1, abs=1e-6)
    assert fitted.weights.log().isfinite().all()


def test_a_trained_prior_finds_the_clusters_by_gradient():
    points = four_blobs()[0]
    trained = TrainedPrior(4, 2)
    trained.take(first_prior(points, None, JointConfig(n_components=4, n_init=1), seed=0))
    with torch.no_grad():
        trained.means += 0.5
    optimizer = torch.optim.Adam(trained.parameters(), lr=0.05)
    before = trained().log_joint(points).logsumexp(-1).mean().item()
    for _ in range(60):
        optimizer.zero_grad()
        loss = -trained().log_joint(points).logsumexp(-1).mean()
        loss.backward()
        optimizer.step()
    best = (
        -first_prior(points, None, JointConfig(n_components=4, n_init=4), seed=0)
        .log_joint(points)
        .logsumexp(-1)
        .mean()
    )
    assert -before > loss.item() == pytest.approx(best.item(), abs=0.02)


def test_a_dead_component_is_rescued_and_a_living_mixture_left_alone():
    z = four_blobs()[0]
    prior = first_prior(z, None, JointConfig(n_components=4, n_init=1), seed=0)
    assert rescue(prior, z) is prior
    dead = prior._replace(means=torch.cat([prior.means[:2], torch.full((2, 2), 1e4)]))
    revived = rescue(dead, z)
    assert all(part.isfinite().all() for part in revived)
    assert revived.weights.sum().item() == pytest.approx(1)
    assert revived.log_joint(z).softmax(-1).mean(0).min() > 1e-3
    torch.testing.assert_close(revived.means[:2], dead.means[:2])
