"""The style of a digit: where its z lies among those of its label, carried over to other labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vaegmm.errors import InputError
from vaegmm.labelling import UNNAMED
from vaegmm.mixture import as_matrices
from vaegmm.model import VAEGMM

# Standard deviations from the mean that a style is carried over from at most; in eight dimensions
# 19 of 20 points of a Gaussian are nearer. What is further out is hardly a style.
_FURTHEST = 3.9


class Style(NamedTuple):
    """Every digit in one style."""

    labels: np.ndarray  # (L,) those that components are named after, rising
    latents: np.ndarray  # (L, D)
    images: np.ndarray  # (L, 28, 28) in [0, 1]


def in_style_of(model: VAEGMM, z: ArrayLike, label: int) -> Style:
    """Say what the other digits would look like in the style of one.

    The components named after a label are taken for one Gaussian, with their mean and covariance.
    A place in it is carried over to another label's Gaussian by the optimal transport between the
    two, which moves all of the one onto the other by the least squared distance,

    z' = mu' + A (z - mu),  A = S^(-1/2) (S^(1/2) S' S^(1/2))^(1/2) S^(-1/2).

    A is symmetric: it stretches, and turns nothing round, so that a latent that slants one digit
    slants the other. The digit itself stays what it is, except that one which is far out is brought
    nearer to its mean.

    Args:
        model: its components have names.
        z: the latents of the digit, shape (D,).
        label: what it is.

    Raises:
        ValueError: if no component is named after the label.

    Source: Peyré and Cuturi, Computational Optimal Transport, 2019, remark 2.31.
    """
    labels, means, covariances = label_gaussians(model)
    if label not in labels:
        raise InputError(
            f"label must be one that a component is named after; got label={label}.",
            reason="label without cluster",
        )
    own = int(np.searchsorted(labels, label))
    offset = np.asarray(z, dtype=np.float64) - means[own]
    root, inverse = (_power(covariances[own], exponent) for exponent in (0.5, -0.5))
    distance = float(np.linalg.norm(inverse @ offset))
    offset *= min(1.0, _FURTHEST / max(distance, 1e-12))
    latents = np.stack(
        [
            mean + inverse @ _power(root @ covariance @ root, 0.5) @ inverse @ offset
            for mean, covariance in zip(means, covariances, strict=True)
        ]
    ).astype(np.float32)
    return Style(labels, latents, model.decode(latents))


def label_gaussians(model: VAEGMM) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take the components named after each label for one Gaussian.

    Returns:
        Labels that components are named after, shape (L,), and the means, shape (L, D), and
        covariances, shape (L, D, D), of those components together.
    """
    mixture, names = model.mixture, model.require_names().names
    covariances = as_matrices(mixture.covariances_, mixture)
    labels = np.unique(names[names != UNNAMED])
    means, spreads = [], []
    for label in labels:
        chosen = names == label
        # A component can be empty, and all of a label's can.
        weights = mixture.weights_[chosen].clip(1e-300)
        weights = weights / weights.sum()
        mean = weights @ mixture.means_[chosen]
        away = mixture.means_[chosen] - mean
        within = np.einsum("k,kij->ij", weights, covariances[chosen])
        means.append(mean)
        spreads.append(within + np.einsum("k,ki,kj->ij", weights, away, away))
    return labels, np.array(means), np.array(spreads)


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """Raise a symmetric positive definite matrix to a power."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T
