"""Moments of several parts of the points, added up."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from vaegmm.mixture.em import Moments
from vaegmm.processes import ALONE, Group


def combined(
    parts: Iterable[tuple[float, Moments]], origin: Tensor, group: Group = ALONE
) -> Moments:
    """The moments of all points from those of their parts.

    Args:
        parts: each with what its points count for.
        origin: near the components' means, shape (K, D); sums of squares are taken about it, since
            they would cancel about zero.
        group: the processes whose parts are added up.
    """
    log_likelihood, counts = origin.new_zeros(()), origin.new_zeros(len(origin))
    first, second = torch.zeros_like(origin), origin.new_zeros(())
    for share, part in parts:
        shift, n = part.means - origin, share * part.counts
        log_likelihood = log_likelihood + share * part.log_likelihood
        counts = counts + n
        first = first + n[:, None] * shift
        second = second + _scaled(part.covariances + _square(shift, part.covariances.ndim), n)
    group.sum(log_likelihood, counts, first, second)
    safe = 1 / (counts + 10 * torch.finfo(counts.dtype).eps)
    shift = first * safe[:, None]
    covariances = _scaled(second, safe) - _square(shift, second.ndim)
    return Moments(log_likelihood, counts, origin + shift, covariances)


def _square(shift: Tensor, ndim: int) -> Tensor:
    """Square of (K, D), as matrices (K, D, D) or along each axis (K, D)."""
    return shift.square() if ndim == 2 else shift[:, :, None] * shift[:, None]


def _scaled(values: Tensor, factors: Tensor) -> Tensor:
    return values * factors.view(-1, *[1] * (values.ndim - 1))
