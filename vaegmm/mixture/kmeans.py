"""k-means, for the start of a mixture: k-means++ and Lloyd's iterations, in matrix products.

Points are columns, x of shape (D, n); centres are rows, (K, D).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Numbers in the (K, n) block of one matrix product: about 2 MB.
_BLOCK = 2**18


def kmeans_plus_plus(
    x: Tensor, n_clusters: int, generator: torch.Generator, weights: Tensor | None = None
) -> Tensor:
    """Centres drawn far from one another, greedily.

    Each centre is the best of 2 + log K points drawn with probability proportional to their
    squared distance from the centres before.

    Args:
        x: points, shape (D, n); centred, since distances come from a difference of squares.
        n_clusters: K.
        generator: on the CPU, so that a seed means the same on every device.
        weights: shape (n,), or None.

    Returns:
        Indices of points, shape (K,).

    Source: Arthur and Vassilvitskii, k-means++, 2007.
    """
    n_trials = 2 + int(math.log(n_clusters))
    squares = x.square().sum(0)
    weights = torch.ones_like(squares) if weights is None else weights
    draws = torch.rand(n_clusters, n_trials, generator=generator, dtype=torch.float64)
    draws = draws.to(x.device)
    first = _draw(weights, draws[0, :1])
    chosen = [first[0]]
    nearest = _distances(x, squares, first)[0]
    for step in range(1, n_clusters):
        potential = nearest * weights
        # Nothing is left that isn't a centre already: any point will do.
        potential = torch.where(potential.sum() > 0, potential, weights)
        candidates = _draw(potential, draws[step])
        distances = torch.minimum(_distances(x, squares, candidates), nearest)
        best = (distances @ weights).argmin()
        chosen.append(candidates[best])
        nearest = distances[best]
    return torch.stack(chosen)


def _draw(weights: Tensor, uniform: Tensor) -> Tensor:
    """Indices with probabilities proportional to weights."""
    cumulative = weights.double().cumsum(0)
    indices = torch.searchsorted(cumulative, uniform * cumulative[-1], right=True)
    return indices.clamp_max(len(weights) - 1)


def _distances(x: Tensor, squares: Tensor, indices: Tensor) -> Tensor:
    """Squared distances of all points from some of them, (m, n)."""
    products = x[:, indices].mT @ x
    return (squares + squares[indices, None]).sub_(products, alpha=2).clamp_min_(0)


def nearest(x: Tensor, centres: Tensor) -> Tensor:
    """The nearest centre of every point, (n,).

    Args:
        x: points, shape (D, n).
        centres: shape (K, D).
    """
    theta = torch.cat([centres, -0.5 * centres.square().sum(1, keepdim=True)], 1)
    ones = torch.ones_like(x[:1])
    return torch.cat(
        [
            (theta @ torch.cat([part, one])).argmax(0)
            for part, one in zip(_split(x, len(centres)), _split(ones, len(centres)), strict=True)
        ]
    )


def lloyd(
    x: Tensor,
    centres: Tensor,
    weights: Tensor | None = None,
    max_iter: int = 50,
    tol: float = 1e-4,
) -> Tensor:
    """Move every centre to the mean of the points nearest to it, until they stand.

    A centre without points moves to the point farthest from its own centre.

    Args:
        x: points, shape (D, n).
        centres: shape (K, D).
        weights: shape (n,), or None.
        max_iter: most iterations.
        tol: stop when the centres' squared shifts add up to less than this share of a variance.

    Returns:
        Centres, shape (K, D).
    """
    n_clusters, dimension = centres.shape
    enough = tol * x.var(1, correction=0).mean().item()
    phi = torch.cat([x, torch.ones_like(x[:1])])  # (D + 1, n)
    parts = [part.contiguous() for part in _split(phi, n_clusters)]
    heavy = parts
    if weights is not None:
        heavy = [part * w for part, w in zip(parts, weights.split(parts[0].shape[1]), strict=True)]
    for _ in range(max_iter):
        theta = torch.cat([centres, -0.5 * centres.square().sum(1, keepdim=True)], 1)
        sums = torch.zeros_like(theta, dtype=torch.float64)
        for part, weighted in zip(parts, heavy, strict=True):
            affinity = theta @ part
            # Points halfway between centres count for both: no index, no scatter.
            members = (affinity >= affinity.amax(0)).to(x.dtype)
            sums += members @ weighted.mT
        counts = sums[:, dimension:]
        moved = torch.where(counts > 0, sums[:, :dimension] / counts, centres).to(x.dtype)
        empty = (counts[:, 0] <= 0).nonzero()[:, 0]
        if len(empty):
            distance = (x - centres[nearest(x, centres)].mT).square().sum(0)
            if weights is not None:
                distance = distance * (weights > 0)
            moved[empty] = x[:, distance.topk(len(empty)).indices].mT
        shift = (moved - centres).square().sum().item()
        centres = moved
        if shift <= enough:
            break
    return centres


def _split(columns: Tensor, n_clusters: int) -> tuple[Tensor, ...]:
    return columns.split(max(256, _BLOCK // max(n_clusters, 16)), dim=1)
