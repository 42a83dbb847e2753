"""EM from one start: iterations until the likelihood stands still, and what may go wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from vaegmm.mixture.chunks import Points
from vaegmm.mixture.em import Parameters, Statistics, Walk, e_step
from vaegmm.mixture.priors import Regulariser
from vaegmm.processes import Group

#: A component that expects fewer points than this is empty.
_EMPTY = 1e-3

#: Iterations between two looks at the likelihood: a look waits for a GPU to finish.
_ITERATIONS_PER_LOOK = {"cpu": 1, "cuda": 8}


class Observations(Protocol):
    """What EM asks of the points of a fit."""

    n_points: float  # of all processes
    device: torch.device

    def expect(
        self, parameters: Parameters, alone: list[int] | None
    ) -> tuple[Statistics, list[int] | None]:
        """The E-step.

        Args:
            parameters: the mixture.
            alone: which components the last E-step evaluated in a frame of their own; None: to be
                found out, which waits for the device.

        Returns:
            The statistics, and which components were evaluated so.
        """

    def worst_explained(self, parameters: Parameters, n_points: int) -> Tensor:
        """At most so many points of lowest likelihood that differ from each other, (m, D)."""


class Complete:
    """Points of which every number is known, and no label.

    Args:
        points: of this process.
        parameters: where EM starts.
        group: the processes that take part.
    """

    def __init__(self, points: Points, parameters: Parameters, group: Group) -> None:
        self.n_points = group.total(len(points), points.device)
        self.device = points.device
        self._walk, self._group = Walk(points, parameters, points.dtype), group

    def expect(
        self, parameters: Parameters, alone: list[int] | None
    ) -> tuple[Statistics, list[int] | None]:
        evaluator = self._walk.evaluator(parameters, alone)
        return e_step(self._walk, parameters, self._group, evaluator), evaluator.alone

    def worst_explained(self, parameters: Parameters, n_points: int) -> Tensor:
        return worst_explained(self._walk, parameters, n_points, self._group)


@dataclass
class Ascent:
    """What one start led to.

    `lower_bounds[i]` is the mean log-likelihood, in nats, of `history[i]`, the parameters before
    that iteration, and with a prior its share of that; `parameters` are those after the last one.
    """

    parameters: Parameters
    lower_bounds: list[float] = field(default_factory=list)
    converged: bool = False
    history: list[Parameters] = field(default_factory=list)
    n_reseeded: int = 0


def ascend(
    observations: Observations,
    parameters: Parameters,
    regulariser: Regulariser,
    *,
    tol: float,
    max_iter: int,
    last_bound: float = -math.inf,
    keep_history: bool = False,
    on_iteration: Callable[[int, float], object] = lambda iteration, lower_bound: None,
) -> Ascent:
    """Iterate E-step and M-step from the given parameters.

    A look at the likelihood waits for the device, so a GPU takes several iterations between two
    looks. What a look finds is acted on as if every iteration had been looked at: later ones
    are dropped.

    Args:
        observations: the points.
        parameters: to start from.
        regulariser: of the M-step.
        tol: stop when the mean log-likelihood changes by less, in nats.
        max_iter: most iterations.
        last_bound: the log-likelihood from which the parameters come, in nats.
        keep_history: keep the parameters of every iteration.
        on_iteration: called after each with its number, from 1, and its log-likelihood in nats.

    Raises:
        ValueError: if a covariance stops being positive definite.
    """
    require_sound(parameters, regulariser)
    n_points = observations.n_points
    stride = _ITERATIONS_PER_LOOK.get(observations.device.type, 1)
    ascent = Ascent(parameters)
    bounds = ascent.lower_bounds
    while len(bounds) < max_iter:
        steps: list[_Step] = []
        for _ in range(min(stride, max_iter - len(bounds))):
            before = steps[-1].after if steps else ascent.parameters
            alone = steps[-1].alone if steps else None
            steps.append(_step(observations, before, alone, regulariser))
        looks = torch.stack([step.look() for step in steps]).tolist()
        for step, (bound, least, sound) in zip(steps, looks, strict=True):
            ascent.parameters = step.after
            before_it = bounds[-1] if bounds else last_bound
            bounds.append(bound)
            if keep_history:
                ascent.history.append(step.before)
            on_iteration(len(bounds), bound)
            if least * n_points < _EMPTY and ascent.n_reseeded < len(parameters.weights):
                empty = (step.after.weights * n_points < _EMPTY).nonzero()[:, 0]
                worst = observations.worst_explained(step.before, len(empty))
                ascent.parameters = reseeded(step.after, empty[: len(worst)], worst)
                ascent.n_reseeded += len(worst)
                require_sound(ascent.parameters, regulariser)
                break
            if not math.isfinite(bound + sound):
                require_sound(step.after, regulariser)
            if abs(bound - before_it) < tol:
                ascent.converged = True
                return ascent
    return ascent


class _Step(NamedTuple):
    """One iteration whose outcome hasn't been looked at."""

    before: Parameters
    bound: Tensor
    after: Parameters
    alone: list[int] | None

    def look(self) -> Tensor:
        """Log-likelihood, least weight, and a number that is finite if all is well."""
        return torch.stack([self.bound, self.after.weights.amin(), soundness(self.after)])


def _step(
    observations: Observations,
    before: Parameters,
    alone: list[int] | None,
    regulariser: Regulariser,
) -> _Step:
    statistics, alone = observations.expect(before, alone)
    share = regulariser.log_density(before) / statistics.counts.sum()
    after = regulariser.maximise(statistics)
    return _Step(before, statistics.log_likelihood + share, after, alone)


def soundness(parameters: Parameters) -> Tensor:
    """A number that is finite if every covariance is positive definite, and not just rounding.

    A component that has closed in on a point has a deviation below the last digit of its mean:
    whatever it says about its neighbourhood is rounding error.
    """
    roots = parameters.spread(parameters.precisions_cholesky)
    deviations = parameters.covariance.in_deviations(parameters.means, roots).amax()
    resolved = deviations * torch.finfo(roots.dtype).eps < 1
    return torch.where(resolved, deviations, torch.nan)


def require_sound(parameters: Parameters, regulariser: Regulariser) -> None:
    """Refuse parameters whose `soundness` isn't finite.

    Raises:
        ValueError: that says what may help.
    """
    if soundness(parameters).isfinite():
        return
    raise ValueError(
        f"{regulariser.too_weak()}, lower n_components, scale the columns alike, or remove "
        "constant columns and duplicate points."
    )


def worst_explained(walk: Walk, parameters: Parameters, n_points: int, group: Group) -> Tensor:
    """The points of lowest likelihood that differ from each other, worst first.

    Returns:
        At most `n_points` points, shape (m, D).
    """
    evaluator = walk.evaluator(parameters)
    few = 8 * n_points  # some are likely to be the same point again
    kept = parameters.means.new_zeros(0, 1 + parameters.means.shape[1])
    for chunk in walk:
        joint = chunk.x.new_empty(len(parameters.weights), chunk.x.shape[1])
        log_likelihood = evaluator.log_joint(chunk, out=joint).logsumexp(0)
        rows = torch.cat([log_likelihood[None], chunk.x]).mT.double()
        if chunk.weights is not None:
            rows = rows[chunk.weights > 0]
        kept = torch.cat([kept, rows])
        kept = kept[kept[:, 0].argsort(stable=True)[:few]]
    kept = group.gather(kept)
    kept = kept[kept[:, 0].argsort(stable=True)]
    distinct: list[Tensor] = []
    for point in kept[:, 1:]:
        if len(distinct) < n_points and not any(torch.equal(point, other) for other in distinct):
            distinct.append(point)
    return torch.stack(distinct)


def reseeded(parameters: Parameters, empty: Tensor, points: Tensor) -> Parameters:
    """Parameters whose empty components start again at given points.

    Such a component gets the average covariance and an average weight.

    Args:
        parameters: the mixture.
        empty: indices of components, shape (m,).
        points: as many points, shape (m, D).
    """
    covariance, means = parameters.covariance, parameters.means.clone()
    weights, covariances = parameters.weights.clone(), parameters.spread(parameters.covariances)
    weights[empty] = 0
    weights /= weights.sum()
    average = torch.einsum("k,k...->...", weights, covariances)
    covariances = covariances.clone()
    covariances[empty] = average
    means[empty] = points
    weights[empty] = 1 / len(weights)
    weights /= weights.sum()
    pooled = covariance.pool(covariances, weights)
    return Parameters(covariance, weights, means, pooled, covariance.precisions_cholesky(pooled))
