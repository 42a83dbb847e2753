"""How a model's mixture came to be, iteration by iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vaegmm.mixture import FitProgress, GaussianMixture, Recording, as_matrices, record
from vaegmm.model import VAEGMM

#: Two fits are the same if no mean is further apart, in standard deviations of the stored z, and
#: no weight by more than this.
_SAME = 1e-3


class Replay(NamedTuple):
    """A fit that ends with a model's mixture."""

    recording: Recording
    is_onwards: bool  # it begins there, too: how the mixture was fitted is not known


def replay(model: VAEGMM, progress: Callable[[FitProgress], object] | None = None) -> Replay:
    """Fit a model's mixture again, and keep every iteration.

    The fit is repeated from the model's own settings. If it ends elsewhere, because the mixture
    was changed by hand or fitted from another start, EM goes on from the mixture itself.

    Args:
        model: fitted or loaded.
        progress: called after each iteration of EM; what it raises ends the fit.
    """
    z = model.latents.astype(np.float64)
    if hasattr(model.mixture, "history_"):
        return Replay(record(model.mixture, z), is_onwards=False)
    repeated = model.repeat_fit(progress)
    if _is_same(repeated, model.mixture, z):
        return Replay(record(repeated, z), is_onwards=False)
    mixture = model.mixture
    onwards = GaussianMixture(
        len(mixture.weights_),
        covariance_type=mixture.covariance_type,
        reg_covar=mixture.reg_covar,
        tol=mixture.tol,
        max_iter=mixture.max_iter,
        weights_init=mixture.weights_,
        means_init=mixture.means_,
        precisions_init=mixture.precisions_,
        history=True,
    )
    return Replay(record(onwards.fit(z, progress=progress), z), is_onwards=True)


def _is_same(one: GaussianMixture, other: GaussianMixture, z: np.ndarray) -> bool:
    if one.covariance_type != other.covariance_type or one.means_.shape != other.means_.shape:
        return False
    std = z.std(0)
    covariances = [as_matrices(m.covariances_, m) / (std[:, None] * std) for m in (one, other)]
    return all(
        bool(np.abs(ours - theirs).max() <= _SAME)
        for ours, theirs in (
            (one.weights_, other.weights_),
            (one.means_ / std, other.means_ / std),
            tuple(covariances),
        )
    )
