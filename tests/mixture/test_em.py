"""The E-step and the M-step as functions: against sums written out, and where digits cancel."""

import numpy as np
import pytest
import torch

import vaegmm.mixture.em
from vaegmm.gaussian import log_multivariate_normal
from vaegmm.mixture.covariance import COVARIANCES
from vaegmm.mixture.em import Evaluator, Parameters, Walk, e_step, m_step

TYPES = ["full", "tied", "diag", "spherical"]


def mixture(covariance_type, n_components=3, dimension=2, seed=0, spread=1.0):
    """Some mixture, float64."""
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(n_components, dimension, dimension))
    full = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(dimension)
    variances = full.diagonal(axis1=1, axis2=2)
    covariances = {
        "full": full,
        "tied": full.mean(0),
        "diag": variances,
        "spherical": variances.mean(1),
    }[covariance_type]
    parts = (
        rng.dirichlet(np.ones(n_components)),
        spread * rng.normal(size=(n_components, dimension)),
    )
    return Parameters.of(covariance_type, *map(torch.from_numpy, (*parts, covariances.copy())))


def matrices(parameters):
    """Covariances of any type as (K, D, D)."""
    spread = parameters.spread(parameters.covariances)
    return spread if spread.ndim == 3 else torch.diag_embed(spread)


def responsibilities(z, parameters):
    """What the E-step computes, written out: log-likelihood (N,) and p(k|z), (N, K)."""
    lower = torch.linalg.cholesky(matrices(parameters))
    joint = log_multivariate_normal(z, parameters.means, torch.linalg.inv(lower).mT)
    joint = joint + parameters.weights.log()
    return joint.logsumexp(1), joint.softmax(1)


def points(n_points=500, dimension=2, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n_points, dimension))) * 2 + 1


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_e_step_sums_what_responsibilities_say(covariance_type):
    z, parameters = points(), mixture(covariance_type)
    log_likelihood, r = responsibilities(z, parameters)
    statistics = e_step(z, parameters)
    counts, means = r.sum(0), (r.T @ z) / r.sum(0)[:, None]
    centred = z - means[:, None]
    own = torch.einsum("nk,kni,knj->kij", r, centred, centred)
    own = own / counts[:, None, None]
    expected = {
        "full": own,
        "tied": torch.einsum("k,kij->ij", counts / len(z), own),
        "diag": own.diagonal(dim1=1, dim2=2),
        "spherical": own.diagonal(dim1=1, dim2=2).mean(1),
    }[covariance_type]
    torch.testing.assert_close(statistics.log_likelihood, log_likelihood.mean())
    torch.testing.assert_close(statistics.counts, counts, rtol=1e-10, atol=0)
    torch.testing.assert_close(statistics.means, means, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(statistics.covariances, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_m_step_is_where_the_expected_likelihood_is_highest(covariance_type):
    """Small steps away from its result lower it."""
    z, parameters = points(), mixture(covariance_type)
    r = responsibilities(z, parameters)[1]
    best = m_step(e_step(z, parameters), reg_covar=0)

    def expected_log_likelihood(weights, means, covariances):
        other = Parameters.of(covariance_type, weights, means, covariances)
        lower = torch.linalg.cholesky(matrices(other))
        joint = log_multivariate_normal(z, means, torch.linalg.inv(lower).mT) + weights.log()
        return (r * joint).sum()

    highest = expected_log_likelihood(best.weights, best.means, best.covariances)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        change = [
            torch.randn(part.shape, generator=generator, dtype=part.dtype)
            for part in (best.weights, best.means, best.covariances)
        ]
        if change[2].ndim > 1 and covariance_type in ("full", "tied"):
            change[2] = change[2] + change[2].mT
        weights = (best.weights.log() + 1e-3 * change[0]).softmax(0)
        moved = best.means + 1e-3 * change[1], best.covariances + 1e-3 * change[2]
        assert expected_log_likelihood(weights, *moved) < highest


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("weighted", [False, True])
def test_own_frames_and_the_shared_one_agree(covariance_type, weighted):
    z, parameters = points(), mixture(covariance_type)
    weights = points(seed=3)[:, 0].exp() if weighted else None
    results = []
    for alone in ([], [1], [0, 1, 2]):
        walk = Walk([(z, weights)], parameters, z.dtype)
        evaluator = Evaluator(parameters, walk.frame, z.dtype, alone)
        results.append(e_step(walk, parameters, evaluator=evaluator))
    for other in results[1:]:
        for name in ("log_likelihood", "counts", "means", "covariances"):
            torch.testing.assert_close(
                getattr(other, name), getattr(results[0], name), rtol=1e-9, atol=1e-11
            )


def test_components_that_would_cancel_get_their_own_frame():
    z, parameters = points(), mixture("full")
    thin = matrices(parameters).clone()
    thin[1] *= 1e-8
    parameters = Parameters.of("full", parameters.weights, parameters.means, thin)
    walk = Walk([(z, None)], parameters, torch.float64)
    assert walk.evaluator(parameters).alone == [1]
    near = parameters.means[1] + 1e-4 * points(5)
    expected, _ = responsibilities(near, parameters)
    walk = Walk([(near, None)], parameters, torch.float64)
    torch.testing.assert_close(
        e_step(walk, parameters).log_likelihood, expected.mean(), rtol=1e-12, atol=1e-12
    )


def test_float32_points_are_computed_with_in_float64_when_many_components_need_it():
    z, parameters = points().float(), mixture("full", spread=3.0)
    tight = Parameters.of("full", parameters.weights, parameters.means, 1e-5 * matrices(parameters))
    walk = Walk([(z, None)], parameters, torch.float32)
    assert walk.evaluator(parameters).alone == [] and walk.dtype == torch.float32
    assert len(walk.evaluator(tight).alone) < 3 and walk.dtype == torch.float64
    expected, _ = responsibilities(z.double(), tight)
    torch.testing.assert_close(
        e_step(walk, tight).log_likelihood, expected.mean(), rtol=1e-9, atol=0
    )


@pytest.mark.parametrize("covariance_type", TYPES)
def test_features_and_coefficients_make_the_log_density(covariance_type):
    covariance, parameters, z = COVARIANCES[covariance_type], mixture(covariance_type), points()
    frame = parameters.whitening()
    y = covariance.transform(frame, z.mT)
    torch.testing.assert_close(covariance.restore(frame, y.mT), z)
    phi = covariance.features(y)
    assert phi.shape == (covariance.n_features(2), len(z))
    weights = points(seed=5)[:, 0].exp()
    torch.testing.assert_close(covariance.weighted_features(y, weights), phi @ weights)
    theta, amplification = covariance.theta(
        frame,
        torch.zeros(3, dtype=torch.float64),
        parameters.means,
        parameters.spread(parameters.covariances),
        parameters.spread(parameters.precisions_cholesky),
    )
    precision = torch.linalg.inv(matrices(parameters))
    centred = z - parameters.means[:, None]
    expected = -0.5 * torch.einsum("kni,kij,knj->kn", centred, precision, centred)
    torch.testing.assert_close(theta @ phi, expected, rtol=1e-10, atol=1e-10)
    assert (amplification >= 1).all()


@pytest.mark.parametrize("covariance_type", TYPES)
def test_whitening_makes_the_mixture_standard(covariance_type):
    parameters = mixture(covariance_type, dimension=3)
    covariance, frame = parameters.covariance, parameters.whitening()
    means = covariance.transform(frame, parameters.means.mT)
    torch.testing.assert_close(means @ parameters.weights, torch.zeros(3).double())
    scale = frame.scale if frame.scale.ndim == 2 else torch.diag(frame.scale)
    inside = torch.einsum("k,kij->ij", parameters.weights, matrices(parameters))
    total = scale.mT @ inside @ scale + means * parameters.weights @ means.mT
    torch.testing.assert_close(total.diagonal(), torch.ones(3).double())


def test_far_points_leave_no_denormal_responsibilities(monkeypatch):
    """They would make the products many times slower; e^-60 of a point moves nothing."""
    seen = []
    original = Evaluator.sums

    def spy(self, chunk, r):
        seen.append(r.clone())
        return original(self, chunk, r)

    monkeypatch.setattr(Evaluator, "sums", spy)
    parameters = mixture("full", spread=30.0)
    for dtype in (torch.float32, torch.float64):
        seen.clear()
        e_step(torch.cat([points(), 1e3 * points()]).to(dtype), parameters)
        assert seen and all((r >= torch.finfo(r.dtype).tiny).all() for r in seen)


def test_features_are_kept_when_small_and_made_again_when_large(monkeypatch):
    z, parameters = points(5000), mixture("full")
    walks = []

    def source():
        walks.append(1)
        return iter([(z, None)])

    class Source:
        def __iter__(self):
            return source()

    walk = Walk(Source(), parameters, z.dtype)
    first, again = e_step(walk, parameters), e_step(walk, parameters)
    assert len(walks) == 1
    monkeypatch.setattr(vaegmm.mixture.em, "_KEEP", 10_000)
    walk = Walk(Source(), parameters, z.dtype)
    fresh, fresher = e_step(walk, parameters), e_step(walk, parameters)
    assert len(walks) == 3
    bounds = {s.log_likelihood.item() for s in (first, again, fresh, fresher)}
    assert len(bounds) == 1
