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

from vaegmm.mixture.ascent import Ascent, Complete, Observations, ascend, require_sound
from vaegmm.mixture.chunks import Points
from vaegmm.mixture.covariance import COVARIANCES
from vaegmm.mixture.density import CovarianceType, Density
from vaegmm.mixture.em import Moments, Parameters, Walk, expected_moments
from vaegmm.mixture.estimator import convergence_warning
from vaegmm.mixture.missing import Incomplete, patterns, without_missing
from vaegmm.mixture.online import Stream
from vaegmm.mixture.priors import NormalInverseWishart, Regulariser, Ridge
from vaegmm.mixture.start import best_start, draw_sample, given_start, initial_parameters
from vaegmm.mixture.supervised import UNKNOWN, Binding, seeded
from vaegmm.mixture.values import arrays, seed_of, tensors
from vaegmm.processes import ALONE, Group, Processes

InitParams = Literal["auto", "kmeans", "k-means++", "random", "random_from_data"]


class EmptyComponentWarning(UserWarning):
    """Components lost all their points and were reseeded."""


class Snapshot(NamedTuple):
    """The parameters of one iteration; `history_` holds them."""

    weights: Any
    means: Any
    covariances: Any


class FitProgress(NamedTuple):
    """Where a fit stands."""

    start: int  # counted from 1
    n_init: int
    iteration: int  # of this start, counted from 1
    lower_bound: float  # mean log-likelihood of a point, in nats


class GaussianMixture(Density):
    """A mixture of Gaussians, fitted by EM.

    p(z) = sum_k weights_k N(z | means_k, covariances_k)

    An estimator as scikit-learn's of the same name: numpy in gives numpy out, a tensor in gives
    tensors on its device out. `fit` also takes what doesn't fit in memory: a memory map, the
    paths of .npy shards, or any re-iterable of blocks. NaN is a number that is missing: the mixture
    is then fitted to, and evaluated on, what is observed.

    What an evaluation makes of the parameters is kept for the next one. Each evaluation compares
    the parameters with those it was made of, so they may be set, and written into, by hand.
    Several threads may evaluate one mixture at once.

    Args:
        n_components: K.
        covariance_type: "full", "tied", "diag" or "spherical".
        tol: EM stops when the mean log-likelihood changes by less, in nats.
        max_iter: most iterations of EM; 0 keeps the start.
        n_init: starts; the one with the highest likelihood is kept.
        init_params: "auto" tries several kinds of start for a few iterations on some of the points
            and keeps the one that leads highest; "kmeans", "k-means++", "random_from_data" or
            "random" is that kind. Where a part of the start is given, "auto" is "kmeans".
        weights_init: weights to start from, shape (K,).
        means_init: means to start from, shape (K, D).
        precisions_init: inverse covariances to start from, in the shape of `precisions_`.
        reg_covar: added to every variance, in the squared units of the data.
        prior: a `NormalInverseWishart`, which takes the place of `reg_covar`: the mixture is the
            most probable one, and `lower_bound_` has the prior's share in it.
        component_labels: the label that each component is bound to, -1 for none, shape (K,), or
            "auto" to deal them out; `fit` then takes labels. None: y is ignored.
        forgetting_rate: of `partial_fit`, above 0.5, up to 1; the lower, the sooner what was seen
            is forgotten.
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
        n_samples_seen_: how many points it was fitted to, weights added up.
        component_labels_: the label of each component, -1 for none. Only with component_labels.

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
        init_params: InitParams = "auto",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        reg_covar: float = 1e-6,
        prior: NormalInverseWishart | None = None,
        component_labels: Any = None,
        forgetting_rate: float = 0.6,
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
        self.prior = prior
        self.component_labels = component_labels
        self.forgetting_rate = forgetting_rate
        self.random_state = random_state
        self.warm_start = warm_start
        self.history = history
        self.distributed = distributed
        self.verbose = verbose

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
            y: with `component_labels`, the label of every point, a whole number of at least 0, or
                -1 where it isn't known, shape (N,). Else ignored.
            sample_weight: how often each point counts, shape (N,).
            progress: called after each iteration; what it raises ends the fit, and the mixture is
                what it was before.

        Raises:
            ValueError: if X or a parameter is out of range, or the data can't be fitted.
        """
        self._check_params()
        points = Points(X, sample_weight, allow_missing=True)
        group = Processes() if self.distributed else ALONE
        points.has_missing = group.total(points.has_missing, points.device) > 0
        n_points = len(points) if points.weights is None else points.weights.sum().item()
        n_seen = group.total(n_points, points.device)
        binding = self._binding(y, points, self.component_labels)
        generator = self._generator(group, points.device)
        sample = draw_sample(points, self.n_components, group, generator)
        if points.has_missing:
            sample = without_missing(sample, self.n_components)
        regulariser = self._resolved(sample)
        report = progress or (lambda progress: None)
        best: Ascent | None = None
        n_reseeded = 0
        for run in self._runs(points, sample, binding, regulariser, group, generator, report):
            n_reseeded += run.n_reseeded
            if best is None or _bound(run) > _bound(best):
                best = run
        assert best is not None
        to_kind = tensors if points.torch else arrays
        self._set(best.parameters, points.dtype, to_kind)
        self.converged_, self.n_iter_ = best.converged, len(best.lower_bounds)
        self.lower_bound_, self.lower_bounds_ = _bound(best), best.lower_bounds
        self.n_samples_seen_ = n_seen
        self._stream: Stream | None = None
        self._regulariser = regulariser
        if binding is not None:
            self.component_labels_ = binding.component_labels.cpu().numpy()
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
        if not self.converged_ and self.tol > 0 and self.max_iter > 0:
            warnings.warn(
                f"EM did not converge within max_iter={self.max_iter} iterations. Raise max_iter "
                "or tol, or try another start with init_params or random_state.",
                convergence_warning(),
                stacklevel=2,
            )
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> GaussianMixture:
        """Go on with more points, by one step of online EM; the first call fits to its points.

        A stream is fitted by one call for each batch of some thousand points, none of which is
        needed again. `forgetting_rate` says how soon what was seen is forgotten.

        Args:
            X: more points, shape (n, D); all of them are looked at once.
            y: as for `fit`.
            sample_weight: how often each point counts, shape (n,).

        Raises:
            ValueError: if X or a parameter is out of range, or a covariance collapses.
        """
        if not hasattr(self, "means_"):
            return self.fit(X, y, sample_weight)
        self._check_params()
        points = Points(X, sample_weight, allow_missing=True)
        self._check_columns(points)
        group = Processes() if self.distributed else ALONE
        points.has_missing = group.total(points.has_missing, points.device) > 0
        parameters = self._parameters(points.device)
        binding = None
        if y is not None and (np.asarray(y) != UNKNOWN).any():
            binding = self._binding(y, points, getattr(self, "component_labels_", None))
        stream: Stream | None = getattr(self, "_stream", None)
        if stream is None:
            stream = Stream.after_fit(parameters, getattr(self, "n_samples_seen_", 0.0))
        batch = _moments(points, binding, parameters, group)
        stream = stream.after(batch, parameters, self.forgetting_rate)
        statistics = stream.moments().pooled(parameters.covariance)
        regulariser = getattr(self, "_regulariser", Ridge(self.reg_covar))
        parameters = regulariser.maximise(statistics)
        require_sound(parameters, regulariser)
        self._set(parameters, points.dtype, tensors if points.torch else arrays)
        self._stream, self.n_samples_seen_ = stream, stream.seen
        self.lower_bound_ = (batch.log_likelihood / batch.counts.sum()).item()
        self.lower_bounds_ = [*self.lower_bounds_, self.lower_bound_]
        self.n_iter_ += 1
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Fit, and the most likely component of every point, (N,)."""
        return self.fit(X, y, sample_weight=sample_weight).predict(X)

    # Runs of EM ------------------------------------------------------------------------------

    def _runs(
        self,
        points: Points,
        sample: tuple[Tensor, Tensor],
        binding: Binding | None,
        regulariser: Regulariser,
        group: Group,
        generator: torch.Generator,
        progress: Callable[[FitProgress], object],
    ) -> Iterator[Ascent]:
        """One run of EM for each start."""
        observe = _observer(points, binding, group)
        if self.warm_start and hasattr(self, "means_"):
            self._check_columns(points)
            parameters = self._parameters(points.device)
            if len(parameters.weights) != self.n_components:
                raise ValueError(
                    "n_components must be that of the last fit with warm_start=True; got "
                    f"n_components={self.n_components} after {len(parameters.weights)}."
                )
            yield self._ascend(
                observe(parameters), parameters, regulariser, 1, progress, self.lower_bound_
            )
            return
        if len(sample[0]) < self.n_components:
            raise ValueError(
                "n_components must not exceed the number of points; got "
                f"n_components={self.n_components}, n_samples={len(sample[0])}. "
                "Lower n_components."
            )
        for start in range(self.n_init):
            if self.verbose:
                print(f"start {start + 1} of {self.n_init}")
            parameters = self._start(points, sample, binding, regulariser, generator)
            yield self._ascend(observe(parameters), parameters, regulariser, start + 1, progress)

    def _ascend(
        self,
        observations: Observations,
        parameters: Parameters,
        regulariser: Regulariser,
        start: int,
        progress: Callable[[FitProgress], object],
        last_bound: float = -math.inf,
    ) -> Ascent:
        def report(iteration: int, lower_bound: float) -> None:
            if self.verbose > 1:
                print(f"iteration {iteration}: log-likelihood {lower_bound:.6f}")
            progress(FitProgress(start, self.n_init, iteration, lower_bound))

        ascent = ascend(
            observations,
            parameters,
            regulariser,
            tol=self.tol,
            max_iter=self.max_iter,
            last_bound=last_bound,
            keep_history=self.history,
            on_iteration=report,
        )
        if self.verbose:
            end = "converged" if ascent.converged else "stopped"
            iterations, bound = len(ascent.lower_bounds), _bound(ascent)
            print(f"{end} after {iterations} iterations: log-likelihood {bound:.6f}")
        return ascent

    def _start(
        self,
        points: Points,
        sample: tuple[Tensor, Tensor],
        binding: Binding | None,
        regulariser: Regulariser,
        generator: torch.Generator,
    ) -> Parameters:
        """The parameters to start from: given ones first, the rest from the sample."""
        covariance, n_components = COVARIANCES[self.covariance_type], self.n_components
        given = given_start(
            self.weights_init, self.means_init, self.precisions_init,
            n_components, sample[0].shape[1], covariance, sample[0].device,
        )  # fmt: skip
        weights, means, covariances = given
        if weights is not None and means is not None and covariances is not None:
            return Parameters.of(self.covariance_type, weights, means, covariances)
        if binding is not None and means is None:
            start = seeded(points, binding, covariance, self.reg_covar, generator)
        elif self.init_params == "auto" and given == (None, None, None):
            start = best_start(
                sample, n_components, covariance, regulariser, self.reg_covar, generator, self.tol,
                advanced=points.has_missing,
            )  # fmt: skip
        else:
            kind = "kmeans" if self.init_params == "auto" else self.init_params
            start = initial_parameters(
                sample, n_components, covariance, kind, self.reg_covar, generator, means
            )
        return Parameters.of(
            self.covariance_type,
            start.weights if weights is None else weights,
            start.means if means is None else means,
            start.covariances if covariances is None else covariances,
        )

    def _resolved(self, sample: tuple[Tensor, Tensor]) -> Regulariser:
        """What regularises the M-step, with what it takes from the data."""
        if self.prior is None:
            return Ridge(self.reg_covar)
        covariance = COVARIANCES[self.covariance_type]
        return self.prior.resolved(*sample, self.n_components, covariance)

    def _binding(self, y: Any, points: Points, component_labels: Any) -> Binding | None:
        """What `y` says of the points, if it is to say anything."""
        if y is None or component_labels is None:
            return None
        if self.distributed:
            raise ValueError("component_labels must be None with distributed=True; got labels.")
        n_components = self.n_components
        return Binding.of(y, len(points), component_labels, n_components, points.device)

    def _generator(self, group: Group, device: torch.device) -> torch.Generator:
        """A generator with the same seed in every process."""
        seed = seed_of(self.random_state)
        shared = group.total(seed if group.rank == 0 else 0, device)
        return torch.Generator().manual_seed(int(shared))

    def _check_params(self) -> None:
        for name, least in (("n_components", 1), ("max_iter", 0), ("n_init", 1)):
            value = getattr(self, name)
            if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
                raise ValueError(
                    f"{name} must be an integer of at least {least}; got {name}={value!r}."
                )
        for name in ("tol", "reg_covar"):
            value = getattr(self, name)
            if not (isinstance(value, (int, float, np.number)) and 0 <= value < math.inf):
                raise ValueError(f"{name} must be a number of at least 0; got {name}={value!r}.")
        rate = self.forgetting_rate
        if not (isinstance(rate, (int, float, np.number)) and 0.5 < rate <= 1):
            raise ValueError(
                f"forgetting_rate must be above 0.5 and at most 1; got forgetting_rate={rate!r}."
            )
        if self.prior is not None and not isinstance(self.prior, NormalInverseWishart):
            raise ValueError(f"prior must be a NormalInverseWishart or None; got {self.prior!r}.")
        choices = {"covariance_type": get_args(CovarianceType), "init_params": get_args(InitParams)}
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed:
                raise ValueError(
                    f"{name} must be one of {', '.join(allowed)}; got {name}={value!r}."
                )


def _observer(
    points: Points, binding: Binding | None, group: Group
) -> Callable[[Parameters], Observations]:
    """What makes the points ready for EM from some parameters."""
    if binding is None and not points.has_missing:
        return lambda parameters: Complete(points, parameters, group)
    groups = patterns(points, *(() if binding is None else binding.components()))
    return lambda parameters: Incomplete(groups, parameters, points.dtype, group)


def _moments(
    points: Points, binding: Binding | None, parameters: Parameters, group: Group
) -> Moments:
    """The E-step over one batch."""
    observations = _observer(points, binding, group)(parameters)
    if isinstance(observations, Incomplete):
        return observations.moments(parameters)
    return expected_moments(Walk(points, parameters, points.dtype), parameters, group)


def _bound(run: Ascent) -> float:
    return run.lower_bounds[-1] if run.lower_bounds else -math.inf
