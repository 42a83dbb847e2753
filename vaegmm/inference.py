"""What a model infers from some images, in one pass: each is encoded once, whatever is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vaegmm.examples import with_votes
from vaegmm.images import as_pixels
from vaegmm.parts import Parts
from vaegmm.stored import StoredImages
from vaegmm.vae import IMAGE_SHAPE, VAE

_CHUNK = 2048  # images that pass the network at once: the activations stay near 20 MB
# Views whose responsibilities are averaged beside the image's own: moved by a pixel each way.
_SHIFTS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@dataclass(frozen=True, eq=False)
class Inference:
    """What the parts of a model say of some images; computed when first asked for, and kept.

    Args:
        parts: of a trained model, which stays as it is while it is asked.
        images: as `vaegmm.images.as_images` returns them, or still in their files, shape
            (N, 28, 28).
    """

    parts: Parts
    images: np.ndarray | StoredImages

    @property
    def mean(self) -> np.ndarray:
        """Means of q(z | x), shape (N, D) float32."""
        return self._posterior[0]

    @property
    def std(self) -> np.ndarray:
        """Standard deviations of q(z | x), shape (N, D) float32."""
        return self._posterior[1]

    @cached_property
    def _posterior(self) -> tuple[np.ndarray, np.ndarray]:
        return _encode(self.parts.vae, self.images)

    @cached_property
    def responsibilities(self) -> np.ndarray:
        """p(component | image), shape (N, K); each row sums to 1.

        The mean of p(component | z) over the image as it is and moved by one pixel each way, each
        at its posterior mean: a digit is the same a pixel further.
        """
        return self._mean_over_views(self.parts.mixture.predict_proba)

    @cached_property
    def votes(self) -> np.ndarray:
        """The share that examples of each label have in p(label | image), shape (N, C).

        Averaged over views as the responsibilities are; zeros where the model is not adapted.
        """
        examples, mixture = self.parts.examples, self.parts.mixture
        n_classes = len(self.parts.label_names)
        if examples is None:
            return np.zeros((len(self.images), n_classes))
        return self._mean_over_views(
            lambda z: examples.votes(z, mixture.score_samples(z), n_classes)
        )

    def _mean_over_views(self, of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Average what is computed of z, shape (N, D) -> (N, …), over each image's views."""
        parts = []
        n_views = 1 + len(_SHIFTS)
        for start in range(0, len(self.images), _CHUNK):
            z = self.points[:, start : start + _CHUNK].reshape(-1, self.mean.shape[1])
            # Few images are one batch with all their views, since calls would cost more than
            # sums. Many are a batch a view, so that figures stay what they were to the last digit.
            batches = [z] if len(z) <= _CHUNK else np.split(z, n_views)
            views = np.concatenate([of(batch) for batch in batches])
            parts.append(views.reshape(n_views, -1, views.shape[1]).mean(0))
        return np.concatenate(parts)

    @cached_property
    def points(self) -> np.ndarray:
        """Means of q(z | x) of the images as they are and moved each way, shape (5, N, D)."""
        moved = [
            _encode(self.parts.vae, _moved(self.images[start : start + _CHUNK]))[0]
            for start in range(0, len(self.images), _CHUNK)
        ]
        shape = len(_SHIFTS), -1, self.mean.shape[1]
        return np.concatenate(
            [self.mean[None], np.concatenate([part.reshape(shape) for part in moved], axis=1)]
        )

    @cached_property
    def label_probabilities(self) -> np.ndarray:
        """p(label | image), shape (N, C); each row sums to 1.

        What the components' names say, and the votes of examples where the model is adapted:
        (1 - sum_c votes_c) p(label | components) + votes.

        Raises:
            ValueError: if the components have no names.
        """
        responsibilities = self.responsibilities  # first: a model never fitted has no names either
        probabilities = self.parts.require_names().label_probabilities(responsibilities)
        if self.parts.examples is None:
            return probabilities
        return with_votes(probabilities, self.votes)

    @cached_property
    def log_likelihood(self) -> np.ndarray:
        """Log p(z) under the mixture at the posterior mean, in nats, shape (N,)."""
        return self.parts.mixture.score_samples(self.mean)

    @cached_property
    def reconstruction(self) -> np.ndarray:
        """The posterior mean decoded, shape (N, 28, 28) float32 in [0, 1]."""
        return decode(self.parts.vae, self.mean)

    @cached_property
    def cross_entropy(self) -> np.ndarray:
        """-log p(x | z) at the posterior mean, in nats summed over pixels, shape (N,)."""
        vae = self.parts.vae
        means = torch.from_numpy(self.mean).split(_CHUNK)
        with torch.inference_mode():
            return _joined(
                vae.cross_entropy(mean.to(vae.device), pixels)
                for mean, pixels in zip(means, _pixel_chunks(vae, self.images), strict=True)
            )

    @cached_property
    def excess(self) -> np.ndarray:
        """What the reconstruction misses: cross-entropy less the image's own entropy, (N,)."""
        return self.cross_entropy - _joined(
            F.binary_cross_entropy(pixels, pixels, reduction="none").sum(-1)
            for pixels in _pixel_chunks(self.parts.vae, self.images)
        )

    @cached_property
    def typicality(self) -> np.ndarray:
        """The share of training images less typical than each image, in [0, 1], shape (N,)."""
        return self.parts.ranks.rank(self.log_likelihood, self.excess)


@torch.inference_mode()
def decode(vae: VAE, latents: np.ndarray) -> np.ndarray:
    """Decode latents, shape (N, D) float32, to images in [0, 1], shape (N, 28, 28) float32."""
    chunks = torch.from_numpy(latents).split(_CHUNK)
    return _joined(vae.decode(chunk.to(vae.device)) for chunk in chunks).reshape(-1, *IMAGE_SHAPE)


@torch.inference_mode()
def _encode(vae: VAE, images: np.ndarray | StoredImages) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of q(z | x), each of shape (N, D) float32."""
    posteriors = [vae.posterior(pixels) for pixels in _pixel_chunks(vae, images)]
    mean, std = (_joined(part) for part in zip(*posteriors, strict=True))
    return mean, std


def _moved(images: np.ndarray) -> np.ndarray:
    """All images moved one way, then all moved the next, and so on, shape (4 N, 28, 28)."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    height, width = IMAGE_SHAPE
    return np.concatenate(
        [
            padded[:, 1 + down : 1 + down + height, 1 + right : 1 + right + width]
            for down, right in _SHIFTS
        ]
    )


def _pixel_chunks(vae: VAE, images: np.ndarray | StoredImages) -> Iterator[Tensor]:
    for start in range(0, len(images), _CHUNK):
        yield as_pixels(images[start : start + _CHUNK], vae.device)


def _joined(parts: Iterable[Tensor]) -> np.ndarray:
    return torch.cat([part.cpu() for part in parts]).numpy()
