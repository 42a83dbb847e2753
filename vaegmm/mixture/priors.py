"""What keeps covariances away from zero: a ridge, or a prior over means and covariances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from vaegmm.mixture.covariance import Covariance
from vaegmm.mixture.em import Parameters, Statistics, m_step
from vaegmm.mixture.values import tensor


class Regulariser(Protocol):
    """How the M-step turns statistics into parameters, and what it adds to the likelihood."""

    def maximise(self, statistics: Statistics) -> Parameters:
        """The M-step."""

    def log_density(self, parameters: Parameters) -> Tensor:
        """What the M-step maximises besides the log-likelihood of all points, in nats."""

    def too_weak(self) -> str:
        """What must change where a covariance stops being positive definite."""


@dataclass(frozen=True)
class Ridge:
    """`reg_covar` is added to every variance: no prior, as scikit-learn does."""

    reg_covar: float

    def maximise(self, statistics: Statistics) -> Parameters:
        return m_step(statistics, self.reg_covar)

    def log_density(self, parameters: Parameters) -> Tensor:
        return parameters.weights.new_zeros(())

    def too_weak(self) -> str:
        return (
            "reg_covar must be large enough to keep every covariance positive definite; got "
            f"reg_covar={self.reg_covar}. Raise reg_covar"
        )


@dataclass(frozen=True)
class NormalInverseWishart:
    """A prior over the mean and the covariance of every component; the same for all.

    mean | Sigma ~ N(m, Sigma / strength),  Sigma ~ inverse Wishart(degrees of freedom, scale)

    EM then climbs to the most probable mixture instead of the most likely one. Where every axis,
    or every component, has one variance of its own, that has the distribution of one dimension.

    Args:
        mean: m, shape (D,); None: the mean of the data.
        strength: how many points the prior mean counts for.
        degrees_of_freedom: more than D - 1; None: D + 2, the least with a finite mean (3 where
            variances stand alone).
        scale: in the shape of one component's covariance, (D, D), (D,) or a number; None: the
            covariance of the data divided by K^(2/D), so that K of them fill the space.

    Source: Fraley and Raftery, Bayesian regularization for normal mixture estimation, 2007.
    """

    mean: Any = None
    strength: float = 0.01
    degrees_of_freedom: float | None = None
    scale: Any = None

    def resolved(
        self, points: Tensor, weights: Tensor, n_components: int, covariance: Covariance
    ) -> Penalty:
        """This prior for given data.

        Args:
            points: some that stand for all, shape (n, D).
            weights: theirs, shape (n,).
            n_components: K.
            covariance: the type.

        Raises:
            ValueError: if shapes or ranges are wrong.
        """
        x, weights = points.double(), weights.double() / weights.double().sum()
        dimension = x.shape[1]
        middle = weights @ x
        mean = middle if self.mean is None else tensor(self.mean).to(x.device, torch.float64)
        centred = x - middle
        spread: Tensor = (centred * weights[:, None]).mT @ centred
        own = covariance.shape(1, dimension)  # (1, D, D), (D, D), (1, D) or (1,)
        shape = own if covariance.name == "tied" else own[1:]
        alone = len(shape) < 2  # variances that stand alone
        if self.scale is not None:
            scale = tensor(self.scale).to(x.device, torch.float64)
        else:
            scale = spread.diagonal() if alone else spread
            scale = (scale.mean() if not shape else scale) / n_components ** (2 / dimension)
        least = 0 if alone else dimension - 1
        degrees = self.degrees_of_freedom
        if degrees is None:
            degrees = least + 3
        if mean.shape != (dimension,) or scale.shape != shape:
            raise ValueError(
                f"prior must have a mean of shape {(dimension,)} and a scale of shape {shape}; got "
                f"mean.shape={tuple(mean.shape)}, scale.shape={tuple(scale.shape)}."
            )
        if not (self.strength > 0 and degrees > least):
            raise ValueError(
                f"prior must have a strength above 0 and more than {least} degrees of freedom; got "
                f"strength={self.strength}, degrees_of_freedom={degrees}."
            )
        root = covariance.precisions_cholesky(scale if covariance.name == "tied" else scale[None])
        if not root.isfinite().all():
            raise ValueError(
                "prior must have a positive definite scale; got one that isn't. Give one, or "
                "remove constant columns."
            )
        return Penalty(covariance, mean, float(self.strength), float(degrees), scale)


@dataclass(frozen=True)
class Penalty:
    """A `NormalInverseWishart` whose numbers are settled."""

    covariance: Covariance
    mean: Tensor
    strength: float
    degrees_of_freedom: float
    scale: Tensor

    def maximise(self, statistics: Statistics) -> Parameters:
        """The most probable parameters, given expected counts and moments.

        The scale, the scatter of the points and that of the means about the prior's mean are added
        up; the sum is divided by the exponent of the variance in the density.
        """
        counts, covariance = statistics.counts, self.covariance
        n_components, dimension = statistics.means.shape
        strength, shift = self.strength, statistics.means - self.mean
        safe = counts[:, None] + strength
        means = (counts[:, None] * statistics.means + strength * self.mean) / safe
        # Scatter of each component's mean, per component: (K, D, D) or (K, D).
        pull = counts * strength / (counts + strength)
        if covariance.name in ("full", "tied"):
            outer = shift[:, :, None] * shift[:, None]
            between = pull[:, None, None] * outer
            size, rest = 1, dimension + 2
        else:
            between = pull[:, None] * shift.square()
            size, rest = 1, 3
        if covariance.name == "spherical":
            between, size, rest = between.sum(-1), dimension, dimension + 2
        if covariance.name == "tied":
            exponent = counts.sum() + self.degrees_of_freedom + dimension + 1 + n_components
            scatter = counts.sum() * statistics.covariances + between.sum(0)
        else:
            exponent = counts * size + self.degrees_of_freedom + rest
            exponent = exponent.view(-1, *[1] * (between.ndim - 1))
            own = counts.view(-1, *[1] * (between.ndim - 1))
            scatter = size * own * statistics.covariances + between
        covariances = (scatter + self.scale) / exponent
        return Parameters(
            covariance,
            counts / counts.sum(),
            means,
            covariances,
            covariance.precisions_cholesky(covariances),
        )

    def log_density(self, parameters: Parameters) -> Tensor:
        """Log density of the means and covariances, in nats."""
        covariance, nu = self.covariance, self.degrees_of_freedom
        dimension = parameters.means.shape[1]
        roots = parameters.spread(parameters.precisions_cholesky)
        shift = parameters.means - self.mean
        log_roots = covariance.log_determinants(roots)  # log |P|, (K,)
        if covariance.name in ("full", "tied"):
            distance = (roots.mT @ shift[..., None])[..., 0].square().sum(-1)
        else:
            distance = (roots * shift).square().sum(-1)
        normal = 0.5 * dimension * math.log(self.strength / (2 * math.pi)) + log_roots
        total = (normal - 0.5 * self.strength * distance).sum()
        own = parameters.precisions_cholesky
        if covariance.name in ("full", "tied"):
            own_log_roots = log_roots if covariance.name == "full" else log_roots[:1]
            trace = (own.mT @ self.scale @ own).diagonal(dim1=-2, dim2=-1).sum(-1)
            constant = (
                0.5 * nu * torch.linalg.slogdet(self.scale).logabsdet
                - 0.5 * nu * dimension * math.log(2)
                - torch.mvlgamma(self.scale.new_tensor(nu / 2), dimension)
            )
            density = (nu + dimension + 1) * own_log_roots - 0.5 * trace + constant
        else:
            constant = 0.5 * nu * (self.scale / 2).log() - torch.lgamma(
                self.scale.new_tensor(nu / 2)
            )
            density = (nu + 2) * own.log() - 0.5 * self.scale * own.square() + constant
        return total + density.sum()

    def too_weak(self) -> str:
        return (
            "prior must be strong enough to keep every covariance positive definite; got a scale "
            "too small for the data. Raise its scale"
        )
