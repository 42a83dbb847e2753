"""VAEGMM: autoencoder, mixture and names as one estimator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor

from vaegmm.config import PRESETS, MixtureConfig, TrainConfig
from vaegmm.devices import best_device
from vaegmm.images import as_bytes, as_images, as_labels, as_pixels
from vaegmm.labelling import ComponentNames, name_by_probabilities, name_components
from vaegmm.mixture import GaussianMixture
from vaegmm.prior import Prior
from vaegmm.projection import PCA
from vaegmm.typicality import TypicalityRanks
from vaegmm.vae import IMAGE_SHAPE, VAE

if TYPE_CHECKING:
    from vaegmm.training import Progress, TrainState

Images = ArrayLike | Tensor
_CHUNK = 2048  # images that pass the network at once: the activations stay near 20 MB
# Views of an image whose responsibilities are averaged: itself, and moved by a pixel each way.
_SHIFTS = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
_N_RANKED = 10_000  # a rank among as many is good to half a percent
# What `fit`, `finish` and `load` set and a refitted model shares.
_SHARED = ("vae", "prior", "latents", "ranked_means", "ranked_excess", "pca")


class NotFittedError(ValueError, AttributeError):
    """A model was used before it was fitted."""


@dataclass(eq=False)
class VAEGMM:
    """A variational autoencoder whose latent space is clustered by a Gaussian mixture.

    Example:
        >>> model = VAEGMM(PRESETS["default"]).fit(images, validation=(val_images, val_labels))
        >>> model.predict(test_images)

    Attributes:
        config: the training.
        device: where the autoencoder runs; chosen by itself if None.
        vae: the autoencoder.
        prior: the mixture that the network was trained with, or None where none was.
        mixture: fitted to `latents`.
        names: what the components are called, or None where no labels were given.
        label_names: what the labels are called, as shown to people.
        latents: z sampled for each training image after the last epoch, shape (N, D) float32.
        ranked_means: posterior means of the training images among which typicality ranks (all, or
            10,000 of them), shape (M, D) float32.
        ranked_excess: KL(image || reconstruction) of the same images, in nats summed over pixels,
            shape (M,) float32: what the reconstruction misses.
        pca: the projection of `latents`.
        history: losses of each epoch, in nats an image.
        metrics: figures measured after the training.
        provenance: data set, command, library versions and time of the training.
    """

    config: TrainConfig = field(default_factory=lambda: PRESETS["default"])
    device: str | torch.device | None = None
    vae: VAE = field(init=False, repr=False)
    prior: Prior | None = field(init=False, repr=False, default=None)
    mixture: GaussianMixture = field(init=False, repr=False)
    names: ComponentNames | None = field(init=False, repr=False, default=None)
    label_names: tuple[str, ...] = field(init=False, repr=False, default=())
    latents: np.ndarray = field(init=False, repr=False)
    ranked_means: np.ndarray = field(init=False, repr=False)
    ranked_excess: np.ndarray = field(init=False, repr=False)
    pca: PCA = field(init=False, repr=False)
    history: list[dict[str, Any]] = field(init=False, repr=False, default_factory=list)
    metrics: dict[str, Any] = field(init=False, repr=False, default_factory=dict)
    provenance: dict[str, Any] = field(init=False, repr=False, default_factory=dict)

    def fit(
        self,
        images: Images,
        validation: tuple[Images, ArrayLike] | None = None,
        label_names: tuple[str, ...] = (),
        progress: Callable[[Progress], object] | None = None,
    ) -> VAEGMM:
        """Train the autoencoder, store z, fit the mixture to it and name its components.

        Args:
            images: shape (N, 28, 28) or (N, 784), uint8 or float in [0, 1].
            validation: images and labels that name the components.
            label_names: what the labels are called; their numbers if not given.
            progress: called with each Progress.

        Raises:
            ValueError: if the images or labels are unusable, or fewer than the components.
            NonFiniteLossError: if the loss stops being finite.
        """
        # Imported here: a checkpoint, which knows models, has no need of training.
        from vaegmm.training import TrainState, train

        training_images = as_bytes(images)
        checked = self._check_validation(validation, label_names)
        require_enough_images(len(training_images), self.config.mixture)
        state = TrainState.start(self.config, self.device or best_device())
        held_out = None if checked is None else checked[0]
        for report in train(state, training_images, self.config, held_out):
            if progress is not None:
                progress(report)
        return self.finish(state, training_images, validation, label_names)

    def finish(
        self,
        state: TrainState,
        images: Images,
        validation: tuple[Images, ArrayLike] | None = None,
        label_names: tuple[str, ...] = (),
    ) -> VAEGMM:
        """Do what follows the last epoch: store z, fit the mixture, name its components."""
        training_images = as_bytes(images)
        checked = self._check_validation(validation, label_names)
        state.optimizer.zero_grad()  # gradients are as large as the weights, and done with
        self.vae = state.vae.eval()
        self.prior = None
        if state.prior is not None:
            self.prior = Prior(*(part.detach().cpu() for part in state.prior()))
        self.history = [asdict(loss) for loss in state.history]
        mean, std = self.posterior(training_images)
        self.latents = _sample(mean, std, self.config.seed)
        self.pca = PCA.fit(self.latents)
        self.mixture = self._fit_mixture(self.config.mixture, self.config.seed)
        ranked = np.linspace(0, len(mean) - 1, min(len(mean), _N_RANKED)).astype(int)
        self.ranked_means, self.ranked_excess = mean[ranked], self._excess(training_images[ranked])
        # What an earlier fit has left behind:
        self.names, self.label_names, self.metrics, self.provenance = None, (), {}, {}
        for name in ("fingerprint", "_ranks"):
            vars(self).pop(name, None)
        if checked is not None:
            self._name(*checked)
        return self

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Say what to do where an attribute is missing because nothing was fitted yet."""
            if name in ("mixture", *_SHARED):
                raise NotFittedError(
                    "VAEGMM must be fitted before it is used. Call fit, or vaegmm.load(path)."
                )
            raise AttributeError(f"VAEGMM has no attribute {name!r}")

    def predict(self, images: Images) -> np.ndarray:
        """Return the most probable label of each image, shape (N,)."""
        return self.predict_proba(images).argmax(1)

    def predict_proba(self, images: Images) -> np.ndarray:
        """Return p(label | image), shape (N, C); each row sums to 1.

        Raises:
            ValueError: if the components have no names.
        """
        responsibilities = self.responsibilities(images)
        return self._named().label_probabilities(responsibilities)

    def label_probabilities(self, latents: ArrayLike | Tensor) -> np.ndarray:
        """Return p(label | z) for latents of shape (N, D), shape (N, C)."""
        names = self._named()
        return names.label_probabilities(self.mixture.predict_proba(self._check_latents(latents)))

    def responsibilities(self, images: Images) -> np.ndarray:
        """Return p(component | image), shape (N, K); each row sums to 1.

        The mean of p(component | z) over the image as it is and moved by one pixel each way, each
        at its posterior mean: a digit is the same a pixel further.
        """
        array = as_images(images)
        padded = np.pad(array, ((0, 0), (1, 1), (1, 1)), mode="edge")
        height, width = IMAGE_SHAPE
        views = (
            padded[:, 1 + down : 1 + down + height, 1 + right : 1 + right + width]
            for down, right in _SHIFTS
        )
        parts = [self.mixture.predict_proba(self.encode(view)) for view in views]
        return np.mean(parts, axis=0)

    def encode(self, images: Images, sample: bool = False, seed: int = 0) -> np.ndarray:
        """Return posterior means, or one z sampled from each posterior, shape (N, D) float32."""
        mean, std = self.posterior(images)
        return _sample(mean, std, seed) if sample else mean

    @torch.inference_mode()
    def posterior(self, images: Images) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of q(z | x), each of shape (N, D) float32."""
        chunks = self._pixel_chunks(as_images(images))
        parts = [self.vae.posterior(pixels) for pixels in chunks]
        mean, std = (torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True))
        return mean, std

    @torch.inference_mode()
    def decode(self, latents: ArrayLike | Tensor) -> np.ndarray:
        """Decode latents, shape (N, D), to images in [0, 1], shape (N, 28, 28) float32."""
        chunks = torch.from_numpy(self._check_latents(latents)).split(_CHUNK)
        pixels = torch.cat([self.vae.decode(chunk.to(self.vae.device)).cpu() for chunk in chunks])
        return pixels.numpy().reshape(-1, *IMAGE_SHAPE)

    def reconstruct(self, images: Images) -> np.ndarray:
        """Decode the posterior mean of each image, shape (N, 28, 28) float32 in [0, 1]."""
        return self.decode(self.encode(images))

    @torch.inference_mode()
    def cross_entropy(self, images: Images) -> np.ndarray:
        """Return -log p(x | z) at the posterior mean, in nats summed over pixels, shape (N,)."""
        parts = []
        for pixels in self._pixel_chunks(as_images(images)):
            mean = self.vae.posterior(pixels).mean
            parts.append(self.vae.cross_entropy(mean, pixels).cpu())
        return torch.cat(parts).numpy()

    def typicality(self, images: Images) -> np.ndarray:
        """Return the share of training images less typical than each image, in [0, 1], (N,)."""
        log_likelihood = self.mixture.score_samples(self.encode(images))
        return self._ranks.rank(log_likelihood, self._excess(as_images(images)))

    def sample(
        self, n: int, digit: int | None = None, seed: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw images from the mixture.

        Args:
            n: how many.
            digit: draw images of this label only, by p(k | label).
            seed: the same seed draws the same images.

        Returns:
            Images in [0, 1], shape (N, 28, 28), and the most probable label of each, shape (N,)
            (the component's number where the components have no names).

        Raises:
            ValueError: if n is not positive or no component bears the digit.
        """
        if n < 1:
            raise ValueError(f"n must be at least 1; got n={n}.")
        weights = self.mixture.weights_
        if digit is not None:
            if self.names is None or not 0 <= digit < len(self.label_names):
                raise ValueError(
                    f"digit must be one of this model's {len(self.label_names)} labels; "
                    f"got digit={digit}."
                )
            weights = weights * self.names.label_given_component[:, digit]
            if weights.sum() == 0:
                raise ValueError(
                    f"digit must be one that a component bears; got digit={digit}, which none of "
                    "the labelled images showed."
                )
        latents, components = GaussianMixture.from_parameters(
            weights / weights.sum(),
            self.mixture.means_,
            self.mixture.covariances_,
            covariance_type=self.mixture.covariance_type,
            random_state=seed,
        ).sample(n)
        order = np.random.default_rng(seed).permutation(n)  # sample() sorts by component
        latents, components = latents[order], components[order]
        if digit is not None:
            return self.decode(latents), np.full(n, digit)
        if self.names is None:
            return self.decode(latents), components
        return self.decode(latents), self.label_probabilities(latents).argmax(1)

    def refit(
        self,
        n_components: int = 10,
        seed: int = 0,
        n_init: int = 5,
        validation: tuple[Images, ArrayLike] | None = None,
    ) -> VAEGMM:
        """Return the same autoencoder with another mixture, fitted to the stored z.

        The start with the highest likelihood is kept; no label has a say in it. Where the network
        was trained with a mixture of as many components, that one is the start. Without
        `validation` the components are named by what the present mixture calls the stored z.
        """
        config = replace(self.config.mixture, n_components=n_components, n_init=n_init)
        require_enough_images(len(self.latents), config)
        other = replace(self, config=replace(self.config, mixture=config))
        for name in (*_SHARED, "label_names", "history", "provenance"):
            setattr(other, name, getattr(self, name))
        other.mixture = self._fit_mixture(config, seed)
        checked = self._check_validation(validation, self.label_names)
        if checked is not None:
            other._name(*checked)
        elif self.names is not None:
            other.names = name_by_probabilities(
                other.mixture.predict_proba(self.latents),
                self.label_probabilities(self.latents),
                self.names.n_labels,
            )
        return other

    def save(self, path: str | Path) -> None:
        """Write one safetensors file, atomically.

        Raises:
            CheckpointError: if it cannot be written; what was there before stays whole.
        """
        from vaegmm.checkpoint import save

        save(self, path)

    @cached_property
    def fingerprint(self) -> str:
        """What tells this model from every other: a digest of its latents and its mixture."""
        digest = hashlib.sha256(self.latents.tobytes())
        for part in (self.mixture.weights_, self.mixture.means_, self.mixture.covariances_):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def _ranks(self) -> TypicalityRanks:
        log_likelihood = self.mixture.score_samples(self.ranked_means)
        return TypicalityRanks.fit(log_likelihood, self.ranked_excess)

    def _excess(self, images: np.ndarray) -> np.ndarray:
        """What a reconstruction misses: cross-entropy less the image's own entropy, (N,)."""
        entropies = [
            F.binary_cross_entropy(pixels, pixels, reduction="none").sum(-1).cpu()
            for pixels in self._pixel_chunks(images)
        ]
        return self.cross_entropy(images) - torch.cat(entropies).numpy()

    def _named(self) -> ComponentNames:
        if self.names is None:
            raise ValueError(
                "components must have names to classify; this model was fitted without labels. "
                "Pass validation=(images, labels) to fit or refit."
            )
        return self.names

    def _check_latents(self, latents: ArrayLike | Tensor) -> np.ndarray:
        if isinstance(latents, Tensor):
            latents = latents.detach().cpu().numpy()
        array = np.atleast_2d(np.array(latents, dtype=np.float32))
        if array.ndim != 2 or array.shape[1] != self.vae.config.latent_dim:
            raise ValueError(
                f"latents must have shape (N, {self.vae.config.latent_dim}); "
                f"got shape={array.shape}."
            )
        if not np.isfinite(array).all():
            raise ValueError("latents must be finite; got NaN or infinity among them.")
        return array

    def _pixel_chunks(self, images: np.ndarray) -> Iterator[Tensor]:
        for start in range(0, len(images), _CHUNK):
            yield as_pixels(images[start : start + _CHUNK], self.vae.device)

    def _fit_mixture(self, config: MixtureConfig, seed: int) -> GaussianMixture:
        options: dict[str, Any] = asdict(config)
        prior = self.prior
        if prior is not None and (len(prior.weights), "full") == (
            config.n_components,
            config.covariance_type,
        ):
            options |= prior.as_start() | {"n_init": 1}
        mixture = GaussianMixture(**options, random_state=seed)
        return mixture.fit(self.latents.astype(np.float64))

    def _name(self, images: np.ndarray, labels: np.ndarray, label_names: tuple[str, ...]) -> None:
        self.label_names = label_names
        self.names = name_components(self.responsibilities(images), labels, len(label_names))

    @staticmethod
    def _check_validation(
        validation: tuple[Images, ArrayLike] | None, label_names: tuple[str, ...]
    ) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]] | None:
        if validation is None:
            return None
        images = as_bytes(validation[0], "validation images")
        labels = as_labels(validation[1], len(images), "validation labels")
        n_classes = int(labels.max()) + 1
        label_names = tuple(label_names) or tuple(str(label) for label in range(n_classes))
        if n_classes > len(label_names):
            raise ValueError(
                f"validation labels must lie from 0 to {len(label_names) - 1}, as label_names has "
                f"{len(label_names)} entries; got {n_classes - 1}."
            )
        return images, labels, label_names


def _sample(mean: np.ndarray, std: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(mean.shape, dtype=np.float32)
    return mean + std * noise


def require_enough_images(n_images: int, config: MixtureConfig) -> None:
    """Refuse a mixture with more components than there are images to fit it to.

    Checked before the autoencoder is trained: a training must not be lost to this at its end.
    """
    if n_images < config.n_components:
        raise ValueError(
            "n_components must not exceed the number of training images; got "
            f"n_components={config.n_components}, images={n_images}. Lower n_components."
        )
