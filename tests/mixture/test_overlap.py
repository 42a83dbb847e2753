"""Bhattacharyya coefficients against the integral that they are."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from vaegmm.mixture import GaussianMixture, as_matrices, bhattacharyya


def mixture_of(covariance_type, covariances):
    means = np.array([[0.0, 0.0], [1.0, 0.5], [40.0, 0.0]])
    return GaussianMixture.from_parameters(
        np.array([0.5, 0.3, 0.2]), means, covariances, covariance_type=covariance_type
    )


@pytest.mark.parametrize(
    ("covariance_type", "covariances"),
    [
        ("full", np.array([[[1.0, 0.3], [0.3, 0.5]], [[0.4, -0.1], [-0.1, 2.0]], np.eye(2)])),
        ("diag", np.array([[1.0, 0.5], [0.4, 2.0], [1.0, 1.0]])),
        ("spherical", np.array([1.0, 0.5, 2.0])),
        ("tied", np.array([[1.0, 0.3], [0.3, 0.5]])),
    ],
)
def test_it_is_the_integral_of_the_roots(covariance_type, covariances):
    mixture = mixture_of(covariance_type, covariances)
    found = bhattacharyya(mixture, 0)
    line = np.linspace(-9, 10, 400)
    grid = np.stack(np.meshgrid(line, line), -1)
    one, other = (
        multivariate_normal(mean, covariance).pdf(grid)
        for mean, covariance in zip(
            mixture.means_[:2], as_matrices(mixture.covariances_, mixture)[:2], strict=True
        )
    )
    expected = np.sqrt(one * other).sum() * (line[1] - line[0]) ** 2
    np.testing.assert_allclose(found, [1, expected, 0], atol=1e-6)
