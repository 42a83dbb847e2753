"""How many components, and of which covariance type: fits of growing size, compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor

from vaegmm.mixture.chunks import Points
from vaegmm.mixture.covariance import COVARIANCES
from vaegmm.mixture.density import CovarianceType
from vaegmm.mixture.em import Parameters
from vaegmm.mixture.gaussian_mixture import GaussianMixture
from vaegmm.mixture.start import best_start, draw_sample
from vaegmm.processes import ALONE

Criterion = Literal["bic", "aic", "held-out"]

#: What of a start a user may give.
_GIVEN = ("weights_init", "means_init", "precisions_init")


class Size(NamedTuple):
    """One fit, and what speaks for it."""

    n_components: int
    covariance_type: CovarianceType
    mixture: GaussianMixture
    log_likelihood: float  # of the points it was fitted to, mean, in nats
    held_out: float  # of others, mean, in nats; NaN where there are none
    bic: float  # lower is better
    aic: float

    def merit(self, criterion: Criterion) -> float:
        """What is to be as large as possible."""
        return {"bic": -self.bic, "aic": -self.aic, "held-out": self.held_out}[criterion]


class Selection(NamedTuple):
    """The best fit, and all of them in the order in which they were made."""

    best: Size
    sizes: list[Size]

    @property
    def mixture(self) -> GaussianMixture:
        """The best mixture."""
        return self.best.mixture


def select_components(
    X: Any,
    components: Sequence[int] = tuple(range(1, 11)),
    covariance_types: Sequence[CovarianceType] = ("full",),
    criterion: Criterion = "bic",
    held_out: Any = 0.2,
    progress: Callable[[Size], object] | None = None,
    **params: Any,
) -> Selection:
    """Fit mixtures of several sizes and covariance types, and say which is best.

    Each size starts from the one before, its broadest components split in two, or from the default
    start, whichever a few iterations lead higher.

    Args:
        X: points, shape (N, D), without missing numbers.
        components: sizes to try.
        covariance_types: types to try.
        criterion: "bic", "aic" or "held-out", the likelihood of points that were not fitted to.
        held_out: with "held-out", these points, shape (M, D), or the share of X that is kept from
            the fits, drawn by `random_state`.
        progress: called with each fit; what it raises ends the search.
        params: of every `GaussianMixture`.

    Raises:
        ValueError: if there is nothing to try, or a fit is impossible.

    Example:
        >>> noise = np.random.default_rng(0).normal(size=(2, 80, 2))
        >>> points = np.concatenate([noise[0], noise[1] + 9])
        >>> select_components(points, range(1, 4)).best.n_components
        2
    """
    sizes = sorted(set(components))
    if not sizes or not covariance_types or criterion not in get_args(Criterion):
        raise ValueError(
            "components and covariance_types must not be empty, and criterion one of "
            f"{', '.join(get_args(Criterion))}; got {list(components)}, {list(covariance_types)}, "
            f"criterion={criterion!r}."
        )
    others: Any = None
    if criterion == "held-out":
        X, others = _split(X, held_out, params.get("random_state", 0))
    found: list[Size] = []
    for covariance_type in covariance_types:
        smaller: GaussianMixture | None = None
        for n_components in sizes:
            mixture = GaussianMixture(n_components, covariance_type=covariance_type, **params)
            given = any(getattr(mixture, name) is not None for name in _GIVEN)
            if smaller is not None and not given and mixture.init_params == "auto":
                mixture.set_params(**_warm(X, mixture, smaller)).fit(X)
                mixture.set_params(**dict.fromkeys(_GIVEN))
            else:
                mixture.fit(X)
            smaller = mixture
            outside = float("nan") if others is None else mixture.score(others)
            size = Size(
                n_components,
                covariance_type,
                mixture,
                mixture.score(X),
                outside,
                mixture.bic(X),
                mixture.aic(X),
            )
            found.append(size)
            if progress is not None:
                progress(size)
    return Selection(max(found, key=lambda size: size.merit(criterion)), found)


def _warm(X: Any, mixture: GaussianMixture, smaller: GaussianMixture) -> dict[str, Any]:
    """A start of `mixture` from a smaller one, or the default start if that leads higher."""
    points = Points(X)
    generator = mixture._generator(ALONE, points.device)
    sample = draw_sample(points, mixture.n_components, ALONE, generator)
    grown = smaller._parameters(points.device)
    while len(grown.weights) < mixture.n_components:
        grown = split(grown, mixture.n_components - len(grown.weights))
    start = best_start(
        sample,
        mixture.n_components,
        COVARIANCES[mixture.covariance_type],
        mixture._resolved(sample),
        mixture.reg_covar,
        generator,
        mixture.tol,
        others=[grown],
    )
    precisions = start.covariance.precisions(start.precisions_cholesky)
    return dict(zip(_GIVEN, (start.weights, start.means, precisions), strict=True))


def split(parameters: Parameters, n_splits: int) -> Parameters:
    """A mixture in which the components that spread most points widest are two each.

    The halves lie on both sides of the mean, along its longest axis, and have between them the
    variance that they no longer have each.

    Args:
        parameters: the mixture.
        n_splits: how many more components there are to be; at most as many as there are.
    """
    covariance = parameters.covariance
    covariances = parameters.spread(parameters.covariances)
    matrices = covariances.ndim == 3
    variances = covariances.diagonal(dim1=1, dim2=2) if matrices else covariances
    scatter = parameters.weights * variances.sum(1)
    chosen = scatter.topk(min(n_splits, len(scatter))).indices
    own = covariances[chosen]
    if matrices:
        values, vectors = torch.linalg.eigh(own)
        axis = vectors[:, :, -1] * values[:, -1:].sqrt()
        less = own - 0.5 * axis[:, :, None] * axis[:, None]
    else:
        longest = own.argmax(1, keepdim=True)
        axis = torch.zeros_like(own).scatter(1, longest, own.gather(1, longest).sqrt())
        less = own - 0.5 * axis.square()
    shift = 0.5**0.5 * axis  # half the variance lies between the halves
    weights, means, covariances = (
        parameters.weights.clone(),
        parameters.means.clone(),
        covariances.clone(),
    )
    weights[chosen] /= 2
    means[chosen] -= shift
    covariances[chosen] = less
    weights = torch.cat([weights, weights[chosen]])
    means = torch.cat([means, parameters.means[chosen] + shift])
    pooled = covariance.pool(torch.cat([covariances, less]), weights)
    return Parameters(covariance, weights, means, pooled, covariance.precisions_cholesky(pooled))


def _split(X: Any, held_out: Any, random_state: Any) -> tuple[Any, Any]:
    """Points to fit to, and others."""
    if not isinstance(held_out, (int, float)):
        return X, held_out
    n_points = len(X)
    n_others = round(held_out * n_points)
    if not (isinstance(X, (np.ndarray, Tensor)) and 0 < n_others < n_points):
        raise ValueError(
            "held_out must be a share that leaves some points on both sides, of an array or tensor "
            f"X, or points of their own; got held_out={held_out}, points={n_points}."
        )
    seed = random_state if isinstance(random_state, int) else None
    order = np.random.default_rng(seed).permutation(n_points)
    return X[np.sort(order[n_others:])], X[np.sort(order[:n_others])]
