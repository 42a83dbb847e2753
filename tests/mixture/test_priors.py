"""A prior over the components: its density, its maximum, and EM that climbs to it."""

import math
import pickle
import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import TYPES, some_mixture, spoilt
from scipy.stats import invgamma, invwishart, multivariate_normal, norm
from sklearn.base import clone

from vaegmm.mixture import ConvergenceWarning, GaussianMixture, NormalInverseWishart
from vaegmm.mixture.covariance import COVARIANCES
from vaegmm.mixture.em import Parameters, e_step


def penalty_and_parameters(covariance_type):
    """A prior of which every number is set, and a mixture."""
    scale = np.array([[2.0, 0.3, 0.0], [0.3, 1.0, 0.1], [0.0, 0.1, 0.5]])
    own = {"diag": scale.diagonal(), "spherical": 0.7}.get(covariance_type, scale)
    prior = NormalInverseWishart([0.5, 0.0, -1.0], 0.8, 6.0, own)
    points = torch.from_numpy(spoilt()[1])
    resolved = prior.resolved(points, torch.ones(len(points)), 2, COVARIANCES[covariance_type])
    mixture = some_mixture(covariance_type)
    parts = (mixture.weights_, mixture.means_, mixture.covariances_)
    parameters = Parameters.of(covariance_type, *(torch.from_numpy(np.array(p)) for p in parts))
    return resolved, parameters, points


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_density_is_scipys(covariance_type):
    penalty, parameters, _ = penalty_and_parameters(covariance_type)
    mean, scale = penalty.mean.numpy(), penalty.scale.numpy()
    means, covariances = parameters.means.numpy(), parameters.covariances.numpy()
    total = 0.0
    for k in range(2):
        if covariance_type in ("full", "tied"):
            covariance = covariances[k] if covariance_type == "full" else covariances
            total += multivariate_normal.logpdf(means[k], mean, covariance / 0.8)
            if covariance_type == "full" or k == 0:
                total += invwishart.logpdf(covariance, 6, scale)
        else:
            variances = np.broadcast_to(covariances[k], 3)
            total += norm.logpdf(means[k], mean, np.sqrt(variances / 0.8)).sum()
            own = np.atleast_1d(covariances[k])
            total += invgamma.logpdf(own, 3, scale=np.broadcast_to(scale, own.shape) / 2).sum()
    assert penalty.log_density(parameters).item() == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_m_step_is_the_maximum(covariance_type):
    """The expected log-likelihood plus the log prior falls in whatever direction one goes."""
    penalty, parameters, points = penalty_and_parameters(covariance_type)
    statistics = e_step(points, parameters)

    def objective(p):
        shift = statistics.means - p.means
        found, own = p.spread(statistics.covariances), p.spread(p.covariances)
        if found.ndim == 3:
            second = found + shift[:, :, None] * shift[:, None]
            fit = torch.linalg.solve(own, second).diagonal(dim1=1, dim2=2).sum(1)
            volume = torch.logdet(own)
        else:
            fit, volume = ((found + shift.square()) / own).sum(1), own.log().sum(1)
        return (-0.5 * statistics.counts * (fit + volume)).sum() + penalty.log_density(p)

    best = penalty.maximise(statistics)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        moved = best.means + 1e-3 * torch.randn(best.means.shape, generator=generator).double()
        factor = 1 + 2e-3 * torch.randn((), generator=generator).double()
        for means, covariances in (
            (moved, best.covariances),
            (best.means, factor * best.covariances),
        ):
            other = Parameters.of(covariance_type, best.weights, means, covariances)
            assert objective(other) < objective(best)


@settings(max_examples=20, deadline=None)
@given(
    covariance_type=st.sampled_from(TYPES),
    missing=st.booleans(),
    strength=st.sampled_from([1e-3, 1.0, 30.0]),
    seed=st.integers(0, 2**16),
)
def test_the_penalised_likelihood_never_falls(covariance_type, missing, strength, seed):
    z = spoilt(30, 2, 0.3, seed)[0 if missing else 1]
    mixture = GaussianMixture(
        3, covariance_type=covariance_type, prior=NormalInverseWishart(strength=strength),
        init_params="kmeans", tol=0, max_iter=15,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            mixture.fit(z)
        except UserWarning:  # a component emptied
            assume(False)
    assert np.diff(mixture.lower_bounds_).min(initial=0) >= -1e-9


def test_copies_of_one_point_keep_a_covariance():
    z = np.repeat([[0.0, 0.0], [5.0, 5.0], [9.0, 1.0]], 20, axis=0)
    prior = NormalInverseWishart()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(3, prior=prior, reg_covar=0.1).fit(z)
    assert np.linalg.eigvalsh(mixture.covariances_).min() > 0.01
    assert clone(mixture).prior == prior
    again = pickle.loads(pickle.dumps(mixture))
    assert (again.partial_fit(z).means_ == mixture.partial_fit(z).means_).all()


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (NormalInverseWishart(mean=[0.0]), r"prior must have a mean of shape \(2,\)"),
        (NormalInverseWishart(strength=0.0), "prior must have a strength above 0"),
        (NormalInverseWishart(degrees_of_freedom=1.0), "more than 1 degrees of freedom"),
        (NormalInverseWishart(scale=-np.eye(2)), "prior must have a positive definite scale"),
    ],
)
def test_priors_out_of_range_are_refused(prior, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(2, prior=prior).fit(spoilt(20, 2)[1])


def test_the_defaults_are_those_of_the_source():
    points = torch.from_numpy(spoilt()[1])
    penalty = NormalInverseWishart().resolved(
        points, torch.ones(len(points)), 4, COVARIANCES["full"]
    )
    assert penalty.degrees_of_freedom == 5 and penalty.strength == 0.01
    expected = np.cov(points.numpy().T, bias=True) / 4 ** (2 / 3)
    np.testing.assert_allclose(penalty.scale.numpy(), expected)
    assert math.isfinite(GaussianMixture(4, prior=NormalInverseWishart()).fit(points).lower_bound_)
