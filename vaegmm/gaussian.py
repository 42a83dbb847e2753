"""Log densities and divergences of Gaussians: tensors in, tensors out, all in nats."""

import math

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


def log_normal(z: Tensor, mean: Tensor | float, std: Tensor | float) -> Tensor:
    """Log density of a Gaussian with independent dimensions, summed over the last axis.

    log p(z) = -1/2 sum_d [ log 2 pi + 2 log std_d + ((z_d - mean_d) / std_d)^2 ]

    Args:
        z: points, shape (..., D).
        mean: anything that broadcasts against z.
        std: anything that broadcasts against z; positive.

    Returns:
        Log densities in nats, shape (...).
    """
    std = torch.as_tensor(std, dtype=z.dtype, device=z.device)
    standard = (z - mean) / std
    return -(0.5 * (standard.square() + LOG_2PI) + std.log()).sum(-1)


def log_multivariate_normal(z: Tensor, mean: Tensor, precisions_cholesky: Tensor) -> Tensor:
    """Log density of every point under every one of K Gaussians.

    With P the Cholesky factor of the precision, inv(Sigma) = P P^T,

    log p_k(z) = -1/2 [ D log 2 pi + |P_k^T (z - mean_k)|^2 ] + log |P_k|

    Args:
        z: points, shape (N, D).
        mean: means, shape (K, D).
        precisions_cholesky: upper triangular P, shape (K, D, D).

    Returns:
        Log densities in nats, shape (N, K).

    Source: scikit-learn's convention for `precisions_cholesky_`.
    """
    centred = z - mean[:, None]  # (K, N, D)
    distance = (centred @ precisions_cholesky).square().sum(-1)  # (K, N)
    log_determinant = precisions_cholesky.diagonal(dim1=-2, dim2=-1).log().sum(-1)  # (K,)
    return (log_determinant[:, None] - 0.5 * (z.shape[-1] * LOG_2PI + distance)).T


def kl_to_standard_normal(mean: Tensor, std: Tensor) -> Tensor:
    """KL divergence from N(mean, std^2) to N(0, 1), one dimension at a time.

    KL = 1/2 (mean^2 + std^2 - 1) - log std

    Args:
        mean: any shape.
        std: the same shape; positive.

    Returns:
        Nats, in the shape of `mean`: sum over the last axis for the divergence of a vector.

    Source: Kingma and Welling, Auto-Encoding Variational Bayes, appendix B.
    """
    return 0.5 * (mean.square() + std.square() - 1) - std.log()
