"""Parts of a mixture: some of its columns or components alone, and some columns given others."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vaegmm.gaussian import LOG_2PI
from vaegmm.mixture.covariance import Covariance
from vaegmm.mixture.em import Parameters


def marginal(
    parameters: Parameters, columns: Tensor, components: Tensor | None = None
) -> Parameters:
    """The distribution of some columns, by some components; their weights stay as they are.

    Args:
        parameters: the mixture.
        columns: which, at least one.
        components: which; None: all.
    """
    weights, means = parameters.weights, parameters.means
    covariances = parameters.spread(parameters.covariances)
    if components is not None:
        weights, means, covariances = (
            weights[components],
            means[components],
            covariances[components],
        )
    covariances = block(covariances, columns, columns)
    return _parameters(parameters.covariance, weights, means[:, columns], covariances)


class Regression(NamedTuple):
    """Some columns given others: mean + gain (given - mean of the given), and what is left.

    `gain` is (K, R, G), or None where no column tells of another; `residual` is the covariance of
    the rest, per component.
    """

    gain: Tensor | None
    residual: Tensor

    def expected(self, means: Tensor, shift: Tensor) -> Tensor:
        """The conditional means of every component, (K, R) or (n, K, R).

        Args:
            means: of the rest, (K, R).
            shift: the given less their means, (K, G) or (n, K, G).
        """
        if self.gain is None:
            return means.expand(*shift.shape[:-1], means.shape[-1])
        return means + (self.gain @ shift[..., None])[..., 0]


def regression(parameters: Parameters, given: Tensor, rest: Tensor) -> Regression:
    """How the rest of the columns follows from given ones, in every component.

    Sigma_rg inv(Sigma_gg) and Sigma_rr - Sigma_rg inv(Sigma_gg) Sigma_gr

    Source: Bishop, PRML, 2.3.1.
    """
    covariances = parameters.spread(parameters.covariances)
    if covariances.ndim == 2 or len(given) == 0:
        return Regression(None, block(covariances, rest, rest))
    across = block(covariances, rest, given)  # (K, R, G)
    lower = torch.linalg.cholesky(block(covariances, given, given))
    gain = torch.cholesky_solve(across.mT, lower).mT
    residual = block(covariances, rest, rest) - gain @ across.mT
    return Regression(gain, (residual + residual.mT) / 2)


def conditional(parameters: Parameters, given: Tensor, values: Tensor) -> Parameters:
    """The mixture of the rest of the columns, where some have given values.

    p(rest | given) = sum_k p(k | given) N(rest | mean and covariance of k given the values)

    Args:
        parameters: the mixture.
        given: which columns, shape (G,).
        values: theirs, shape (G,).
    """
    dimension = parameters.means.shape[1]
    rest = torch.tensor(
        [i for i in range(dimension) if i not in given.tolist()], device=values.device
    )
    known = marginal(parameters, given)
    log_joint = log_densities(known, values[None])[0] + known.weights.log()
    fit = regression(parameters, given, rest)
    means = fit.expected(parameters.means[:, rest], values - parameters.means[:, given])
    return _parameters(parameters.covariance, log_joint.softmax(0), means, fit.residual)


def log_densities(parameters: Parameters, x: Tensor) -> Tensor:
    """Log N(x | k) of a few points, (n, D) to (n, K), without a shared frame."""
    covariance = parameters.covariance
    roots = parameters.spread(parameters.precisions_cholesky)
    shift = x[:, None] - parameters.means  # (n, K, D)
    matrices = roots.ndim == 3
    whitened = (roots.mT @ shift[..., None])[..., 0] if matrices else roots * shift
    constants = covariance.log_determinants(roots) - 0.5 * x.shape[1] * LOG_2PI
    return constants - 0.5 * whitened.square().sum(-1)


def block(covariances: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Part of covariances per component: (K, R, C), or (K, R) where axes are independent."""
    if covariances.ndim == 2:
        return covariances[:, rows]
    return covariances[:, rows[:, None], columns]


def _parameters(
    covariance: Covariance, weights: Tensor, means: Tensor, covariances: Tensor
) -> Parameters:
    """Parameters from covariances per component, which the type has in common where it says so."""
    own = covariance.pool(covariances, weights)
    return Parameters(covariance, weights, means, own, covariance.precisions_cholesky(own))
