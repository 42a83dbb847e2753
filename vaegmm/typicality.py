"""How typical an image is of what the model was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_QUANTILES = np.linspace(0, 1, 2001)


@dataclass(frozen=True)
class TypicalityRanks:
    """Ranks among the training images of two ways to be strange.

    An image can lie where the mixture has little density, or be reconstructed badly; what is
    neither is typical. Each is turned into a rank among the training images, the worse one counts,
    and its own rank among the training images is the typicality, so that a threshold t turns away
    the share t of images like those trained on.

    Attributes:
        log_likelihood: quantiles of log p(z) under the mixture, in nats.
        excess: quantiles of KL(image || reconstruction), in nats summed over pixels.
        worse: quantiles of the lower of both ranks.
    """

    log_likelihood: np.ndarray
    excess: np.ndarray
    worse: np.ndarray

    @classmethod
    def fit(cls, log_likelihood: np.ndarray, excess: np.ndarray) -> TypicalityRanks:
        """Learn the ranks from the training images' values, each of shape (N,)."""
        ranks = cls(
            np.quantile(log_likelihood, _QUANTILES), np.quantile(excess, _QUANTILES), _QUANTILES
        )
        worse = ranks._worse_rank(log_likelihood, excess)
        return cls(ranks.log_likelihood, ranks.excess, np.quantile(worse, _QUANTILES))

    def rank(self, log_likelihood: np.ndarray, excess: np.ndarray) -> np.ndarray:
        """Return the share of training images that are less typical, in [0, 1], shape (N,)."""
        return _rank(self._worse_rank(log_likelihood, excess), self.worse)

    def _worse_rank(self, log_likelihood: np.ndarray, excess: np.ndarray) -> np.ndarray:
        return np.minimum(
            _rank(log_likelihood, self.log_likelihood), 1 - _rank(excess, self.excess)
        )


def _rank(values: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    return np.interp(values, quantiles, _QUANTILES, left=0.0, right=1.0)
