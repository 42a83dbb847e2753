"""Points with holes, and mixtures of known parameters, for several tests."""

import numpy as np

from vaegmm.mixture import GaussianMixture

TYPES = ["full", "tied", "diag", "spherical"]


def spoilt(n_points=120, dimension=3, share=0.3, seed=0):
    """Three clusters with holes in them, and the points without."""
    rng = np.random.default_rng(seed)
    centres = 4 * rng.normal(size=(3, dimension))
    root = rng.normal(size=(dimension, dimension)) / np.sqrt(dimension)
    z = centres[rng.integers(3, size=n_points)] + rng.normal(size=(n_points, dimension)) @ root
    holes = np.where(rng.random(z.shape) < share, np.nan, z)
    holes[0] = z[0]  # every column is seen
    return holes, z


def some_mixture(covariance_type, dimension=3, seed=0):
    """A mixture of two with random parameters."""
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(2, dimension, dimension))
    full = roots @ roots.transpose(0, 2, 1) + 0.5 * np.eye(dimension)
    covariances = {
        "full": full,
        "tied": full[0],
        "diag": full.diagonal(axis1=1, axis2=2),
        "spherical": full[:, 0, 0],
    }[covariance_type]
    means = 2 * rng.normal(size=(2, dimension))
    return GaussianMixture.from_parameters([0.3, 0.7], means, covariances, covariance_type)
