"""A recorded fit: every iteration as it was, and the bound that EM raises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from vaegmm import GaussianMixture
from vaegmm.mixture import record

TYPES = ["full", "tied", "diag", "spherical"]


@pytest.fixture(scope="module")
def z() -> np.ndarray:
    """Three groups of points in space, none of them round."""
    rng = np.random.default_rng(0)
    groups = [rng.normal(size=(150, 3)) * [1, 0.5, 2] + middle for middle in (0, 4, 7)]
    return np.concatenate(groups)


def fitted(z: np.ndarray, covariance_type: str = "full", **options: object) -> GaussianMixture:
    """A fit from random points that has kept its iterations."""
    settings = {"init_params": "random_from_data", "reg_covar": 1e-2, "history": True, **options}
    return GaussianMixture(4, covariance_type=covariance_type, **settings).fit(z)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_each_frame_is_what_a_fit_of_as_many_iterations_gives(
    z: np.ndarray, covariance_type: str
) -> None:
    mixture = fitted(z, covariance_type, max_iter=4, tol=0)
    recording = record(mixture, z)
    assert recording.numbers.tolist() == [0, 1, 2, 3, 4]
    for frame in (1, 3, 4):
        short = record(fitted(z, covariance_type, max_iter=frame, tol=0), z)
        np.testing.assert_array_equal(recording.means[frame], short.means[-1])
        np.testing.assert_array_equal(recording.covariances[frame], short.covariances[-1])
        assert recording.log_likelihoods[frame] == pytest.approx(short.log_likelihoods[-1])
    np.testing.assert_allclose(recording.means[-1], mixture.means_)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_lower_bound_is_that_of_the_points_one_by_one(
    z: np.ndarray, covariance_type: str
) -> None:
    recording = record(fitted(z, covariance_type, max_iter=6, tol=0), z)
    for t in (0, 2, 5):
        joint, after = (
            np.log(recording.weights[frame])
            + np.stack(
                [
                    multivariate_normal.logpdf(z, mean, covariance)
                    for mean, covariance in zip(
                        recording.means[frame], recording.covariances[frame], strict=True
                    )
                ],
                axis=1,
            )
            for frame in (t, t + 1)
        )
        q = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
        bound = (q * after - q * np.log(np.maximum(q, 1e-300))).sum(1).mean()
        assert recording.lower_bounds[t] == pytest.approx(bound, abs=1e-9)


def test_the_bound_lies_between_two_likelihoods(z: np.ndarray) -> None:
    recording = record(fitted(z, reg_covar=0.0), z)
    assert (recording.lower_bounds <= recording.log_likelihoods[1:] + 1e-12).all()
    assert (recording.lower_bounds >= recording.log_likelihoods[:-1] - 1e-12).all()


def test_an_iteration_that_reseeds_has_no_bound(z: np.ndarray) -> None:
    means = np.array([[0.0, 0, 0], [4, 4, 4], [7, 7, 7], [90, 90, 90]])
    mixture = GaussianMixture(4, means_init=means, history=True, max_iter=3, tol=0)
    with pytest.warns(UserWarning, match="reseeded"):
        recording = record(mixture.fit(z), z)
    assert np.isnan(recording.lower_bounds).tolist() == [True, False, False]


def test_a_long_fit_is_thinned_where_it_moves_least(z: np.ndarray) -> None:
    whole = record(fitted(z, max_iter=40, tol=0), z)
    thin = whole.thinned(10)
    assert len(thin.numbers) <= 10
    assert thin.numbers[:3].tolist() == [0, 1, 2] and thin.numbers[-1] == 40
    np.testing.assert_array_equal(thin.means, whole.means[thin.numbers])
    assert len(thin.log_likelihoods) == 41 and whole.thinned(41) is whole


def test_only_what_was_kept_can_be_recorded(z: np.ndarray) -> None:
    with pytest.raises(ValueError, match="history=True"):
        record(GaussianMixture(2).fit(z), z)
