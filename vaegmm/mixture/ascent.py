"""EM from one start: iterations until the likelihood stands still, and what may go wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from vaegmm.mixture.chunks import Points
from vaegmm.mixture.em import Parameters, Walk, e_step, m_step
from vaegmm.processes import Group

#: A component that expects fewer points than this is empty.
_EMPTY = 1e-3

#: Iterations between two looks at the likelihood: a look waits for a GPU to finish.
_ITERATIONS_PER_LOOK = {"cpu": 1, "cuda": 8}


@dataclass
class Ascent:
    """What one start led to.

    `lower_bounds[i]` is the mean log-likelihood, in nats, of `history[i]`, the parameters before
    that iteration; `parameters` are those after the last one.
    """

    parameters: Parameters
    lower_bounds: list[float] = field(default_factory=list)
    converged: bool = False
    history: list[Parameters] = field(default_factory=list)
    n_reseeded: int = 0


def ascend(
    points: Points,
    parameters: Parameters,
    *,
    tol: float,
    max_iter: int,
    reg_covar: float,
    group: Group,
    keep_history: bool = False,
    on_iteration: Callable[[int, float], object] = lambda iteration, lower_bound: None,
) -> Ascent:
    """Iterate E-step and M-step from the given parameters.

    A look at the likelihood waits for the device, so a GPU takes several iterations between two
    looks. What a look finds is acted on as if every iteration had been looked at: later ones
    are dropped.

    Args:
        points: of this process.
        parameters: to start from.
        tol: stop when the mean log-likelihood changes by less, in nats.
        max_iter: most iterations.
        reg_covar: added to every variance.
        group: the processes that take part.
        keep_history: keep the parameters of every iteration.
        on_iteration: called after each with its number, from 1, and its log-likelihood in nats.

    Raises:
        ValueError: if a covariance stops being positive definite.
    """
    require_sound(parameters, reg_covar)
    walk = Walk(points, parameters, points.dtype)
    n_points = group.total(len(points), points.device)
    stride = _ITERATIONS_PER_LOOK.get(points.device.type, 1)
    ascent = Ascent(parameters)
    bounds = ascent.lower_bounds
    while len(bounds) < max_iter:
        steps: list[_Step] = []
        for _ in range(min(stride, max_iter - len(bounds))):
            before = steps[-1].after if steps else ascent.parameters
            alone = steps[-1].alone if steps else None
            steps.append(_step(walk, before, alone, reg_covar, group))
        looks = torch.stack([step.look() for step in steps]).tolist()
        for step, (bound, least, sound) in zip(steps, looks, strict=True):
            ascent.parameters = step.after
            bounds.append(bound)
            if keep_history:
                ascent.history.append(step.before)
            on_iteration(len(bounds), bound)
            if least * n_points < _EMPTY and ascent.n_reseeded < len(parameters.weights):
                empty = (step.after.weights * n_points < _EMPTY).nonzero()[:, 0]
                worst = worst_explained(walk, step.before, len(empty), group)
                ascent.parameters = reseeded(step.after, empty[: len(worst)], worst)
                ascent.n_reseeded += len(worst)
                require_sound(ascent.parameters, reg_covar)
                break
            if not math.isfinite(bound + sound):
                require_sound(step.after, reg_covar)
            if len(bounds) > 1 and abs(bounds[-1] - bounds[-2]) < tol:
                ascent.converged = True
                return ascent
    return ascent


class _Step(NamedTuple):
    """One iteration whose outcome hasn't been looked at."""

    before: Parameters
    log_likelihood: Tensor
    after: Parameters
    alone: list[int]

    def look(self) -> Tensor:
        """Log-likelihood, least weight, and a number that is finite if all is well."""
        return torch.stack([self.log_likelihood, self.after.weights.amin(), soundness(self.after)])


def _step(
    walk: Walk, before: Parameters, alone: list[int] | None, reg_covar: float, group: Group
) -> _Step:
    evaluator = walk.evaluator(before, alone)
    statistics = e_step(walk, before, group, evaluator)
    after = m_step(statistics, reg_covar)
    return _Step(before, statistics.log_likelihood, after, evaluator.alone)


def soundness(parameters: Parameters) -> Tensor:
    """A number that is finite if every covariance is positive definite, and not just rounding.

    A component that has closed in on a point has a deviation below the last digit of its mean:
    whatever it says about its neighbourhood is rounding error.
    """
    roots = parameters.spread(parameters.precisions_cholesky)
    deviations = parameters.covariance.in_deviations(parameters.means, roots).amax()
    resolved = deviations * torch.finfo(roots.dtype).eps < 1
    return torch.where(resolved, deviations, torch.nan)


def require_sound(parameters: Parameters, reg_covar: float) -> None:
    """Refuse parameters whose `soundness` isn't finite.

    Raises:
        ValueError: that says what may help.
    """
    if soundness(parameters).isfinite():
        return
    raise ValueError(
        "reg_covar must be large enough to keep every covariance positive definite; got "
        f"reg_covar={reg_covar}. Raise reg_covar, lower n_components, scale the columns alike, or "
        "remove constant columns and duplicate points."
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
