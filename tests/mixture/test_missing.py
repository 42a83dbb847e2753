"""Missing numbers: against brute force, and EM that still climbs."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import TYPES, some_mixture, spoilt
from scipy.stats import multivariate_normal

from vaegmm.mixture import ConvergenceWarning, GaussianMixture, as_matrices


def by_hand(mixture, row):
    """Log joint (K,) of what is observed of a point, and what is missing by component, (K, M)."""
    seen = ~np.isnan(row)
    covariances = as_matrices(mixture.covariances_, mixture)
    log_joint, expected = [], []
    for weight, mean, covariance in zip(mixture.weights_, mixture.means_, covariances, strict=True):
        shift = row[seen] - mean[seen]
        density = 0.0
        if seen.any():
            density = multivariate_normal.logpdf(row[seen], mean[seen], covariance[seen][:, seen])
        gain = covariance[~seen][:, seen] @ np.linalg.inv(covariance[seen][:, seen])
        log_joint.append(np.log(weight) + density)
        expected.append(mean[~seen] + gain @ shift)
    return np.array(log_joint), np.array(expected)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_marginals_and_conditional_means_are_those_computed_by_hand(covariance_type):
    mixture, (holes, _) = some_mixture(covariance_type), spoilt(60)
    holes[7] = np.nan  # nothing is known of this one
    log_joint, expected = zip(*(by_hand(mixture, row) for row in holes), strict=True)
    log_joint = np.array(log_joint)
    total = np.logaddexp.reduce(log_joint, axis=1)
    probabilities = np.exp(log_joint - total[:, None])
    np.testing.assert_allclose(mixture.score_samples(holes), total, atol=1e-9)
    np.testing.assert_allclose(mixture.predict_proba(holes), probabilities, atol=1e-9)
    assert (mixture.predict(holes) == probabilities.argmax(1)).all()
    assert mixture.score(holes) == pytest.approx(total.mean(), abs=1e-9)
    imputed = mixture.impute(holes)
    for row, full, p, means in zip(holes, imputed, probabilities, expected, strict=True):
        np.testing.assert_array_equal(full[~np.isnan(row)], row[~np.isnan(row)])
        np.testing.assert_allclose(full[np.isnan(row)], p @ means, atol=1e-9)
    tensors = mixture.impute(torch.from_numpy(holes))
    np.testing.assert_array_equal(tensors.numpy(), imputed)


@settings(max_examples=25, deadline=None)
@given(
    covariance_type=st.sampled_from(TYPES),
    dimension=st.integers(1, 4),
    n_components=st.integers(1, 3),
    share=st.floats(0, 0.8),
    weighted=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_likelihood_never_falls_whatever_is_missing(
    covariance_type, dimension, n_components, share, weighted, seed
):
    holes, _ = spoilt(40, dimension, share, seed)
    rng = np.random.default_rng(seed)
    weights = rng.exponential(size=len(holes)) if weighted else None
    mixture = GaussianMixture(
        n_components, covariance_type=covariance_type, tol=0, max_iter=12, reg_covar=0,
        init_params="kmeans", history=True,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            mixture.fit(holes, sample_weight=weights)
        except (ValueError, UserWarning):  # a component closed in on a point, or emptied
            assume(False)
    assert np.diff(mixture.lower_bounds_).min(initial=0) >= -1e-9
    then = GaussianMixture.from_parameters(*mixture.history_[3], covariance_type)
    bound = np.average(then.score_samples(holes), weights=weights)
    assert mixture.lower_bounds_[3] == pytest.approx(bound, abs=1e-8)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_complete_points_are_fitted_the_same_by_patterns(covariance_type):
    """A hole in a point that weighs nothing sends all of them the longer way."""
    _, z = spoilt()
    start = {"means_init": z[:3], "covariance_type": covariance_type, "tol": 0, "max_iter": 8}
    plain = GaussianMixture(3, **start).fit(z)
    holes = np.concatenate([z, [[np.nan] * 3]])
    weights = np.append(np.ones(len(z)), 0)
    by_pattern = GaussianMixture(3, **start).fit(holes, sample_weight=weights)
    np.testing.assert_allclose(by_pattern.means_, plain.means_, rtol=1e-8)
    np.testing.assert_allclose(by_pattern.covariances_, plain.covariances_, rtol=1e-7, atol=1e-9)


def test_what_is_missing_at_random_costs_little():
    holes, z = spoilt(1500, 3, 0.25)
    complete, fitted = GaussianMixture(3).fit(z), GaussianMixture(3).fit(holes)
    assert fitted.score(z) > complete.score(z) - 0.02
    error = (fitted.impute(holes) - z)[np.isnan(holes)]
    by_mean = (np.nanmean(holes, 0) - z)[np.isnan(holes)]
    assert error.std() < 0.7 * by_mean.std()


def test_a_column_of_which_nothing_is_known_is_refused():
    with pytest.raises(ValueError, match="X must have at least one number in every column; got no"):
        GaussianMixture(2).fit(np.array([[1.0, np.nan], [2.0, np.nan], [4.0, np.nan]]))


def test_blocks_with_holes_are_fitted_as_one():
    holes, _ = spoilt()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        whole, parts = (GaussianMixture(3, max_iter=5).fit(x) for x in (holes, np.split(holes, 4)))
    np.testing.assert_array_equal(whole.means_, parts.means_)
