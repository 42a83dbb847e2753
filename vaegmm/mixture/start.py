"""Where EM starts: parameters from a sample of the points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from vaegmm.mixture.chunks import Points
from vaegmm.mixture.covariance import Covariance
from vaegmm.mixture.em import Parameters, Statistics, m_step
from vaegmm.mixture.kmeans import kmeans_plus_plus, lloyd, nearest
from vaegmm.processes import Group

#: A start is found on at most this many points, and at most that many a component.
_SAMPLE, _SAMPLE_PER_COMPONENT = 2**15, 256


def draw_sample(
    points: Points, n_components: int, group: Group, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """All points, or a uniform sample of them, in an order of their own.

    The order makes a start the same for a weight of 2 as for a point that comes twice, and for
    points that come in any order. What is drawn depends on the order of the points alone, not on
    how they are split over chunks and processes.

    Returns:
        Points, shape (n, D), and their weights, shape (n,).
    """
    sizes = group.gather(torch.tensor([float(len(points))], device=points.device)).tolist()
    start, total = int(sum(sizes[: group.rank])), int(sum(sizes))
    limit = max(_SAMPLE, _SAMPLE_PER_COMPONENT * n_components)
    if total <= limit:
        indices = torch.arange(total)
    else:
        # Drawn with replacement, which needs no memory in proportion to the points; the few
        # that come twice are dropped.
        indices = torch.randint(total, (limit,), generator=generator).unique()
    mine = indices[(indices >= start) & (indices < start + len(points))] - start
    x, weights = points.rows(mine)
    x, weights = group.gather(x), group.gather(weights)
    direction = torch.randn(x.shape[1], generator=generator, dtype=torch.float64).to(x.device)
    order = (x.double() * direction).sum(1).argsort()
    return x[order], weights[order]


def initial_parameters(
    sample: tuple[Tensor, Tensor],
    n_components: int,
    covariance: Covariance,
    init_params: str,
    reg_covar: float,
    generator: torch.Generator,
    means: Tensor | None = None,
) -> Parameters:
    """Parameters from a sample: one M-step on the clusters of a start.

    Args:
        sample: points (n, D) and their weights (n,).
        n_components: K.
        covariance: the covariance type.
        init_params: "kmeans", "k-means++" (its centres, unmoved), "random_from_data" (centres are
            random points) or "random" (random responsibilities).
        reg_covar: added to every variance.
        generator: on the CPU.
        means: centres to start from in place of those, shape (K, D).
    """
    x, weights = sample[0].mT, sample[1]
    if init_params == "random" and means is None:
        draws = torch.rand(n_components, x.shape[1], generator=generator).to(x)
        draws *= weights / draws.sum(0)
        return _from_responsibilities(x, iter(draws), n_components, covariance, reg_covar)
    # Centred, since k-means takes distances from differences of squares.
    middle = x.mean(1, keepdim=True, dtype=torch.float64).to(x.dtype)
    x = (x - middle).contiguous()
    if means is not None:
        centres = means.to(x) - middle.mT
    elif init_params == "random_from_data":
        order = torch.rand(x.shape[1], generator=generator).to(x.device) * (weights > 0)
        centres = x[:, order.topk(n_components).indices].mT
    else:
        centres = x[:, kmeans_plus_plus(x, n_components, generator, weights)].mT
        if init_params == "kmeans":
            centres = lloyd(x, centres, weights)
    labels = nearest(x, centres)
    members = ((labels == k) * weights for k in range(n_components))
    parameters = _from_responsibilities(x, members, n_components, covariance, reg_covar)
    return replace(parameters, means=parameters.means + middle[:, 0].double())


def _from_responsibilities(
    x: Tensor,
    responsibilities: Iterable[Tensor],
    n_components: int,
    covariance: Covariance,
    reg_covar: float,
) -> Parameters:
    """One M-step on responsibilities (n,), component by component, about each one's own mean."""
    dimension = len(x)
    means = x.new_zeros(n_components, dimension, dtype=torch.float64)
    sums = means.new_zeros(covariance.n_features(dimension), n_components)
    for k, share in enumerate(responsibilities):
        members = share.nonzero()[:, 0]
        own, part = x[:, members].double(), share[members].double()
        if len(members):
            means[k] = own @ part / part.sum()
        sums[:, k] = covariance.weighted_features(own - means[k, :, None], part)
    unit = covariance.regularise(means.new_zeros(covariance.shape(n_components, dimension)), 1.0)
    frames = covariance.own_frames(means, covariance.spread(unit, n_components, dimension))
    counts, means, covariances = covariance.moments(sums, frames)
    pooled = covariance.pool(covariances, counts)
    return m_step(Statistics(covariance, counts.sum(), counts, means, pooled), reg_covar)
