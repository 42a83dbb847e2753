"""Points with missing numbers, or of known label: EM over groups of points that are alike.

Points of which the same columns are observed are evaluated together, by the mixture's marginal over
these columns, which is a mixture in fewer columns: the kernel of `em` does it. What is missing then
follows from what is observed by each component's regression, mean and covariance, so that the
E-step's moments are those of the complete points, and EM is exact.

Points of known label are groups of their own too, evaluated by the components of that label.

Source: Ghahramani and Jordan, Supervised learning from incomplete data via an EM approach, 1994.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vaegmm.mixture.ascent import worst_explained
from vaegmm.mixture.chunks import Points
from vaegmm.mixture.conditioning import Regression, marginal, regression
from vaegmm.mixture.covariance import COVARIANCES
from vaegmm.mixture.em import Moments, Parameters, Statistics, Walk, expected_moments
from vaegmm.mixture.moments import combined
from vaegmm.processes import ALONE, Group

#: A start needs so many complete points for each component, or column if these are more.
_ENOUGH = 10


class Pattern(NamedTuple):
    """Points of which the same columns are observed, and which may belong to the same components.

    `x` (n, O) holds the observed columns alone, `rows` (n,) says which points they are.
    """

    rows: Tensor
    columns: Tensor  # (O,), which are observed
    components: Tensor | None  # which they may belong to; None: all
    x: Tensor
    weights: Tensor | None

    def part(self, parameters: Parameters) -> Parameters:
        """The mixture of the observed columns."""
        return marginal(parameters, self.columns, self.components)

    def missing(self, dimension: int) -> Tensor:
        """The other columns, (M,)."""
        is_missing = torch.ones(dimension, dtype=torch.bool, device=self.columns.device)
        is_missing[self.columns] = False
        return is_missing.nonzero()[:, 0]


def patterns(
    points: Points, labels: Tensor | None = None, components: list[Tensor | None] | None = None
) -> list[Pattern]:
    """Group points by what is missing, and by their label.

    Args:
        points: NaN where a number is missing. They are held in memory.
        labels: an index into `components` for each point, shape (N,).
        components: which components a point of each label may belong to.
    """
    x = torch.cat([block for block, _ in points])
    key = x.isnan().to(torch.int64)
    if labels is not None:
        key = torch.cat([key, labels[:, None].to(key)], 1)
    kinds, of_point = key.unique(dim=0, return_inverse=True)
    found = []
    for kind, description in enumerate(kinds):
        rows = (of_point == kind).nonzero()[:, 0]
        columns = (description[: x.shape[1]] == 0).nonzero()[:, 0]
        own = None if components is None else components[int(description[-1])]
        weights = None if points.weights is None else points.weights[rows]
        found.append(Pattern(rows, columns, own, x[rows][:, columns], weights))
    return found


class Incomplete:
    """Points in groups, for `ascend`.

    Args:
        groups: of this process.
        parameters: where EM starts.
        dtype: of the points.
        group: the processes that take part.
    """

    def __init__(
        self,
        groups: list[Pattern],
        parameters: Parameters,
        dtype: torch.dtype,
        group: Group = ALONE,
    ) -> None:
        self.device = parameters.means.device
        self.n_points = group.total(sum(len(g.rows) for g in groups), self.device)
        self._patterns, self._group = groups, group
        self._walks = [
            Walk([(g.x, g.weights)], g.part(parameters), dtype) if len(g.columns) else None
            for g in groups
        ]

    def expect(
        self, parameters: Parameters, alone: list[int] | None
    ) -> tuple[Statistics, list[int] | None]:
        return self.moments(parameters).pooled(parameters.covariance), None

    def moments(self, parameters: Parameters) -> Moments:
        """What the E-step adds up."""
        parts = []
        for pattern, walk in zip(self._patterns, self._walks, strict=True):
            if walk is None:
                moments = _unobserved(pattern, parameters)
            else:
                moments = expected_moments(walk, pattern.part(parameters))
            parts.append((1.0, completed(moments, parameters, pattern)))
        return combined(parts, parameters.means, self._group)

    def worst_explained(self, parameters: Parameters, n_points: int) -> Tensor:
        # Likelihoods of different columns cannot be compared: of those that say most, the most.
        size = max(len(pattern.columns) for pattern in self._patterns)
        widest = [pattern for pattern in self._patterns if len(pattern.columns) == size]
        pattern = max(widest, key=lambda pattern: len(pattern.rows))
        walk = Walk([(pattern.x, pattern.weights)], pattern.part(parameters), torch.float64)
        worst = worst_explained(walk, pattern.part(parameters), n_points, self._group)
        points = (parameters.weights @ parameters.means).repeat(len(worst), 1)
        points[:, pattern.columns] = worst
        return points


def completed(moments: Moments, parameters: Parameters, pattern: Pattern) -> Moments:
    """Moments of all columns and components from those of a pattern's."""
    n_components, dimension = parameters.means.shape
    chosen = pattern.components
    if chosen is not None:
        parameters = _of(parameters, chosen)
    means, covariances = moments.means, moments.covariances
    missing, observed = pattern.missing(dimension), pattern.columns
    if len(missing):
        fit = regression(parameters, observed, missing)
        complete = parameters.means.clone()
        complete[:, observed] = means
        shift = means - parameters.means[:, observed]
        complete[:, missing] = fit.expected(parameters.means[:, missing], shift)
        means, covariances = complete, _completed(covariances, fit, observed, missing)
    if chosen is None:
        return Moments(moments.log_likelihood, moments.counts, means, covariances)
    counts = moments.counts.new_zeros(n_components)
    all_means = means.new_zeros(n_components, dimension)
    all_covariances = covariances.new_zeros(n_components, *covariances.shape[1:])
    counts[chosen], all_means[chosen], all_covariances[chosen] = moments.counts, means, covariances
    return Moments(moments.log_likelihood, counts, all_means, all_covariances)


def _completed(covariances: Tensor, fit: Regression, observed: Tensor, missing: Tensor) -> Tensor:
    """Covariances of all columns: the observed ones', passed on to the missing, and the rest."""
    dimension = len(observed) + len(missing)
    if fit.gain is None and covariances.ndim == 2:
        complete = covariances.new_zeros(len(covariances), dimension)
        complete[:, observed], complete[:, missing] = covariances, fit.residual
        return complete
    complete = covariances.new_zeros(len(covariances), dimension, dimension)
    complete[:, observed[:, None], observed] = covariances
    complete[:, missing[:, None], missing] = fit.residual
    if fit.gain is not None:
        across = fit.gain @ covariances  # (K, M, O)
        complete[:, missing[:, None], observed] = across
        complete[:, observed[:, None], missing] = across.mT
        complete[:, missing[:, None], missing] += across @ fit.gain.mT
    return complete


def _unobserved(pattern: Pattern, parameters: Parameters) -> Moments:
    """Moments of points of which nothing is observed: their components are as likely as ever."""
    weights, means = parameters.weights, parameters.means
    if pattern.components is not None:
        weights, means = weights[pattern.components], means[pattern.components]
    n = means.new_tensor(len(pattern.rows)) if pattern.weights is None else pattern.weights.sum()
    total = weights.sum()
    covariances = parameters.spread(parameters.covariances)
    empty = means.new_zeros(len(weights), *[0] * (covariances.ndim - 1))
    return Moments(n * total.log(), n * weights / total, means[:, :0], empty)


def _of(parameters: Parameters, components: Tensor) -> Parameters:
    """Some components of a mixture."""
    everything = torch.arange(parameters.means.shape[1], device=components.device)
    return marginal(parameters, everything, components)


def log_joint(parameters: Parameters, pattern: Pattern) -> Tensor:
    """Log w_k + log p(observed | k) of a pattern's points, (K, n), in float64."""
    if not len(pattern.columns):
        return parameters.weights.log()[:, None].expand(-1, len(pattern.rows))
    part = pattern.part(parameters)
    walk = Walk([(pattern.x, None)], part, torch.float64)
    evaluator, size = walk.evaluator(part), len(part.weights)
    chunks = (evaluator.log_joint(c, out=c.x.new_empty(size, c.x.shape[1])) for c in walk)
    return torch.cat(list(chunks), 1)


def expected(parameters: Parameters, pattern: Pattern) -> Tensor:
    """What a pattern's missing numbers are expected to be, (n, M), in float64.

    E[missing | observed] = sum_k p(k | observed) E[missing | observed, k]
    """
    missing = pattern.missing(parameters.means.shape[1])
    responsibilities = log_joint(parameters, pattern).softmax(0).mT  # (n, K)
    fit = regression(parameters, pattern.columns, missing)
    known, unknown = parameters.means[:, pattern.columns], parameters.means[:, missing]
    result = responsibilities @ unknown
    if fit.gain is None:
        return result
    for k, gain in enumerate(fit.gain):
        result += responsibilities[:, k, None] * ((pattern.x.double() - known[k]) @ gain.mT)
    return result


def without_missing(sample: tuple[Tensor, Tensor], n_components: int) -> tuple[Tensor, Tensor]:
    """Points to start from, and their weights: those that are complete, if they are enough.

    What is expected of the others draws them together, where clusters are hard to see.
    """
    x, weights = sample
    is_complete = ~x.isnan().any(1)
    if (is_complete & (weights > 0)).sum() >= _ENOUGH * max(n_components, x.shape[1]):
        return x[is_complete], weights[is_complete]
    return completed_sample(x, weights), weights


def completed_sample(x: Tensor, weights: Tensor, max_iter: int = 20) -> Tensor:
    """Points whose missing numbers are what one Gaussian, fitted to all, expects of them.

    Good enough to start from: EM itself never uses them.

    Raises:
        ValueError: if nothing is known of a column.
    """
    points = Points(x, weights, allow_missing=True)
    seen = ~x.isnan() * weights[:, None]
    total = seen.sum(0).double()
    if not (total > 0).all():
        raise ValueError(
            "X must have at least one number in every column; got none in column "
            f"{(total <= 0).nonzero()[0].item()}. Remove it."
        )
    known = x.double().nan_to_num()
    mean = (seen * known).sum(0) / total
    variance = (seen * (known - mean).square()).sum(0) / total
    variance = torch.where(variance > 0, variance, 1.0)
    wide = x.shape[1] > COVARIANCES["full"].largest_dimension
    covariance = variance[None] if wide else variance.diag()[None]
    kind = "diag" if wide else "full"
    parameters = Parameters.of(kind, torch.ones_like(mean[:1]), mean[None], covariance)
    groups = patterns(points)
    observations = Incomplete(groups, parameters, torch.float64)
    for _ in range(0 if wide else max_iter):
        statistics, _ = observations.expect(parameters, None)
        ridge = 1e-6 * variance.diag()
        parameters = Parameters.of(
            kind, parameters.weights, statistics.means, statistics.covariances + ridge
        )
    return fill(x, parameters, groups)


def fill(x: Tensor, parameters: Parameters, groups: list[Pattern]) -> Tensor:
    """Points with what is expected in place of what is missing, (N, D)."""
    complete = x.clone()
    for pattern in groups:
        missing = pattern.missing(x.shape[1])
        if len(missing):
            complete[pattern.rows[:, None], missing] = expected(parameters, pattern).to(x.dtype)
    return complete
