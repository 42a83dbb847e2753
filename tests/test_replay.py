"""A model's own fit, gone through once more."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from vaegmm import VAEGMM, GaussianMixture
from vaegmm.browser.fit_blob import MOST_BYTES, fit_blob
from vaegmm.mixture import as_matrices
from vaegmm.replay import replay


def test_the_fit_that_is_played_ends_with_the_mixture_that_is_used(small_model: VAEGMM) -> None:
    recording, is_onwards = replay(small_model)
    mixture = small_model.mixture
    assert not is_onwards
    np.testing.assert_allclose(recording.means[-1], mixture.means_, atol=1e-9)
    np.testing.assert_allclose(recording.log_likelihoods[:-1], mixture.lower_bounds_)


@pytest.mark.parametrize("n_components", [3, 12])
def test_another_mixture_is_played_from_its_own_start(
    small_model: VAEGMM, n_components: int
) -> None:
    other = small_model.refit(n_components, history=True)
    recording, is_onwards = replay(other)
    assert not is_onwards
    np.testing.assert_array_equal(recording.means[-1], other.mixture.means_)
    assert recording.log_likelihoods[-2] == pytest.approx(other.mixture.lower_bound_)


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_what_was_changed_by_hand_is_where_em_goes_on(
    small_model: VAEGMM, covariance_type: str
) -> None:
    other = small_model.refit(4, n_init=1, covariance_type=covariance_type)
    changed = copy.copy(other)
    mixture = other.mixture
    changed.mixture = GaussianMixture.from_parameters(
        mixture.weights_, mixture.means_ + 0.3, mixture.covariances_, covariance_type
    )
    changed.forget_derived()
    recording, is_onwards = replay(changed)
    assert is_onwards
    np.testing.assert_allclose(recording.means[0], changed.mixture.means_)
    np.testing.assert_allclose(
        recording.covariances[0], as_matrices(mixture.covariances_, mixture), atol=1e-9
    )


def test_a_block_stays_small_and_says_which_iterations_it_holds(small_model: VAEGMM) -> None:
    other = small_model.refit(60, n_init=1, history=True, tol=0.0, max_iter=260)
    recording, _ = replay(other)
    block = fit_blob(other, recording)
    assert len(block) < MOST_BYTES + 20_000
    header = json.loads(block[24 : 24 + int.from_bytes(block[16:20], "little")])
    assert header["n_iterations"] == 260 and header["n_frames"] < 261
    assert block == fit_blob(other, recording)
