"""How much the components of a mixture overlap."""

from __future__ import annotations

import numpy as np

from vaegmm.mixture.gaussian_mixture import GaussianMixture, as_matrices


def bhattacharyya(mixture: GaussianMixture, component: int) -> np.ndarray:
    """Compute the Bhattacharyya coefficient of one component with each, in [0, 1], shape (K,).

    The integral of sqrt(N_j N_k): 1 for the same Gaussian, 0 for two that share nothing. Weights
    have no say in it.

    Args:
        mixture: fitted.
        component: j, from 0 to K - 1.

    Source: Bhattacharyya, On a measure of divergence between two statistical populations, 1943;
    for Gaussians exp(-D), D = dᵀ S⁻¹ d / 8 + log(|S| / sqrt(|S_j| |S_k|)) / 2, S = (S_j + S_k) / 2.
    """
    means = np.asarray(mixture.means_, np.float64)
    covariances = as_matrices(np.asarray(mixture.covariances_, np.float64), mixture)
    between = (covariances + covariances[component]) / 2
    away = means - means[component]
    squares = np.einsum("ki,ki->k", away, np.linalg.solve(between, away[..., None])[..., 0])
    logs = np.linalg.slogdet(covariances)[1]
    spread = np.linalg.slogdet(between)[1] - (logs + logs[component]) / 2
    return np.exp(-squares / 8 - spread / 2)
