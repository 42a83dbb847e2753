"""A fit as it happened: the parameters of every iteration, its likelihood, and EM's lower bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vaegmm.gaussian import LOG_2PI
from vaegmm.mixture.density import as_matrices
from vaegmm.mixture.gaussian_mixture import GaussianMixture

#: A mixture's mean is that of the points after each M-step, to this many standard deviations.
_SAME_MEAN = 1e-6


@dataclass(frozen=True)
class Recording:
    """T iterations of EM.

    Attributes:
        numbers: how many iterations lie behind each frame, rising from 0 to T, shape (F,).
        weights: of the frames, shape (F, K).
        means: shape (F, K, D).
        covariances: as matrices for every type, shape (F, K, D, D).
        log_likelihoods: mean over the points, in nats, after 0 to T iterations, shape (T + 1,).
        lower_bounds: what the E-step of each iteration has raised to the likelihood, after that
            iteration's M-step, in nats a point, shape (T,); NaN where components were reseeded.
    """

    numbers: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    log_likelihoods: np.ndarray
    lower_bounds: np.ndarray

    def thinned(self, most: int) -> Recording:
        """Return the same with at most so many frames: the first ones, then ever fewer, the last.

        Likelihoods and bounds stay whole.
        """
        n_frames = len(self.numbers)
        if n_frames <= most:
            return self
        # Early iterations move most.
        kept = np.unique(np.geomspace(1, n_frames, max(most, 2)).round().astype(int)) - 1
        return Recording(
            self.numbers[kept],
            self.weights[kept],
            self.means[kept],
            self.covariances[kept],
            self.log_likelihoods,
            self.lower_bounds,
        )


def record(mixture: GaussianMixture, z: np.ndarray) -> Recording:
    """Return what a mixture was on the way.

    Args:
        mixture: fitted with `history=True`.
        z: the points that it was fitted to, shape (N, D).

    Raises:
        ValueError: if the iterations were not kept.
    """
    if not hasattr(mixture, "history_"):
        raise ValueError("mixture must be fitted with history=True; its iterations were not kept.")
    weights, means = (
        np.stack([getattr(snapshot, name) for snapshot in mixture.history_])
        for name in ("weights", "means")
    )
    covariances = np.stack([as_matrices(s.covariances, mixture) for s in mixture.history_])
    log_likelihoods = np.array([*mixture.lower_bounds_, mixture.score(z)])
    recording = Recording(
        np.arange(len(weights)),
        weights,
        means,
        covariances,
        log_likelihoods,
        lower_bounds(weights, means, covariances, log_likelihoods, mixture.reg_covar),
    )
    middle, std = z.mean(0), z.std(0)
    drift = np.einsum("tk,tkd->td", weights[1:], means[1:]) - middle
    is_reseeded = (np.abs(drift) > _SAME_MEAN * (std + np.abs(middle))).any(1)
    recording.lower_bounds[is_reseeded] = np.nan
    return recording


def lower_bounds(
    weights: np.ndarray,
    means: np.ndarray,
    covariances: np.ndarray,
    log_likelihoods: np.ndarray,
    reg_covar: float,
) -> np.ndarray:
    """Return EM's lower bound after each M-step, in nats a point, shape (T,).

    With q = r_nk of the E-step under theta, F(q, theta') = E_q[log p(z, k | theta')] + H(q). It is
    the log-likelihood for theta' = theta, so that only the difference of the two expectations
    counts. They need no points: N_k, the means and scatters of the points under q are what the
    M-step has made theta' of.

    Args:
        weights: theta, shape (T + 1, K).
        means: shape (T + 1, K, D).
        covariances: shape (T + 1, K, D, D); each M-step's with `reg_covar` in it.
        log_likelihoods: of theta, mean over the points, shape (T + 1,).
        reg_covar: added to every variance.

    Source: Neal and Hinton, A view of the EM algorithm, 1998.
    """
    dimension = means.shape[-1]
    shares = weights[1:]
    scatters = covariances[1:] - reg_covar * np.eye(dimension)

    def expected(part: slice) -> np.ndarray:
        shift = means[1:] - means[part]
        second = scatters + shift[..., :, None] * shift[..., None, :]
        squares = np.trace(np.linalg.solve(covariances[part], second), axis1=-2, axis2=-1)
        log_determinants = np.linalg.slogdet(covariances[part])[1]
        with np.errstate(divide="ignore"):
            log_weights = np.log(weights[part])
        joint = log_weights - 0.5 * (dimension * LOG_2PI + log_determinants + squares)
        return np.where(shares > 0, shares * np.where(shares > 0, joint, 0), 0).sum(-1)

    return log_likelihoods[:-1] + expected(slice(1, None)) - expected(slice(None, -1))
