"""What a mixture says of points, once its parameters are known."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from vaegmm.mixture import missing
from vaegmm.mixture.chunks import Points
from vaegmm.mixture.conditioning import conditional
from vaegmm.mixture.covariance import COVARIANCES, Frame
from vaegmm.mixture.em import Evaluator, Parameters, Walk
from vaegmm.mixture.estimator import DensityEstimator, not_fitted
from vaegmm.mixture.values import arrays, generator_of, tensor, tensors

CovarianceType = Literal["full", "tied", "diag", "spherical"]
Self = TypeVar("Self", bound="Density")


class Prepared(NamedTuple):
    """Parameters, and what was made of them to evaluate them on points of one kind."""

    parameters: Parameters
    walk: Walk  # over no points
    evaluator: Evaluator


class Density(DensityEstimator):
    """A mixture of Gaussians with parameters: everything but how they are found."""

    covariance_type: CovarianceType
    random_state: Any
    weights_: Any
    means_: Any
    covariances_: Any
    precisions_: Any
    precisions_cholesky_: Any
    lower_bounds_: list[float]

    def __init__(self, n_components: int, **params: Any) -> None:
        raise NotImplementedError

    def _check_params(self) -> None:
        """Refuse parameters that are out of range."""

    # Made of what is known -------------------------------------------------------------------

    @classmethod
    def from_parameters(
        cls: type[Self],
        weights: Any,
        means: Any,
        covariances: Any,
        covariance_type: CovarianceType = "full",
        **params: Any,
    ) -> Self:
        """A fitted mixture from its parameters.

        Args:
            weights: shape (K,).
            means: shape (K, D).
            covariances: in the shape of `covariances_`.
            covariance_type: the type they are of.
            params: further parameters of the constructor.

        Raises:
            ValueError: if shapes disagree or a covariance isn't positive definite.
        """
        mixture = cls(len(weights), covariance_type=covariance_type, **params)
        mixture._check_params()
        like = means if isinstance(means, Tensor) else np.asarray(means)
        parts = [tensor(part) for part in (weights, means, covariances)]
        parts = [p if p.is_floating_point() else p.double() for p in parts]
        n_components, dimension = parts[1].shape
        shape = COVARIANCES[covariance_type].shape(n_components, dimension)
        if len(weights) != n_components or parts[2].shape != shape:
            raise ValueError(
                f"covariances must have shape {shape} for {n_components} means of {dimension} "
                f"columns; got covariances.shape={tuple(parts[2].shape)}, weights={len(weights)}."
            )
        parameters = Parameters.of(covariance_type, *parts)
        if not parameters.precisions_cholesky.isfinite().all():
            raise ValueError(
                "covariances must be positive definite; got at least one that isn't. Check that "
                f"they are of covariance_type={covariance_type!r}."
            )
        to_kind = tensors if isinstance(like, Tensor) else arrays
        mixture._adopt(parameters, parts[1].dtype, to_kind)
        return mixture

    def predict(self, X: Any) -> Any:
        """The most likely component of every point, (N,)."""
        return self._evaluate(X, lambda joint: joint.argmax(0))

    def predict_proba(self, X: Any) -> Any:
        """Responsibilities p(k | z), (N, K); each row sums to 1."""
        return self._evaluate(X, lambda joint: joint.softmax(0).mT)

    def score_samples(self, X: Any) -> Any:
        """Log-likelihood of every point in nats, (N,)."""
        return self._evaluate(X, lambda joint: joint.logsumexp(0))

    def score(self, X: Any, y: Any = None) -> float:
        """Mean log-likelihood of the points in nats."""
        return self._mean_log_likelihood(self._points(X))

    def bic(self, X: Any) -> float:
        """Bayesian information criterion; lower is better."""
        points = self._points(X)
        penalty = self._n_parameters() * math.log(len(points))
        return -2 * self._mean_log_likelihood(points) * len(points) + penalty

    def aic(self, X: Any) -> float:
        """Akaike information criterion; lower is better."""
        points = self._points(X)
        penalty = 2 * self._n_parameters()
        return -2 * self._mean_log_likelihood(points) * len(points) + penalty

    def sample(self, n_samples: int = 1, random_state: Any = None) -> tuple[Any, Any]:
        """Draw points from the mixture.

        Args:
            n_samples: how many.
            random_state: seed; None: that of the mixture.

        Returns:
            Points (n, D), in the order of their components, and the components (n,).
        """
        self._check_fitted()
        if not isinstance(n_samples, numbers.Integral) or n_samples < 1:
            raise ValueError(f"n_samples must be a positive integer; got n_samples={n_samples}.")
        kind = self.means_ if isinstance(self.means_, Tensor) else None
        parameters = self._parameters(torch.device("cpu") if kind is None else kind.device)
        seed = self.random_state if random_state is None else random_state
        generator = generator_of(seed)
        components = torch.multinomial(
            parameters.weights.cpu(), int(n_samples), replacement=True, generator=generator
        )
        counts = components.bincount(minlength=len(parameters.weights)).tolist()
        noise = torch.randn(
            int(n_samples), parameters.means.shape[1], generator=generator, dtype=torch.float64
        ).to(parameters.means.device)
        roots = parameters.spread(parameters.precisions_cholesky)
        frames = parameters.covariance.own_frames(parameters.means, roots)
        z = torch.cat(
            [
                parameters.covariance.restore(Frame(*frame), rows)
                for rows, *frame in zip(noise.split(counts), *frames, strict=True)
            ]
        )
        to_kind = arrays if kind is None else tensors
        dtype = tensor(self.means_[:0]).dtype
        return to_kind(dtype, z)[0], to_kind(torch.int64, components.sort().values.to(z.device))[0]

    def impute(self, X: Any) -> Any:
        """The points with what the mixture expects in place of what is missing, (N, D).

        E[missing | observed] = sum_k p(k | observed) E[missing | observed, k]

        Args:
            X: points, NaN where a number is missing. They are held in memory.
        """
        points = self._points(X)
        x = torch.cat([block for block, _ in points])
        if points.has_missing:
            parameters = self._parameters(points.device)
            x = missing.fill(x, parameters, missing.patterns(points))
        return x.clone() if points.torch else x.numpy().copy()

    def condition(self: Self, given: Mapping[int, float]) -> Self:
        """The mixture of the other columns, where some have known values.

        Args:
            given: column to value; at least one column is left.

        Returns:
            p(others | given), a mixture of as many components, the columns in their order.

        Raises:
            ValueError: if a column doesn't exist, none is left, or a value isn't finite.
        """
        self._check_fitted()
        dimension = self.n_features_in_
        columns = list(given)
        whole = all(isinstance(c, numbers.Integral) and 0 <= c < dimension for c in columns)
        if not whole or len(columns) >= dimension:
            raise ValueError(
                f"given must name some of the columns 0 to {dimension - 1}, and leave one; got "
                f"{columns}."
            )
        values = [float(given[column]) for column in columns]
        if not all(math.isfinite(value) for value in values):
            raise ValueError(f"given must have finite values; got {dict(given)}.")
        kind = self.means_ if isinstance(self.means_, Tensor) else None
        device = torch.device("cpu") if kind is None else kind.device
        index = torch.tensor(columns, dtype=torch.int64, device=device)
        at = torch.tensor(values, dtype=torch.float64, device=device)
        found = conditional(self._parameters(device), index, at)
        other = type(self)(
            len(self.weights_), covariance_type=self.covariance_type, random_state=self.random_state
        )
        to_kind = arrays if kind is None else tensors
        other._adopt(found, tensor(self.means_[:0]).dtype, to_kind)
        return other

    def _evaluate(self, X: Any, reduce: Callable[[Tensor], Tensor]) -> Any:
        points = self._points(X)
        if points.has_missing:
            result = self._by_pattern(points, reduce)
        else:
            result = torch.cat([reduce(joint) for joint in self._log_joints(points)])
        result = result.to(points.dtype) if result.is_floating_point() else result
        return result if points.torch else result.numpy()

    def _by_pattern(self, points: Points, reduce: Callable[[Tensor], Tensor]) -> Tensor:
        """Evaluate each point by what is observed of it."""
        parameters = self._parameters(points.device)
        groups = missing.patterns(points)
        parts = torch.cat([reduce(missing.log_joint(parameters, group)) for group in groups])
        result = torch.empty_like(parts)
        result[torch.cat([group.rows for group in groups])] = parts
        return result

    def _mean_log_likelihood(self, points: Points) -> float:
        if points.has_missing:
            return self._by_pattern(points, lambda joint: joint.logsumexp(0)).mean().item()
        parts = [joint.logsumexp(0).sum(dtype=torch.float64) for joint in self._log_joints(points)]
        return torch.stack(parts).sum().item() / len(points)

    def _log_joints(self, points: Points) -> Iterator[Tensor]:
        """Yield log w_k + log N(z | k), (K, n), chunk by chunk."""
        parameters, walk, evaluator = self._prepare(points)
        for chunk in walk.over(points):
            shape = len(parameters.weights), chunk.x.shape[1]
            yield evaluator.log_joint(chunk, out=chunk.x.new_empty(shape))

    def _prepare(self, points: Points) -> Prepared:
        """Make the parameters ready to be evaluated on points of this kind, or find them so."""
        # Not made by __init__, which sets parameters only, nor where they are set by hand.
        kept: dict[Any, Prepared] = vars(self).setdefault("_prepared", {})
        parameters = self._parameters(points.device)
        kind = points.device, points.dtype
        prepared = kept.get(kind)
        if prepared is None or not prepared.parameters.equals(parameters):
            parameters = parameters.copy()
            walk = Walk((), parameters, points.dtype)
            # Put there whole: of two threads at once, either's will do.
            kept[kind] = prepared = Prepared(parameters, walk, walk.evaluator(parameters))
        return prepared

    def __getstate__(self) -> dict[str, Any]:
        # A copy prepares itself: what is made again in no time needs no place in a file.
        return {name: value for name, value in vars(self).items() if name != "_prepared"}

    def _points(self, X: Any) -> Points:
        self._check_fitted()
        points = Points(X, allow_missing=True)
        self._check_columns(points)
        return points

    def _check_columns(self, points: Points) -> None:
        if points.n_features != self.n_features_in_:
            raise ValueError(
                f"X has {points.n_features} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )

    def _check_fitted(self) -> None:
        if not hasattr(self, "means_"):
            raise not_fitted(self)

    def _n_parameters(self) -> int:
        n_components, dimension = self.means_.shape
        in_covariances = COVARIANCES[self.covariance_type].n_parameters(n_components, dimension)
        return n_components - 1 + n_components * dimension + in_covariances

    # Parameters ------------------------------------------------------------------------------

    def _parameters(self, device: torch.device) -> Parameters:
        """The fitted parameters as float64 tensors."""
        names = ("weights_", "means_", "covariances_", "precisions_cholesky_")
        parts = [tensor(getattr(self, name)).to(device, torch.float64) for name in names]
        return Parameters(COVARIANCES[self.covariance_type], *parts)

    def _set(self, parameters: Parameters, dtype: torch.dtype, to_kind: Callable) -> None:
        roots = parameters.precisions_cholesky
        precisions = parameters.covariance.precisions(roots)
        self.weights_, self.means_, self.covariances_ = to_kind(
            dtype, parameters.weights, parameters.means, parameters.covariances
        )
        self.precisions_cholesky_, self.precisions_ = to_kind(dtype, roots, precisions)
        self.n_features_in_ = parameters.means.shape[1]
        self._prepared: dict[Any, Prepared] = {}

    def _adopt(self, parameters: Parameters, dtype: torch.dtype, to_kind: Callable) -> None:
        """Take parameters that no fit has found."""
        self._set(parameters, dtype, to_kind)
        self.converged_, self.n_iter_ = True, 0
        self.lower_bound_, self.lower_bounds_ = -math.inf, []


def as_matrices(values: np.ndarray, mixture: Density) -> np.ndarray:
    """Return covariances, or what has their shape, as matrices for every type, shape (K, D, D)."""
    n_components, dimension = mixture.means_.shape
    if mixture.covariance_type in ("full", "tied"):
        return np.broadcast_to(values, (n_components, dimension, dimension))
    variances = values.reshape(n_components, -1, 1)  # (K, D, 1) or (K, 1, 1)
    return variances * np.eye(dimension)
