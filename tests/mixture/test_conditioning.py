"""Conditioning against densities: p(rest | given) = p(all) / p(given)."""

import numpy as np
import pytest
import torch
from oracles import TYPES, some_mixture


@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_conditional_times_what_is_given_is_the_whole(covariance_type):
    mixture = some_mixture(covariance_type, dimension=4)
    points = np.random.default_rng(1).normal(size=(5, 4))
    points[:, [3, 1]] = 0.4, -1.1
    conditional = mixture.condition({3: 0.4, 1: -1.1})
    given = np.full((1, 4), np.nan)
    given[:, [3, 1]] = 0.4, -1.1
    expected = mixture.score_samples(points) - mixture.score_samples(given)
    np.testing.assert_allclose(conditional.score_samples(points[:, [0, 2]]), expected, atol=1e-9)
    assert conditional.covariance_type == covariance_type
    np.testing.assert_allclose(
        conditional.weights_ @ conditional.means_, mixture.impute(given)[0, [0, 2]], atol=1e-9
    )


def test_nothing_given_is_the_mixture_itself():
    mixture = some_mixture("full")
    points = np.random.default_rng(1).normal(size=(5, 3))
    same = mixture.condition({})
    np.testing.assert_allclose(same.score_samples(points), mixture.score_samples(points))


def test_tensors_stay_tensors():
    mixture = some_mixture("diag")
    names = ("weights_", "means_", "covariances_", "precisions_cholesky_")
    for name in names:
        setattr(mixture, name, torch.from_numpy(np.array(getattr(mixture, name))))
    assert isinstance(mixture.condition({0: 1.0}).means_, torch.Tensor)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({5: 0.0}, r"given must name some of the columns 0 to 2, and leave one; got \[5\]"),
        ({0: 0.0, 1: 0.0, 2: 0.0}, "and leave one"),
        ({"x": 0.0}, "given must name some of the columns"),
        ({1: np.nan}, "given must have finite values; got"),
    ],
)
def test_what_cannot_be_given_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        some_mixture("full").condition(given)
