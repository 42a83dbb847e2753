"""What a Gaussian mixture must know about the shape of its covariances: one class a type.

A Gaussian log density is linear in a few features of the point. With full or tied covariances
they are phi(y) = [1, y, y_i y_j (i <= j)], with diagonal or spherical ones [1, y, y_i^2]. A class
builds those features, the coefficients theta of a component, and, the other way round, means and
covariances from the responsibility-weighted sums of phi.

"Own shape" below is that of scikit-learn's `covariances_`: (K, D, D) full, (D, D) tied, (K, D)
diag, (K,) spherical. "Per component" is (K, D, D) for the first two and (K, D) for the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor


class Frame(NamedTuple):
    """Affine coordinates y = scale^T (x - origin), in which features are well conditioned.

    `scale` and its inverse are matrices (D, D), or vectors (D,) where axes must not mix; a
    leading axis K holds one frame a component.
    """

    origin: Tensor
    scale: Tensor
    inverse: Tensor


class Covariance(ABC):
    """One covariance type. Points are columns here: y has shape (D, n)."""

    name: str
    #: Above this dimension the features of a point outgrow the caches, and a component at a
    #: time is as fast.
    largest_dimension: int

    @abstractmethod
    def shape(self, n_components: int, dimension: int) -> tuple[int, ...]:
        """Own shape of the covariances."""

    @abstractmethod
    def n_parameters(self, n_components: int, dimension: int) -> int:
        """Free parameters in the covariances, for BIC and AIC."""

    def spread(self, values: Tensor, n_components: int, dimension: int) -> Tensor:
        """Own shape to per component."""
        return values

    def pool(self, covariances: Tensor, counts: Tensor) -> Tensor:
        """Per component to own shape: what the M-step makes of the components' covariances."""
        return covariances

    @abstractmethod
    def regularise(self, covariances: Tensor, reg_covar: float) -> Tensor:
        """Add `reg_covar` to every variance; own shape."""

    @abstractmethod
    def precisions_cholesky(self, covariances: Tensor) -> Tensor:
        """P with inv(Sigma) = P P^T, own shape; NaN where Sigma isn't positive definite."""

    @abstractmethod
    def precisions(self, precisions_cholesky: Tensor) -> Tensor:
        """inv(Sigma) = P P^T, own shape."""

    @abstractmethod
    def invert(self, precisions: Tensor) -> Tensor:
        """Covariances from precisions, own shape; NaN where not positive definite."""

    @abstractmethod
    def n_features(self, dimension: int) -> int:
        """Length F of phi."""

    @abstractmethod
    def features(self, y: Tensor) -> Tensor:
        """Build phi of every point, (D, n) to (F, n)."""

    @abstractmethod
    def weighted_features(self, y: Tensor, responsibilities: Tensor) -> Tensor:
        """Sum phi over n points with weights, without building it: (D, n), (n,) to (F,)."""

    @abstractmethod
    def transform(self, frame: Frame, x: Tensor) -> Tensor:
        """Coordinates of points in one frame, (D, n) to (D, n)."""

    @abstractmethod
    def restore(self, frame: Frame, y: Tensor) -> Tensor:
        """Points from their coordinates in one frame; rows here, (n, D) to (n, D)."""

    @abstractmethod
    def whitening(self, weights: Tensor, means: Tensor, covariances: Tensor) -> Frame:
        """The frame in which the whole mixture has mean 0 and, about, covariance 1."""

    @abstractmethod
    def own_frames(self, means: Tensor, precisions_cholesky: Tensor) -> Frame:
        """K frames, in each of which one component is a standard normal."""

    @abstractmethod
    def log_determinants(self, precisions_cholesky: Tensor) -> Tensor:
        """Compute log |P| of every component, (K,), from P per component."""

    @abstractmethod
    def in_deviations(self, means: Tensor, precisions_cholesky: Tensor) -> Tensor:
        """|P|^T |mean|: how many standard deviations, at most, make up a mean; both (K, D)."""

    @abstractmethod
    def theta(
        self,
        frame: Frame,
        constants: Tensor,
        means: Tensor,
        covariances: Tensor,
        precisions_cholesky: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Coefficients of phi, and by how much they amplify a rounding error.

        c - 1/2 |P^T (y - m)|^2 = [c - 1/2 m^T A m, A m, -1/2 A] . phi(y)   with A = P P^T

        Near a component the terms on the right are up to trace(A) E|y|^2 in size and cancel to
        about D: that is the amplification.

        Args:
            frame: of the features.
            constants: c, shape (K,).
            means: m in the coordinates of the data, shape (K, D).
            covariances: per component.
            precisions_cholesky: P, per component.

        Returns:
            theta, shape (K, F), and the amplification, shape (K,).
        """

    @abstractmethod
    def moments(self, sums: Tensor, frames: Frame) -> tuple[Tensor, Tensor, Tensor]:
        """Counts (K,), means (K, D) and covariances per component from weighted sums of phi.

        Args:
            sums: shape (F, K), each column in its component's frame.
            frames: K frames.
        """


class Full(Covariance):
    """Every component has its own covariance matrix."""

    name = "full"
    largest_dimension = 32

    def shape(self, n_components: int, dimension: int) -> tuple[int, ...]:
        return (n_components, dimension, dimension)

    def n_parameters(self, n_components: int, dimension: int) -> int:
        return n_components * dimension * (dimension + 1) // 2

    def regularise(self, covariances: Tensor, reg_covar: float) -> Tensor:
        return covariances + reg_covar * _eye(covariances)

    def precisions_cholesky(self, covariances: Tensor) -> Tensor:
        lower, info = torch.linalg.cholesky_ex(covariances)
        lower = torch.where((info == 0)[..., None, None], lower, torch.nan)
        return torch.linalg.solve_triangular(lower, _eye(lower).expand_as(lower), upper=False).mT

    def precisions(self, precisions_cholesky: Tensor) -> Tensor:
        return precisions_cholesky @ precisions_cholesky.mT

    def invert(self, precisions: Tensor) -> Tensor:
        root = self.precisions_cholesky(precisions)
        return root @ root.mT

    def n_features(self, dimension: int) -> int:
        return 1 + dimension + dimension * (dimension + 1) // 2

    def features(self, y: Tensor) -> Tensor:
        dimension, n_points = y.shape
        phi = y.new_empty(self.n_features(dimension), n_points)
        phi[0] = 1
        phi[1 : 1 + dimension] = y
        row = 1 + dimension
        for i in range(dimension):
            torch.mul(y[i:], y[i], out=phi[row : row + dimension - i])
            row += dimension - i
        return phi

    def weighted_features(self, y: Tensor, responsibilities: Tensor) -> Tensor:
        i, j = _upper(len(y), y)
        weighted = y * responsibilities
        return torch.cat([responsibilities.sum()[None], weighted.sum(1), (weighted @ y.mT)[i, j]])

    def transform(self, frame: Frame, x: Tensor) -> Tensor:
        return frame.scale.mT @ (x - frame.origin[:, None])

    def restore(self, frame: Frame, y: Tensor) -> Tensor:
        return frame.origin + y @ frame.inverse

    def whitening(self, weights: Tensor, means: Tensor, covariances: Tensor) -> Frame:
        origin = weights @ means
        centred = means - origin
        total = torch.einsum("k,kij->ij", weights, covariances)
        total = total + centred.mT @ (weights[:, None] * centred)
        std = _positive(total.diagonal()).sqrt()
        # A direction with next to no variance isn't blown up to 1: its rounding errors would be,
        # too. Components that need more than this get a frame of their own.
        values, vectors = torch.linalg.eigh(total / (std[:, None] * std))
        root = values.clamp_min(1e-10).sqrt()
        return Frame(origin, vectors / std[:, None] / root, (root * vectors * std[:, None]).mT)

    def own_frames(self, means: Tensor, precisions_cholesky: Tensor) -> Frame:
        eye = _eye(precisions_cholesky).expand_as(precisions_cholesky)
        inverse = torch.linalg.solve_triangular(precisions_cholesky, eye, upper=True)
        return Frame(means, precisions_cholesky, inverse)

    def log_determinants(self, precisions_cholesky: Tensor) -> Tensor:
        return precisions_cholesky.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def in_deviations(self, means: Tensor, precisions_cholesky: Tensor) -> Tensor:
        return (precisions_cholesky.abs().mT @ means.abs()[..., None])[..., 0]

    def theta(
        self,
        frame: Frame,
        constants: Tensor,
        means: Tensor,
        covariances: Tensor,
        precisions_cholesky: Tensor,
    ) -> tuple[Tensor, Tensor]:
        m = (means - frame.origin) @ frame.scale  # (K, D)
        root = frame.inverse @ precisions_cholesky
        precision = root @ root.mT  # A, (K, D, D)
        linear = (precision @ m[..., None])[..., 0]
        constant = constants - 0.5 * (m * linear).sum(-1)
        i, j = _upper(m.shape[1], m)
        quadratic = torch.where(i == j, -0.5, -1.0).to(m) * precision[:, i, j]
        size = m.square().sum(-1) + ((covariances @ frame.scale) * frame.scale).sum((-2, -1))
        amplification = precision.diagonal(dim1=-2, dim2=-1).sum(-1) * size
        return torch.cat([constant[:, None], linear, quadratic], 1), amplification

    def moments(self, sums: Tensor, frames: Frame) -> tuple[Tensor, Tensor, Tensor]:
        dimension = frames.origin.shape[-1]
        counts, safe = _counts(sums)
        m = (sums[1 : 1 + dimension] / safe).mT  # (K, D)
        i, j = _upper(dimension, sums)
        second = sums.new_empty(len(counts), dimension, dimension)
        second[:, i, j] = second[:, j, i] = (sums[1 + dimension :] / safe).mT
        second -= m[:, :, None] * m[:, None]
        means = frames.origin + (m[:, None] @ frames.inverse)[:, 0]
        covariances = frames.inverse.mT @ second @ frames.inverse
        return counts, means, (covariances + covariances.mT) / 2


class Tied(Full):
    """All components share one covariance matrix."""

    name = "tied"

    def shape(self, n_components: int, dimension: int) -> tuple[int, ...]:
        return (dimension, dimension)

    def n_parameters(self, n_components: int, dimension: int) -> int:
        return dimension * (dimension + 1) // 2

    def spread(self, values: Tensor, n_components: int, dimension: int) -> Tensor:
        return values.expand(n_components, dimension, dimension)

    def pool(self, covariances: Tensor, counts: Tensor) -> Tensor:
        return torch.einsum("k,kij->ij", counts / counts.sum(), covariances)


class Diagonal(Covariance):
    """Every component has its own variance along every axis."""

    name = "diag"
    largest_dimension = 1024

    def shape(self, n_components: int, dimension: int) -> tuple[int, ...]:
        return (n_components, dimension)

    def n_parameters(self, n_components: int, dimension: int) -> int:
        return n_components * dimension

    def regularise(self, covariances: Tensor, reg_covar: float) -> Tensor:
        return covariances + reg_covar

    def precisions_cholesky(self, covariances: Tensor) -> Tensor:
        return torch.where(covariances > 0, covariances, torch.nan).rsqrt()

    def precisions(self, precisions_cholesky: Tensor) -> Tensor:
        return precisions_cholesky.square()

    def invert(self, precisions: Tensor) -> Tensor:
        return torch.where(precisions > 0, precisions, torch.nan).reciprocal()

    def n_features(self, dimension: int) -> int:
        return 1 + 2 * dimension

    def features(self, y: Tensor) -> Tensor:
        return torch.cat([torch.ones_like(y[:1]), y, y.square()])

    def weighted_features(self, y: Tensor, responsibilities: Tensor) -> Tensor:
        return self.features(y) @ responsibilities

    def transform(self, frame: Frame, x: Tensor) -> Tensor:
        return frame.scale[:, None] * (x - frame.origin[:, None])

    def restore(self, frame: Frame, y: Tensor) -> Tensor:
        return frame.origin + y * frame.inverse

    def whitening(self, weights: Tensor, means: Tensor, covariances: Tensor) -> Frame:
        origin = weights @ means
        std = _positive(weights @ (covariances + (means - origin).square())).sqrt()
        return Frame(origin, std.reciprocal(), std)

    def own_frames(self, means: Tensor, precisions_cholesky: Tensor) -> Frame:
        return Frame(means, precisions_cholesky, precisions_cholesky.reciprocal())

    def log_determinants(self, precisions_cholesky: Tensor) -> Tensor:
        return precisions_cholesky.log().sum(-1)

    def in_deviations(self, means: Tensor, precisions_cholesky: Tensor) -> Tensor:
        return precisions_cholesky * means.abs()

    def theta(
        self,
        frame: Frame,
        constants: Tensor,
        means: Tensor,
        covariances: Tensor,
        precisions_cholesky: Tensor,
    ) -> tuple[Tensor, Tensor]:
        m = (means - frame.origin) * frame.scale
        precision = (precisions_cholesky * frame.inverse).square()
        linear = precision * m
        constant = constants - 0.5 * (m * linear).sum(-1)
        amplification = (m * linear + 1).sum(-1)  # no cross terms: (m^2 + variance) * precision
        return torch.cat([constant[:, None], linear, -0.5 * precision], 1), amplification

    def moments(self, sums: Tensor, frames: Frame) -> tuple[Tensor, Tensor, Tensor]:
        dimension = frames.origin.shape[-1]
        counts, safe = _counts(sums)
        m = (sums[1 : 1 + dimension] / safe).mT
        second = (sums[1 + dimension :] / safe).mT - m.square()
        means = frames.origin + m * frames.inverse
        return counts, means, second.clamp_min(0) * frames.inverse.square()


class Spherical(Diagonal):
    """Every component has one variance, the same along every axis."""

    name = "spherical"

    def shape(self, n_components: int, dimension: int) -> tuple[int, ...]:
        return (n_components,)

    def n_parameters(self, n_components: int, dimension: int) -> int:
        return n_components

    def spread(self, values: Tensor, n_components: int, dimension: int) -> Tensor:
        return values[:, None].expand(n_components, dimension)

    def pool(self, covariances: Tensor, counts: Tensor) -> Tensor:
        return covariances.mean(-1)


def _eye(like: Tensor) -> Tensor:
    return torch.eye(like.shape[-1], dtype=like.dtype, device=like.device)


def _upper(dimension: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of the entries i <= j, in the order of `Full.features`."""
    i, j = torch.triu_indices(dimension, dimension, device=like.device)
    return i, j


def _positive(variances: Tensor) -> Tensor:
    """Variances to divide by: a constant column keeps its unit."""
    return torch.where(variances > 0, variances, 1.0)


def _counts(sums: Tensor) -> tuple[Tensor, Tensor]:
    """Counts, and the same kept away from zero for dividing by."""
    return sums[0], sums[0] + 10 * torch.finfo(sums.dtype).eps


COVARIANCES: dict[str, Covariance] = {c.name: c for c in (Full(), Tied(), Diagonal(), Spherical())}
