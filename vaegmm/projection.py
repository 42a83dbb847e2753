"""The projections in which the latent space is looked at: principal axes and discriminants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

_DEPENDENT = 1e-6  # what is left of a unit vector that adds no direction to others


@dataclass(frozen=True)
class PCA:
    """Principal axes of the latent vectors, by falling variance.

    Attributes:
        mean: shape (D,).
        components: orthonormal axes in rows, shape (D, D); the largest entry of each is positive.
        explained_variance: variance along each axis, shape (D,).
    """

    mean: np.ndarray
    components: np.ndarray
    explained_variance: np.ndarray

    @classmethod
    def fit(cls, latents: np.ndarray) -> PCA:
        """Find the principal axes of latents, shape (N, D)."""
        latents = latents.astype(np.float64)
        covariance = np.atleast_2d(np.cov(latents, rowvar=False, bias=True))
        variances, axes = np.linalg.eigh(covariance)
        components = axes.T[::-1]
        return cls(
            mean=latents.mean(0),
            components=_with_signs(components),
            explained_variance=np.maximum(variances[::-1], 0),
        )

    @property
    def explained_variance_ratio(self) -> np.ndarray:
        """Share of the variance along each axis, shape (D,)."""
        return self.explained_variance / max(self.explained_variance.sum(), 1e-300)

    def transform(self, latents: np.ndarray, n_axes: int = 2) -> np.ndarray:
        """Project latents, shape (N, D), to the first axes, shape (N, n_axes) float32."""
        return ((latents - self.mean) @ self.components[:n_axes].T).astype(np.float32)

    def inverse_transform(self, points: np.ndarray) -> np.ndarray:
        """Return the latents at points of the projection, shape (N, n_axes) -> (N, D)."""
        points = np.asarray(points)
        return (self.mean + points @ self.components[: points.shape[1]]).astype(np.float32)


def discriminant_axes(
    weights: np.ndarray,
    means: np.ndarray,
    covariances: np.ndarray,
    groups: np.ndarray,
    n_axes: int = 2,
) -> np.ndarray:
    """Find the axes along which the groups of a mixture's components are furthest apart.

    Linear discriminants: the span of the first v with B v = lambda W v, where B is the covariance
    of the groups' means and W the mean covariance within a group, both of the mixture itself. At
    EM's fixed point these are the scatter matrices of the points it was fitted to, each shared out
    by its responsibilities. G groups have G - 1 discriminants; principal axes of the mixture
    follow.

    Args:
        weights: of the mixture, shape (K,).
        means: shape (K, D).
        covariances: as matrices, shape (K, D, D).
        groups: p(group | component), such as p(label | component), shape (K, G).
        n_axes: how many axes are wanted.

    Returns:
        Orthonormal axes in rows, shape (min(n_axes, D), D), the first discriminants first; the
        largest entry of each is positive.

    Source: Bishop, PRML, 4.1.6.
    """
    centred = means - weights @ means
    total = np.einsum("k,kij->ij", weights, covariances) + (centred.T * weights) @ centred
    shares = weights[:, None] * groups  # (K, G)
    masses = shares.sum(0)
    groups_at = (shares.T @ centred) / np.where(masses > 0, masses, 1)[:, None]  # (G, D)
    between = (groups_at.T * masses) @ groups_at
    n_discriminants = min(int((masses > 0).sum()) - 1, means.shape[1])
    # Relative to the whole instead of W: the same axes, and defined where a group has no width.
    discriminants = scipy.linalg.eigh(between, total)[1].T[::-1][:n_discriminants]
    principal = np.linalg.eigh(total)[1].T[::-1]
    axes: list[np.ndarray] = []
    for vector in (*discriminants, *principal):
        rest = vector / np.linalg.norm(vector)
        for axis in axes:
            rest = rest - (rest @ axis) * axis
        length = np.linalg.norm(rest)
        if length > _DEPENDENT and len(axes) < n_axes:
            axes.append(rest / length)
    return _with_signs(np.array(axes))


def _with_signs(axes: np.ndarray) -> np.ndarray:
    """Make the largest entry of each axis positive: the same latents give the same picture."""
    largest = np.abs(axes).argmax(1)
    return axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
