"""The PCA projection in which the latent space is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
        # An axis has no sign of its own: fix one, so that the same latents give the same picture.
        largest = np.abs(components).argmax(1)
        signs = np.sign(components[np.arange(len(components)), largest])
        return cls(
            mean=latents.mean(0),
            components=components * signs[:, None],
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
