"""Gaussian mixtures fitted by expectation maximization, with scikit-learn's interface."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor

from vaegmm.mixture.ascent import Ascent, ascend
from vaegmm.mixture.chunks import Points
from vaegmm.mixture.covariance import COVARIANCES, Frame
from vaegmm.mixture.em import Evaluator, Parameters, Walk
from vaegmm.mixture.estimator import DensityEstimator, not_fitted
from vaegmm.mixture.start import draw_sample, initial_parameters
from vaegmm.processes import ALONE, Group, Processes

CovarianceType = Literal["full", "tied", "diag", "spherical"]
InitParams = Literal["kmeans", "k-means++", "random", "random_from_data"]


class ConvergenceWarning(UserWarning):
    """EM stopped at `max_iter` before the likelihood stood still."""


class EmptyComponentWarning(UserWarning):
    """Components lost all their points and were reseeded."""


class Snapshot(NamedTuple):
    """The parameters of one iteration; `history_` holds them."""

    weights: Any
    means: Any
    covariances: Any


class Prepared(NamedTuple):
    """Parameters, and what was made of them to evaluate them on points of one kind."""

    parameters: Parameters
    walk: Walk  # over no points
    evaluator: Evaluator


class FitProgress(NamedTuple):
    """Where a fit stands."""

    start: int  # counted from 1
    n_init: int
    iteration: int  # of this start, counted from 1
    lower_bound: float  # mean log-likelihood of a point, in nats


class GaussianMixture(DensityEstimator):
    """A mixture of Gaussians, fitted by EM.

    p(z) = sum_k weights_k N(z | means_k, covariances_k)

    An estimator as scikit-learn's of the same name: numpy in gives numpy out, a tensor in gives
    tensors on its device out. `fit` also takes what doesn't fit in memory: a memory map, the
    paths of .npy shards, or any re-iterable of blocks.

    What an evaluation makes of the parameters is kept for the next one. Each evaluation compares
    the parameters with those it was made of, so they may be set, and written into, by hand.
    Several threads may evaluate one mixture at once.

    Args:
        n_components: K.
        covariance_type: "full", "tied", "diag" or "spherical".
        tol: EM stops when the mean log-likelihood changes by less, in nats.
        max_iter: most iterations of EM.
        n_init: starts; the one with the highest likelihood is kept.
        init_params: "kmeans", "k-means++", "random_from_data" or "random".
        weights_init: weights to start from, shape (K,).
        means_init: means to start from, shape (K, D).
        precisions_init: inverse covariances to start from, in the shape of `precisions_`.
        reg_covar: added to every variance, in the squared units of the data.
        random_state: seed; None for a different start every time.
        warm_start: start from the last fit's parameters.
        history: keep the parameters of every iteration in `history_`.
        distributed: the points given to `fit` are this process's share; all processes of
            `torch.distributed`'s default group fit one mixture to all shares.
        verbose: 1 prints the start and the end of each run, 2 every iteration.

    Attributes:
        weights_: (K,).
        means_: (K, D).
        covariances_: (K, D, D), (D, D), (K, D) or (K,), by type.
        precisions_: inverse covariances, in the same shape.
        precisions_cholesky_: P with inv(Sigma) = P P^T, in the same shape.
        converged_: whether the likelihood stood still within `max_iter`.
        n_iter_: iterations of the best start.
        lower_bound_: mean log-likelihood of the last iteration, in nats.
        lower_bounds_: those of all iterations.
        history_: n_iter_ + 1 snapshots, from the start to the fit; lower_bounds_[i] is the
            log-likelihood of history_[i]. Only with history=True.
        n_features_in_: D.

    Example:
        >>> import numpy as np
        >>> z = np.concatenate([np.random.default_rng(0).normal(size=(50, 2)) + m for m in (0, 9)])
        >>> mixture = GaussianMixture(2).fit(z)
        >>> sorted(mixture.means_.mean(1).round().tolist())
        [0.0, 9.0]
    """

    def __init__(
        self,
        n_components: int = 10,
        *,
        covariance_type: CovarianceType = "full",
        tol: float = 1e-4,
        max_iter: int = 200,
        n_init: int = 1,
        init_params: InitParams = "kmeans",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        reg_covar: float = 1e-6,
        random_state: Any = 0,
        warm_start: bool = False,
        history: bool = False,
        distributed: bool = False,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.reg_covar = reg_covar
        self.random_state = random_state
        self.warm_start = warm_start
        self.history = history
        self.distributed = distributed
        self.verbose = verbose

    @classmethod
    def from_parameters(
        cls,
        weights: Any,
        means: Any,
        covariances: Any,
        covariance_type: CovarianceType = "full",
        **params: Any,
    ) -> GaussianMixture:
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
        parts = [_tensor(part) for part in (weights, means, covariances)]
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
        to_kind = _tensors if isinstance(like, Tensor) else _arrays
        mixture._set(parameters, parts[1].dtype, to_kind)
        mixture.converged_, mixture.n_iter_ = True, 0
        mixture.lower_bound_, mixture.lower_bounds_ = -math.inf, []
        return mixture

    # Fitting -------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        progress: Callable[[FitProgress], object] | None = None,
    ) -> GaussianMixture:
        """Fit by EM, from `n_init` starts, and keep the most likely mixture.

        Args:
            X: points, shape (N, D), in any of the forms above.
            y: ignored.
            sample_weight: how often each point counts, shape (N,).
            progress: called after each iteration; what it raises ends the fit, and the mixture is
                what it was before.

        Raises:
            ValueError: if X or a parameter is out of range, or the data can't be fitted.
        """
        self._check_params()
        points = Points(X, sample_weight)
        group = Processes() if self.distributed else ALONE
        generator = self._generator(group, points.device)
        best: Ascent | None = None
        n_reseeded = 0
        for run in self._runs(points, group, generator, progress or (lambda progress: None)):
            n_reseeded += run.n_reseeded
            if best is None or run.lower_bounds[-1] > best.lower_bounds[-1]:
                best = run
        assert best is not None
        to_kind = _tensors if points.torch else _arrays
        self._set(best.parameters, points.dtype, to_kind)
        self.converged_, self.n_iter_ = best.converged, len(best.lower_bounds)
        self.lower_bound_, self.lower_bounds_ = best.lower_bounds[-1], best.lower_bounds
        if self.history:
            self.history_ = [
                Snapshot(*to_kind(points.dtype, p.weights, p.means, p.covariances))
                for p in [*best.history, best.parameters]
            ]
        if n_reseeded:
            warnings.warn(
                f"{n_reseeded} components emptied and were reseeded at the worst-explained "
                f"points; n_components={self.n_components} may be more than the data hold.",
                EmptyComponentWarning,
                stacklevel=2,
            )
        if not self.converged_ and self.tol > 0:
            warnings.warn(
                f"EM did not converge within max_iter={self.max_iter} iterations. Raise max_iter "
                "or tol, or try another start with init_params or random_state.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _runs(
        self,
        points: Points,
        group: Group,
        generator: torch.Generator,
        progress: Callable[[FitProgress], object],
    ) -> Iterator[Ascent]:
        """One run of EM for each start."""
        if self.warm_start and hasattr(self, "means_"):
            self._check_columns(points)
            parameters = self._parameters(points.device)
            if len(parameters.weights) != self.n_components:
                raise ValueError(
                    "n_components must be that of the last fit with warm_start=True; got "
                    f"n_components={self.n_components} after {len(parameters.weights)}."
                )
            yield self._ascend(points, parameters, group, 1, progress)
            return
        sample = draw_sample(points, self.n_components, group, generator)
        if len(sample[0]) < self.n_components:
            raise ValueError(
                "n_components must not exceed the number of points; got "
                f"n_components={self.n_components}, n_samples={len(sample[0])}. "
                "Lower n_components."
            )
        for start in range(self.n_init):
            if self.verbose:
                print(f"start {start + 1} of {self.n_init}")
            yield self._ascend(points, self._start(sample, generator), group, start + 1, progress)

    def _ascend(
        self,
        points: Points,
        parameters: Parameters,
        group: Group,
        start: int,
        progress: Callable[[FitProgress], object],
    ) -> Ascent:
        def report(iteration: int, lower_bound: float) -> None:
            if self.verbose > 1:
                print(f"iteration {iteration}: log-likelihood {lower_bound:.6f}")
            progress(FitProgress(start, self.n_init, iteration, lower_bound))

        ascent = ascend(
            points,
            parameters,
            tol=self.tol,
            max_iter=self.max_iter,
            reg_covar=self.reg_covar,
            group=group,
            keep_history=self.history,
            on_iteration=report,
        )
        if self.verbose:
            end = "converged" if ascent.converged else "stopped"
            iterations, bound = len(ascent.lower_bounds), ascent.lower_bounds[-1]
            print(f"{end} after {iterations} iterations: log-likelihood {bound:.6f}")
        return ascent

    def _start(self, sample: tuple[Tensor, Tensor], generator: torch.Generator) -> Parameters:
        """The parameters to start from: given ones first, the rest from the sample."""
        covariance = COVARIANCES[self.covariance_type]
        dimension, device = sample[0].shape[1], sample[0].device
        shapes = {
            "weights_init": (self.n_components,),
            "means_init": (self.n_components, dimension),
            "precisions_init": covariance.shape(self.n_components, dimension),
        }
        given: dict[str, Tensor] = {}
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is not None:
                given[name] = _tensor(value).to(device, torch.float64)
                if given[name].shape != shape:
                    raise ValueError(
                        f"{name} must have shape {shape}; got {tuple(given[name].shape)}."
                    )
        weights, covariances = given.get("weights_init"), None
        if weights is not None and not (
            (weights >= 0).all() and abs(weights.sum().item() - 1) < 1e-6
        ):
            raise ValueError(
                "weights_init must be at least 0 and sum to 1; got a sum of "
                f"{weights.sum().item():.6g}."
            )
        if "precisions_init" in given:
            covariances = covariance.invert(given["precisions_init"])
            if not covariances.isfinite().all():
                raise ValueError("precisions_init must be positive definite; got others.")
        means = given.get("means_init")
        if weights is not None and means is not None and covariances is not None:
            return Parameters.of(self.covariance_type, weights, means, covariances)
        start = initial_parameters(
            sample,
            self.n_components,
            covariance,
            self.init_params,
            self.reg_covar,
            generator,
            means,
        )
        return Parameters.of(
            self.covariance_type,
            start.weights if weights is None else weights,
            start.means if means is None else means,
            start.covariances if covariances is None else covariances,
        )

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Fit, and the most likely component of every point, (N,)."""
        return self.fit(X, sample_weight=sample_weight).predict(X)

    # Predicting ----------------------------------------------------------------------------

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
        generator = _generator(seed)
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
        to_kind = _arrays if kind is None else _tensors
        dtype = _tensor(self.means_[:0]).dtype
        return to_kind(dtype, z)[0], to_kind(torch.int64, components.sort().values.to(z.device))[0]

    def _evaluate(self, X: Any, reduce: Callable[[Tensor], Tensor]) -> Any:
        points = self._points(X)
        result = torch.cat([reduce(joint) for joint in self._log_joints(points)])
        result = result.to(points.dtype) if result.is_floating_point() else result
        return result if points.torch else result.numpy()

    def _mean_log_likelihood(self, points: Points) -> float:
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
        points = Points(X)
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

    # Parameters, ours and the constructor's ------------------------------------------------

    def _parameters(self, device: torch.device) -> Parameters:
        """The fitted parameters as float64 tensors."""
        names = ("weights_", "means_", "covariances_", "precisions_cholesky_")
        parts = [_tensor(getattr(self, name)).to(device, torch.float64) for name in names]
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

    def _generator(self, group: Group, device: torch.device) -> torch.Generator:
        """A generator with the same seed in every process."""
        seed = _seed(self.random_state)
        shared = group.total(seed if group.rank == 0 else 0, device)
        return torch.Generator().manual_seed(int(shared))

    def _check_params(self) -> None:
        for name, least in (("n_components", 1), ("max_iter", 1), ("n_init", 1)):
            value = getattr(self, name)
            if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
                raise ValueError(
                    f"{name} must be an integer of at least {least}; got {name}={value!r}."
                )
        for name in ("tol", "reg_covar"):
            value = getattr(self, name)
            if not (isinstance(value, (int, float, np.number)) and 0 <= value < math.inf):
                raise ValueError(f"{name} must be a number of at least 0; got {name}={value!r}.")
        choices = {"covariance_type": get_args(CovarianceType), "init_params": get_args(InitParams)}
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed:
                raise ValueError(
                    f"{name} must be one of {', '.join(allowed)}; got {name}={value!r}."
                )


def as_matrices(values: np.ndarray, mixture: GaussianMixture) -> np.ndarray:
    """Return covariances, or what has their shape, as matrices for every type, shape (K, D, D)."""
    n_components, dimension = mixture.means_.shape
    if mixture.covariance_type in ("full", "tied"):
        return np.broadcast_to(values, (n_components, dimension, dimension))
    variances = values.reshape(n_components, -1, 1)  # (K, D, 1) or (K, 1, 1)
    return variances * np.eye(dimension)


def _arrays(dtype: torch.dtype, *values: Tensor) -> list[Any]:
    return [value.to("cpu", dtype, copy=True).numpy() for value in values]


def _tensors(dtype: torch.dtype, *values: Tensor) -> list[Any]:
    return [value.to(dtype, copy=True) for value in values]


def _tensor(value: Any) -> Tensor:
    # A copy of what is no tensor: torch warns of arrays that cannot be written.
    return value if isinstance(value, Tensor) else torch.from_numpy(np.array(value))


def _seed(random_state: Any) -> int:
    """A seed from what scikit-learn allows as `random_state`."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    if isinstance(random_state, numbers.Integral):
        return int(random_state) % 2**53
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    raise ValueError(
        f"random_state must be None, an integer or a numpy generator; got {random_state!r}."
    )


def _generator(random_state: Any) -> torch.Generator:
    return torch.Generator().manual_seed(_seed(random_state))
