"""How typical an image is of what the model was trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class TypicalityRanks:
    """Ranks among the training images of two ways to be strange.

    An image can lie where the mixture has little density, or be reconstructed badly; what is
    neither is typical. Each is turned into a rank among the training images, the worse one counts,
    and its own rank among the training images is the typicality, so that a threshold t turns away
    the share t of images like those trained on.

    Attributes:
        log_likelihood: log p(z) under the mixture, in nats, rising, shape (N,).
        closeness: -KL(image || reconstruction), in nats summed over pixels, rising, shape (N,).
        worse: the lower of both ranks, rising, shape (N,).
    """

    log_likelihood: np.ndarray
    closeness: np.ndarray
    worse: np.ndarray

    @classmethod
    def fit(cls, log_likelihood: np.ndarray, excess: np.ndarray) -> TypicalityRanks:
        """Learn the ranks from the training images' values, each of shape (N,).

        Args:
            log_likelihood: log p(z) under the mixture, in nats.
            excess: KL(image || reconstruction), in nats summed over pixels.
        """
        ranks = cls(np.sort(log_likelihood), np.sort(-excess), np.empty(0))
        return replace(ranks, worse=np.sort(ranks._worse_rank(log_likelihood, excess)))

    def rank(self, log_likelihood: np.ndarray, excess: np.ndarray) -> np.ndarray:
        """Return the share of training images that are less typical, in [0, 1], shape (N,)."""
        return _rank(self._worse_rank(log_likelihood, excess), self.worse)

    def _worse_rank(self, log_likelihood: np.ndarray, excess: np.ndarray) -> np.ndarray:
        return np.minimum(
            _rank(log_likelihood, self.log_likelihood), _rank(-excess, self.closeness)
        )


def _rank(values: np.ndarray, rising: np.ndarray) -> np.ndarray:
    """Return the share of `rising` that lies below each value."""
    return np.searchsorted(rising, values) / len(rising)
