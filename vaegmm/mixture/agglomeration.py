"""Clusters of any shape, merged from many small ones by what a merger costs in likelihood.

k-means cuts space into cells that are as broad as they are long. Many small cells follow clusters
of every shape; merged two by two, those of one Gaussian come together, since a merger costs least
where one Gaussian does for both.

Source: Fraley, Algorithms for model-based Gaussian hierarchical clustering, 1998.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vaegmm.mixture.covariance import Covariance
from vaegmm.mixture.kmeans import kmeans_plus_plus, lloyd, nearest

#: Small clusters: so many a component, but at least so many, and at most so many more than those.
_A_COMPONENT, _LEAST, _MORE = 4, 40, 100

#: Iterations of k-means for them: they need no more than to be small.
_MAX_ITER = 4

#: Above so many columns axes are taken to be independent, and aren't turned.
_WIDE = 32


def agglomerate(
    x: Tensor,
    weights: Tensor,
    n_components: int,
    covariance: Covariance,
    generator: torch.Generator,
) -> Tensor | None:
    """Merge small clusters until K are left.

    Args:
        x: points as columns, (D, n), float64.
        weights: (n,).
        n_components: K.
        covariance: the type, whose likelihood decides.
        generator: on the CPU.

    Returns:
        The cluster of every point, (n,); None where points are too few, or too much alike.
    """
    weights = weights.to(x)
    y = _whitened(x, weights, covariance)
    n_small = max(min(_A_COMPONENT * n_components, n_components + _MORE), _LEAST)
    n_small = min(n_small, x.shape[1])
    centres = y[:, kmeans_plus_plus(y, n_small, generator, weights)].mT
    labels = nearest(y, lloyd(y, centres, weights, max_iter=_MAX_ITER))
    found = labels[weights > 0].unique()
    if len(found) < n_components:
        return None
    labels = torch.searchsorted(found, labels).clamp_max(len(found) - 1)
    return merged(y, weights, labels, n_components, covariance)[labels]


def merged(
    y: Tensor, weights: Tensor, labels: Tensor, n_clusters: int, covariance: Covariance
) -> Tensor:
    """Merge the cheapest pair of clusters again and again.

    A cluster costs its part of the log-likelihood, n/2 log |Sigma|. A Gaussian of D + 1 points and
    of the clusters' average variance is added to each, so that a few points in a line cost no less
    than nothing.

    Args:
        y: points, (D, n), whitened.
        weights: (n,).
        labels: the small cluster of every point, (n,); none without points.
        n_clusters: K.
        covariance: the type.

    Returns:
        The cluster of each small cluster, (M,), from 0 to K - 1.
    """
    clusters = _Clusters(y, weights, labels, covariance)
    n_small = len(clusters.counts)
    into = np.arange(n_small)
    costs = np.stack([clusters.costs_with(i) for i in range(n_small)])
    np.fill_diagonal(costs, np.inf)
    for _ in range(n_small - n_clusters):
        i, j = sorted(divmod(int(costs.argmin()), n_small))
        clusters.merge(i, j)
        into[into == j] = i
        row = clusters.costs_with(i)
        row[into != np.arange(n_small)] = np.inf
        row[i] = np.inf
        costs[i], costs[:, i], costs[j], costs[:, j] = row, row, np.inf, np.inf
    return torch.from_numpy(np.unique(into, return_inverse=True)[1]).to(labels.device)


class _Clusters:
    """Counts, means and scatter of clusters, in numpy: thousands of small steps."""

    def __init__(self, y: Tensor, weights: Tensor, labels: Tensor, covariance: Covariance) -> None:
        dimension, n_small = len(y), int(labels.max()) + 1
        #: Whether axes are taken to be independent.
        self.diagonal = dimension > _WIDE or covariance.name in ("diag", "spherical")
        self.spherical = covariance.name == "spherical"
        member = y.new_zeros(n_small, y.shape[1])
        member[labels, torch.arange(y.shape[1], device=y.device)] = weights
        counts = member.sum(1)
        means = member @ y.mT / counts[:, None]
        centred = y - means[labels].mT
        if self.diagonal:
            scatter = member @ centred.square().mT
        else:
            products = (centred[:, None] * centred).flatten(0, 1)
            scatter = (member @ products.mT).view(n_small, dimension, dimension)
        self.counts, self.means = counts.cpu().numpy(), means.cpu().numpy()
        self.scatter = scatter.cpu().numpy()
        total = self.scatter.sum(0)
        average = (total if self.diagonal else total.diagonal()).mean() / self.counts.sum()
        self.prior_count = dimension + 1.0
        floor = self.prior_count * max(average, 1e-12) * np.ones(dimension)
        self.prior = floor if self.diagonal else np.diag(floor)
        self.own = self._cost(self.counts, self.scatter)

    def _cost(self, counts: np.ndarray, scatter: np.ndarray) -> np.ndarray:
        total = counts + self.prior_count
        if self.diagonal:
            variances = (scatter + self.prior) / total[:, None]
            if self.spherical:
                return counts * np.log(variances.mean(1)) * variances.shape[1]
            return counts * np.log(variances).sum(1)
        return counts * np.linalg.slogdet((scatter + self.prior) / total[:, None, None])[1]

    def _together(
        self, i: int, counts: np.ndarray, means: np.ndarray, scatter: np.ndarray
    ) -> np.ndarray:
        """Scatter of clusters and cluster i as one."""
        shift = means - self.means[i]
        pull = counts * self.counts[i] / (counts + self.counts[i])
        if self.diagonal:
            return scatter + self.scatter[i] + pull[:, None] * shift**2
        outer = shift[:, :, None] * shift[:, None]
        return scatter + self.scatter[i] + pull[:, None, None] * outer

    def costs_with(self, i: int) -> np.ndarray:
        """What merging cluster i with each other one costs, (M,)."""
        scatter = self._together(i, self.counts, self.means, self.scatter)
        return self._cost(self.counts + self.counts[i], scatter) - self.own - self.own[i]

    def merge(self, i: int, j: int) -> None:
        """Put cluster j into cluster i."""
        one = slice(j, j + 1)
        self.scatter[i] = self._together(i, self.counts[one], self.means[one], self.scatter[one])[0]
        count = self.counts[i] + self.counts[j]
        self.means[i] += self.counts[j] / count * (self.means[j] - self.means[i])
        self.counts[i] = count
        self.own[i] = self._cost(self.counts[i : i + 1], self.scatter[i : i + 1])[0]


def _whitened(x: Tensor, weights: Tensor, covariance: Covariance) -> Tensor:
    """Coordinates in which the points have mean 0 and covariance 1, as the type allows.

    Where all axes share one variance, they keep their proportions.
    """
    share = weights / weights.sum()
    y = x - (x @ share)[:, None]
    variances = y.square() @ share
    if covariance.name == "spherical":
        return (y / variances.mean().clamp_min(torch.finfo(x.dtype).tiny).sqrt()).contiguous()
    y = y / torch.where(variances > 0, variances, 1.0).sqrt()[:, None]
    if covariance.name == "diag" or len(y) > _WIDE:
        return y.contiguous()
    values, vectors = torch.linalg.eigh((y * share) @ y.mT)
    # A direction with hardly any variance is not blown up.
    scale = values.clamp_min(1e-10).rsqrt() * (values > 1e-10)
    return (scale[:, None] * (vectors.mT @ y)).contiguous()
