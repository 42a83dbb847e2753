"""Where EM starts: parameters from a sample of the points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vaegmm.mixture.agglomeration import agglomerate
from vaegmm.mixture.ascent import Complete, ascend
from vaegmm.mixture.chunks import Points
from vaegmm.mixture.covariance import Covariance
from vaegmm.mixture.em import Parameters, Statistics, m_step
from vaegmm.mixture.kmeans import kmeans_plus_plus, lloyd, nearest
from vaegmm.mixture.priors import Regulariser
from vaegmm.mixture.values import tensor
from vaegmm.processes import ALONE, Group

#: A start is found on at most this many points, and at most that many a component.
_SAMPLE, _SAMPLE_PER_COMPONENT = 2**15, 256

#: Several starts are tried on at most this many points, and at most that many a component.
_TRIAL, _TRIAL_PER_COMPONENT = 2**11, 64

#: Iterations of EM that each is tried for: a few, or, where these are all the points, as many as
#: show where it ends.
_TRIAL_ITERATIONS, _LONG_TRIAL = 6, 100

#: A start must lead this much higher to be preferred to one before it, in nats.
_PREFERRED = 1e-4


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
    order = (x.double().nan_to_num() * direction).sum(1).argsort()
    return x[order], weights[order]


def best_start(
    sample: tuple[Tensor, Tensor],
    n_components: int,
    covariance: Covariance,
    regulariser: Regulariser,
    reg_covar: float,
    generator: torch.Generator,
    tol: float,
    others: Sequence[Parameters] = (),
    advanced: bool = False,
) -> Parameters:
    """The start that a few iterations of EM lead highest, of several kinds, tried on few points.

    k-means finds clusters that are as broad as they are long, and is what the others have to beat;
    merged from small clusters they may have any shape.

    Args:
        sample: points (n, D) and their weights (n,).
        n_components: K.
        covariance: the covariance type.
        regulariser: of the trials' M-steps.
        reg_covar: added to every variance of a start.
        generator: on the CPU.
        tol: of the fit to come, and of the trials.
        others: starts to be tried besides.
        advanced: return where its trial led: for points of which the sample is the best known
            part, since the others pull a start less surely the right way.
    """
    x, weights = sample
    kmeans_iterations, max_iter = 50, _LONG_TRIAL
    limit = max(_TRIAL, _TRIAL_PER_COMPONENT * n_components)
    if len(x) > limit:
        few = torch.randperm(len(x), generator=generator)[:limit].sort().values.to(x.device)
        x, weights = x[few], weights[few]
        # The last moves of k-means are for these points alone.
        kmeans_iterations, max_iter = 10, _TRIAL_ITERATIONS
    kmeans = initial_parameters(
        (x, weights), n_components, covariance, "kmeans", reg_covar, generator,
        max_iter=kmeans_iterations,
    )  # fmt: skip
    starts = [kmeans, *others]
    if n_components > 1:
        labels = agglomerate(x.double().mT, weights, n_components, covariance, generator)
        if labels is not None:
            starts.append(from_labels(x, weights, labels, n_components, covariance, reg_covar))
    if len(starts) == 1:
        return kmeans
    points = Points(x, weights)
    best, highest = kmeans, -math.inf
    for start in starts:
        try:
            trial = ascend(
                Complete(points, start, ALONE), start, regulariser, tol=tol, max_iter=max_iter
            )
        except ValueError:  # a covariance collapsed: no place to start from
            continue
        if trial.lower_bounds[-1] > highest + _PREFERRED:
            best = trial.parameters if advanced else start
            highest = trial.lower_bounds[-1]
    return best


def given_start(
    weights: Any,
    means: Any,
    precisions: Any,
    n_components: int,
    dimension: int,
    covariance: Covariance,
    device: torch.device,
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Check the start that a user gives: weights, means and covariances, None where not given.

    Raises:
        ValueError: if a shape is wrong, weights don't sum to 1 or precisions aren't positive.
    """
    shapes = {
        "weights_init": (weights, (n_components,)),
        "means_init": (means, (n_components, dimension)),
        "precisions_init": (precisions, covariance.shape(n_components, dimension)),
    }
    given: dict[str, Tensor | None] = {}
    for name, (value, shape) in shapes.items():
        found = None if value is None else tensor(value).to(device, torch.float64)
        if found is not None and found.shape != shape:
            raise ValueError(f"{name} must have shape {shape}; got {tuple(found.shape)}.")
        given[name] = found
    given_weights, given_precisions = given["weights_init"], given["precisions_init"]
    if given_weights is not None and not (
        (given_weights >= 0).all() and abs(given_weights.sum().item() - 1) < 1e-6
    ):
        raise ValueError(
            "weights_init must be at least 0 and sum to 1; got a sum of "
            f"{given_weights.sum().item():.6g}."
        )
    covariances = None
    if given_precisions is not None:
        covariances = covariance.invert(given_precisions)
        if not covariances.isfinite().all():
            raise ValueError("precisions_init must be positive definite; got others.")
    return given_weights, given["means_init"], covariances


def initial_parameters(
    sample: tuple[Tensor, Tensor],
    n_components: int,
    covariance: Covariance,
    init_params: str,
    reg_covar: float,
    generator: torch.Generator,
    means: Tensor | None = None,
    max_iter: int = 50,
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
        max_iter: most iterations of k-means.
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
            centres = lloyd(x, centres, weights, max_iter)
    labels = nearest(x, centres)
    members = ((labels == k) * weights for k in range(n_components))
    parameters = _from_responsibilities(x, members, n_components, covariance, reg_covar)
    return replace(parameters, means=parameters.means + middle[:, 0].double())


def from_labels(
    x: Tensor,
    weights: Tensor,
    labels: Tensor,
    n_components: int,
    covariance: Covariance,
    reg_covar: float,
) -> Parameters:
    """One M-step on points (n, D), each of which belongs to the component of its label, (n,)."""
    members = ((labels == k) * weights for k in range(n_components))
    return _from_responsibilities(x.mT, members, n_components, covariance, reg_covar)


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
