"""How typical an image is of what the model was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Nats of log p(z) that each nat counts which the reconstruction misses. From 0.1 to 0.22 tells
#: drawn digits from what is none equally well, and is what the parts of a drawing weigh by.
EXCESS = 0.18


def evidence(log_likelihood: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """Return what speaks for an image: log p(z) less a part of what is missed, in nats.

    Args:
        log_likelihood: log p(z) under the mixture, in nats.
        excess: KL(image || reconstruction), in nats summed over pixels.
    """
    return log_likelihood - EXCESS * excess


@dataclass(frozen=True)
class TypicalityRanks:
    """What ranks an image among the training images.

    An image can lie where the mixture has little density, or be reconstructed badly; what is
    neither is typical. The rank of the evidence among that of the training images is the
    typicality, so that a threshold t turns away the share t of images like those trained on.

    Attributes:
        log_likelihood: log p(z) under the mixture, in nats, rising, shape (N,).
        evidence: as `evidence` returns it, rising, shape (N,).
    """

    log_likelihood: np.ndarray
    evidence: np.ndarray

    @classmethod
    def fit(cls, log_likelihood: np.ndarray, excess: np.ndarray) -> TypicalityRanks:
        """Learn the ranks from the training images' values, each of shape (N,).

        Args:
            log_likelihood: log p(z) under the mixture, in nats.
            excess: KL(image || reconstruction), in nats summed over pixels.
        """
        return cls(np.sort(log_likelihood), np.sort(evidence(log_likelihood, excess)))

    def rank(self, log_likelihood: np.ndarray, excess: np.ndarray) -> np.ndarray:
        """Return the share of training images that are less typical, in [0, 1], shape (N,)."""
        found = evidence(log_likelihood, excess)
        return np.searchsorted(self.evidence, found) / len(self.evidence)
