"""A few labelled images that a trained model has also seen: small components beside its mixture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from vaegmm.errors import InputError
from vaegmm.mixture import GaussianMixture, as_matrices

#: Covariance of an example, in units of the mean covariance within the mixture's components.
SPREAD = 0.4
#: Weight of an example's component, where the weights of the mixture sum to 1.
MASS = 0.02
#: Squared Mahalanobis distance up to which an example has a say, for each latent; within it lie all
#: but 1 in 400 of what eight latents draw from it. Beyond, predictions are what they were.
REACH = 3.0
_SAME = 1e-4  # distance between two z of one image, encoded among others
_POINTS_AT_ONCE = 4096  # each meets every example

_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled points of the latent space that vote for their labels.

    Each is a Gaussian component around its z, of one label. With p(z) the mixture's density, the
    share of label c at z is

    v_c(z) = sum_{e of label c} m w_e N(z | z_e, S) / (p(z) + sum_e m w_e N(z | z_e, S))

    and p(label | z) becomes (1 - sum_c v_c) times what the mixture says, plus v.

    Attributes:
        latents: z_e, shape (E, D) float32.
        labels: shape (E,) int64.
        weights: w_e, positive, in examples, shape (E,) float64: the views of one drawing share 1.
        covariance: S, shape (D, D) float64.
        mass: m, the weight of one example's component.
    """

    latents: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    covariance: np.ndarray
    mass: float = MASS

    @classmethod
    def beside(cls, mixture: GaussianMixture) -> Examples:
        """Return no examples yet, as wide as suits a mixture's components."""
        covariances = as_matrices(mixture.covariances_, mixture)
        within = np.einsum("k,kij->ij", mixture.weights_, covariances)
        return cls(
            np.empty((0, mixture.means_.shape[1]), np.float32),
            np.empty(0, np.int64),
            np.empty(0),
            SPREAD * within,
        )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def count(self) -> int:
        """How many examples these are, the views of one drawing being one."""
        return max(1, int(self.weights.sum() + 0.5))

    def with_more(self, latents: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> Examples:
        """Return these examples and some more: z (N, D), labels (N,) and weights (N,)."""
        return replace(
            self,
            latents=np.concatenate([self.latents, latents]),
            labels=np.concatenate([self.labels, labels]),
            weights=np.concatenate([self.weights, weights]),
        )

    def hold(self, latents: np.ndarray) -> np.ndarray:
        """Tell which of some z, shape (N, D), are those of an example, shape (N,)."""
        from scipy.spatial import KDTree  # a tenth of a second that most uses do not need

        distance, _ = KDTree(self.latents).query(latents)
        return np.asarray(distance < _SAME)

    def votes(self, latents: np.ndarray, log_likelihood: np.ndarray, n_classes: int) -> np.ndarray:
        """Compute the share of each label, shape (N, C); a row sums to less than 1.

        Args:
            latents: z, shape (N, D).
            log_likelihood: log p(z) under the mixture alone, in nats, shape (N,).
            n_classes: C.
        """
        is_of = np.eye(n_classes)[self.labels]
        votes = np.empty((len(latents), n_classes))
        for start in range(0, len(latents), _POINTS_AT_ONCE):
            some = slice(start, start + _POINTS_AT_ONCE)
            joint = self.log_joint(latents[some])
            total = np.logaddexp(log_likelihood[some], np.logaddexp.reduce(joint, axis=1))
            votes[some] = np.exp(joint - total[:, None]) @ is_of
        return votes

    def log_joint(self, latents: np.ndarray) -> np.ndarray:
        """Compute log m w_e N(z | z_e, S) in nats, shape (N, E); minus infinity beyond reach."""
        dimension = self.latents.shape[1]
        # inv(S) = P P^T, as for the mixture's components.
        root = np.linalg.inv(np.linalg.cholesky(self.covariance)).T
        # Not |u|^2 + |v|^2 - 2 u v: far from the origin that would lose the small distances.
        points, centres = (z.astype(np.float64) @ root for z in (latents, self.latents))
        squared = np.zeros((len(latents), len(self)))
        for column, centre in zip(points.T, centres.T, strict=True):
            squared += (column[:, None] - centre) ** 2
        constant = float(np.log(np.diag(root)).sum()) - dimension * _LOG_2PI / 2
        joint = np.log(self.mass * self.weights) + constant - squared / 2
        joint[squared > REACH * dimension] = -np.inf
        return joint


def with_votes(probabilities: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """Mix p(label) of the components with the votes of examples, both of shape (N, C)."""
    return (1 - votes.sum(1, keepdims=True)) * probabilities + votes


def as_weights(weights: ArrayLike | None, n_images: int) -> np.ndarray:
    """Check what images count as examples: 1 each by default; shape (N,) float64.

    Raises:
        ValueError: if there is not one positive finite number an image.
    """
    if weights is None:
        return np.ones(n_images)
    rule = "weights must be one positive finite number an image"
    try:
        array = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{rule}; got other things.", reason="example weights") from error
    if array.shape == (n_images,) and (array > 0).all() and np.isfinite(array).all():
        return array
    got = "one of them not positive or not finite"
    if array.shape != (n_images,):
        got = f"shape={array.shape} for {n_images} images"
    raise InputError(f"{rule}; got {got}.", reason="example weights")
