"""The mixture that a network is trained with, and what its components tell of an image's views."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor

from vaegmm.gaussian import log_multivariate_normal


class Prior(NamedTuple):
    """p(z): a mixture of K Gaussians, with precisions P Pᵀ."""

    weights: Tensor  # (K,)
    means: Tensor  # (K, D)
    precisions_cholesky: Tensor  # (K, D, D)

    def log_joint(self, z: Tensor) -> Tensor:
        """Compute log p(z, k) in nats for points of shape (N, D), shape (N, K)."""
        log_densities = log_multivariate_normal(z, self.means, self.precisions_cholesky)
        return self.weights.log() + log_densities

    def as_start(self) -> dict[str, np.ndarray]:
        """Return the parameters from which a GaussianMixture begins EM with this mixture."""
        weights, means, roots = (part.cpu().double() for part in self)
        return {
            "weights_init": (weights / weights.sum()).numpy(),
            "means_init": means.numpy(),
            "precisions_init": (roots @ roots.mT).numpy(),
        }


def information(prior: Prior, one: Tensor, other: Tensor) -> float:
    """Measure what the components of two views tell of each other, in nats, at most log K.

    Args:
        prior: the mixture.
        one: z of one view of each image, shape (N, D).
        other: z of another view of the same images, shape (N, D).
    """
    views = (prior.log_joint(view).softmax(-1).cpu().numpy() for view in (one, other))
    return mutual_information(*views)


def mutual_information(one: np.ndarray, other: np.ndarray) -> float:
    """Mutual information of two views' components in nats, at most log K.

    I = sum_jk P_jk log(P_jk / (P_j P_k)), with P the mean of r r'ᵀ over the images, symmetrised.

    Args:
        one: responsibilities of one view of each image, shape (N, K).
        other: those of another view of the same images, shape (N, K).

    Source: Ji, Henriques and Vedaldi, Invariant Information Clustering, 2019.
    """
    together = one.T @ other / len(one)
    together = (together + together.T) / 2
    present = together > 0
    log_alone = np.log(together.sum(0), where=present.any(0), out=np.zeros(len(together)))
    # Not the logarithm of a quotient: the product of two small shares is zero in single precision.
    gain = np.log(together[present]) - np.add.outer(log_alone, log_alone)[present]
    return float((together[present] * gain).sum())
