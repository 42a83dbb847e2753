"""Gaussian mixtures fitted by expectation maximization, with scikit-learn's interface."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaegmm.gaussian import log_multivariate_normal

_TYPES = ("full", "tied", "diag", "spherical")


def _expand(covariances: Tensor, covariance_type: str, n_components: int, dim: int) -> Tensor:
    """Covariances of any type as K full matrices, (K, D, D)."""
    if covariance_type == "full":
        return covariances
    if covariance_type == "tied":
        return covariances.expand(n_components, dim, dim)
    if covariance_type == "diag":
        return torch.diag_embed(covariances)
    return covariances[:, None, None] * torch.eye(
        dim, dtype=covariances.dtype, device=covariances.device
    )


def _cholesky_of_precisions(covariances: Tensor, covariance_type: str) -> Tensor:
    if covariance_type in ("diag", "spherical"):
        return covariances.rsqrt()
    lower, info = torch.linalg.cholesky_ex(covariances)
    if info.any():
        raise ValueError(
            "reg_covar must keep every covariance positive definite; got a singular one. "
            "Raise reg_covar or lower n_components."
        )
    eye = torch.eye(covariances.shape[-1], dtype=covariances.dtype, device=covariances.device)
    return torch.linalg.solve_triangular(lower, eye.expand_as(lower), upper=False).mT


def e_step(
    z: Tensor, weights: Tensor, means: Tensor, precisions_cholesky: Tensor
) -> tuple[Tensor, Tensor]:
    """Log-likelihood (N,) and responsibilities (N, K) of points z (N, D)."""
    joint = log_multivariate_normal(z, means, precisions_cholesky) + weights.log()
    log_likelihood = joint.logsumexp(-1)
    return log_likelihood, (joint - log_likelihood[:, None]).exp()


def m_step(
    z: Tensor, responsibilities: Tensor, covariance_type: str = "full", reg_covar: float = 1e-6
) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, means and covariances that maximise the expected log-likelihood."""
    counts = responsibilities.sum(0) + 10 * torch.finfo(z.dtype).eps
    means = responsibilities.T @ z / counts[:, None]
    centred = z - means[:, None]
    scatter = centred.mT @ (centred * responsibilities.T[..., None])  # (K, D, D)
    weights = counts / counts.sum()
    if covariance_type == "tied":
        covariances = scatter.sum(0) / counts.sum()
        covariances.diagonal().add_(reg_covar)
        return weights, means, covariances
    covariances = scatter / counts[:, None, None]
    variances = covariances.diagonal(dim1=-2, dim2=-1)
    variances += reg_covar
    if covariance_type == "diag":
        covariances = variances.clone()
    elif covariance_type == "spherical":
        covariances = variances.mean(-1)
    return weights, means, covariances


class GaussianMixture:
    """A mixture of Gaussians, fitted by EM."""

    def __init__(
        self,
        n_components: int = 10,
        *,
        covariance_type: str = "full",
        tol: float = 1e-4,
        max_iter: int = 200,
        n_init: int = 1,
        init_params: str = "kmeans",
        reg_covar: float = 1e-6,
        random_state: int | None = 0,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.reg_covar = reg_covar
        self.random_state = random_state

    @classmethod
    def from_parameters(
        cls, weights: Any, means: Any, covariances: Any, covariance_type: str = "full", **params
    ) -> GaussianMixture:
        """A mixture that predicts with the given parameters, without a fit."""
        mixture = cls(len(weights), covariance_type=covariance_type, **params)
        mixture._numpy = not isinstance(means, Tensor)
        mixture._store(*(torch.as_tensor(p) for p in (weights, means, covariances)))
        mixture.converged_, mixture.n_iter_ = True, 0
        mixture.lower_bound_, mixture.lower_bounds_ = -np.inf, []
        return mixture

    def _store(self, weights: Tensor, means: Tensor, covariances: Tensor) -> None:
        precisions = _cholesky_of_precisions(covariances, self.covariance_type)
        for name, value in (
            ("weights_", weights),
            ("means_", means),
            ("covariances_", covariances),
            ("precisions_cholesky_", precisions),
        ):
            setattr(self, name, value.numpy() if self._numpy else value)
        self.n_features_in_ = means.shape[1]

    def fit(self, X: Any, y: Any = None) -> GaussianMixture:
        self._numpy = not isinstance(X, Tensor)
        z = torch.as_tensor(X)
        z = z if z.is_floating_point() else z.double()
        if len(z) < self.n_components:
            raise ValueError(
                "n_components must not exceed the number of points; got "
                f"n_components={self.n_components}, points={len(z)}. Lower n_components."
            )
        generator = torch.Generator(z.device).manual_seed(self.random_state or 0)
        best = -np.inf
        for _ in range(self.n_init):
            bounds = self._fit_once(z, generator)
            if bounds[0][-1] > best:
                best = bounds[0][-1]
                self.lower_bounds_, self.converged_ = bounds[:2]
                parameters = bounds[2]
        self.lower_bound_, self.n_iter_ = best, len(self.lower_bounds_)
        self._store(*parameters)
        return self

    def _fit_once(self, z: Tensor, generator: torch.Generator):
        eye = torch.eye(self.n_components, dtype=z.dtype, device=z.device)
        labels = _kmeans(z, self.n_components, generator)
        parameters = m_step(z, eye[labels], self.covariance_type, self.reg_covar)
        bounds: list[float] = []
        converged = False
        for _ in range(self.max_iter):
            counts_sums = e_step(z, parameters[0], parameters[1], self._full_cholesky(*parameters))
            bounds.append(counts_sums[0].mean().item())
            parameters = m_step(z, counts_sums[1], self.covariance_type, self.reg_covar)
            if len(bounds) > 1 and abs(bounds[-1] - bounds[-2]) < self.tol:
                converged = True
                break
        return bounds, converged, parameters

    def _full_cholesky(self, weights: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
        expanded = _expand(covariances, self.covariance_type, *means.shape)
        return _cholesky_of_precisions(expanded, "full")

    def _e_step(self, X: Any) -> tuple[Tensor, Tensor]:
        weights, means, covariances = (
            torch.as_tensor(p) for p in (self.weights_, self.means_, self.covariances_)
        )
        z = torch.as_tensor(X)
        z = z if z.is_floating_point() else z.double()
        if z.shape[-1] != means.shape[1]:
            raise ValueError(
                f"X must have {means.shape[1]} columns, as in fit; got {z.shape[-1]} columns."
            )
        weights, means, covariances = (p.to(z) for p in (weights, means, covariances))
        cholesky = self._full_cholesky(weights, means, covariances)
        parts = [e_step(part, weights, means, cholesky) for part in z.split(4096)]
        return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])

    @staticmethod
    def _like(value: Tensor, X: Any) -> Any:
        return value if isinstance(X, Tensor) else value.numpy()

    def predict_proba(self, X: Any) -> Any:
        return self._like(self._e_step(X)[1], X)

    def predict(self, X: Any) -> Any:
        return self._like(self._e_step(X)[1].argmax(-1), X)

    def fit_predict(self, X: Any, y: Any = None) -> Any:
        return self.fit(X).predict(X)

    def score_samples(self, X: Any) -> Any:
        return self._like(self._e_step(X)[0], X)

    def score(self, X: Any, y: Any = None) -> float:
        return self._e_step(X)[0].mean().item()

    def sample(self, n_samples: int = 1) -> tuple[Any, Any]:
        """Points and their components, drawn from the mixture."""
        weights, means, covariances = (
            torch.as_tensor(p) for p in (self.weights_, self.means_, self.covariances_)
        )
        generator = torch.Generator(means.device).manual_seed(self.random_state or 0)
        components = torch.multinomial(weights, n_samples, replacement=True, generator=generator)
        components = components.sort().values
        lower = torch.linalg.cholesky(_expand(covariances, self.covariance_type, *means.shape))
        noise = torch.randn(n_samples, means.shape[1], generator=generator, dtype=means.dtype)
        z = means[components] + (lower[components] @ noise[..., None])[..., 0]
        return (z.numpy(), components.numpy()) if self._numpy else (z, components)

    def _n_parameters(self) -> int:
        k, d = self.means_.shape
        full = d * (d + 1) // 2
        covariance = {"full": k * full, "tied": full, "diag": k * d, "spherical": k}
        return k - 1 + k * d + covariance[self.covariance_type]

    def bic(self, X: Any) -> float:
        return float(-2 * self.score(X) * len(X) + self._n_parameters() * np.log(len(X)))

    def aic(self, X: Any) -> float:
        return float(-2 * self.score(X) * len(X) + 2 * self._n_parameters())


def _kmeans(z: Tensor, n_clusters: int, generator: torch.Generator) -> Tensor:
    """Cluster labels (N,) by Lloyd's algorithm from a k-means++ start."""
    first = torch.randint(len(z), (1,), generator=generator, device=z.device)
    centres = z[first]
    nearest = (z - centres).square().sum(-1)
    for _ in range(1, n_clusters):
        weights = nearest if nearest.sum() > 0 else torch.ones_like(nearest)
        chosen = z[torch.multinomial(weights, 1, generator=generator)]
        centres = torch.cat([centres, chosen])
        nearest = torch.minimum(nearest, (z - chosen).square().sum(-1))
    labels = None
    for _ in range(100):
        new = (0.5 * centres.square().sum(-1) - z @ centres.T).argmin(-1)
        if labels is not None and torch.equal(new, labels):
            break
        labels = new
        counts = torch.bincount(labels, minlength=n_clusters).to(z.dtype)[:, None]
        sums = torch.zeros_like(centres).index_add_(0, labels, z)
        centres = torch.where(counts > 0, sums / counts.clamp_min(1), centres)
    return labels
