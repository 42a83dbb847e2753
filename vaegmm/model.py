"""VAEGMM: autoencoder, mixture and names as one estimator."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from vaegmm import checkpoint
from vaegmm.config import MixtureConfig
from vaegmm.devices import best_device
from vaegmm.errors import InputError
from vaegmm.examples import Examples, as_weights, with_votes
from vaegmm.images import MOST_ENCODED, as_bytes, as_images, as_labels, spread
from vaegmm.inference import Inference, decode
from vaegmm.labelling import name_by_probabilities, name_components
from vaegmm.mixture import FitProgress, GaussianMixture
from vaegmm.parts import Parts
from vaegmm.prior import Prior
from vaegmm.projection import PCA
from vaegmm.stored import StoredImages

if TYPE_CHECKING:
    from vaegmm.training import Progress, TrainState

Images = ArrayLike | Tensor
_STARTS = ("weights_init", "means_init", "precisions_init")
_N_RANKED = 10_000  # a rank among as many is good to half a percent


class NotFittedError(ValueError, AttributeError):
    """A model was used before it was fitted."""


@dataclass(eq=False)
class VAEGMM(Parts):
    """A variational autoencoder whose latent space is clustered by a Gaussian mixture.

    Example:
        >>> model = VAEGMM(PRESETS["default"]).fit(images, validation=(val_images, val_labels))
        >>> model.predict(test_images)

    Its parts are those of `Parts`; what they say together, the methods return. Whoever asks for
    several answers to the same images asks `infer` for all of them.

    Attributes:
        device: where the autoencoder runs; chosen by itself if None.
    """

    device: str | torch.device | None = None

    def fit(
        self,
        images: Images | StoredImages,
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
        # Imported here: whoever only loads a model has no need of training.
        from vaegmm.training import TrainState, train

        training_images = _training_images(images)
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
        images: Images | StoredImages,
        validation: tuple[Images, ArrayLike] | None = None,
        label_names: tuple[str, ...] = (),
    ) -> VAEGMM:
        """Do what follows the last epoch: store z, fit the mixture, name its components.

        Of more than 250,000 images the z of as many are stored, evenly spread.
        """
        training_images = _training_images(images)
        checked = self._check_validation(validation, label_names)
        state.optimizer.zero_grad()  # gradients are as large as the weights, and done with
        self.vae = state.vae.eval()
        self.prior = None
        if state.prior is not None:
            self.prior = Prior(*(part.detach().cpu() for part in state.prior()))
        self.history = [asdict(loss) for loss in state.history]
        n_images = len(training_images)
        encoded = training_images
        if n_images > MOST_ENCODED:
            rows = spread(n_images, MOST_ENCODED)
            encoded = encoded.take(rows) if isinstance(encoded, StoredImages) else encoded[rows]
        self.latents = self.encode(encoded, sample=True, seed=self.config.seed)
        self.pca = PCA.fit(self.latents)
        self.mixture = self._fit_mixture(self.config.mixture, self.config.seed)
        ranked = self.infer(training_images[spread(n_images, _N_RANKED)])
        self.ranked_means, self.ranked_excess = ranked.mean, ranked.excess
        # What an earlier fit has left behind:
        self.names, self.label_names, self.metrics, self.provenance = None, (), {}, {}
        self.examples = None
        self.forget_derived()
        if checked is not None:
            self._name(*checked)
        return self

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Say what to do where an attribute is missing because nothing was fitted yet."""
            if name in {"ranks", *(part.name for part in fields(Parts))}:
                raise NotFittedError(
                    "VAEGMM must be fitted before it is used. Call fit, or vaegmm.load(path)."
                )
            raise AttributeError(f"VAEGMM has no attribute {name!r}")

    def infer(self, images: Images | StoredImages) -> Inference:
        """Return what the model says of some images, each part of it computed when asked for.

        Raises:
            ValueError: if the images are unusable.
        """
        return Inference(self, images if isinstance(images, StoredImages) else as_images(images))

    def predict(self, images: Images) -> np.ndarray:
        """Return the most probable label of each image, shape (N,)."""
        return self.predict_proba(images).argmax(1)

    def predict_proba(self, images: Images) -> np.ndarray:
        """Return p(label | image), shape (N, C); each row sums to 1.

        Raises:
            ValueError: if the components have no names.
        """
        return self.infer(images).label_probabilities

    def responsibilities(self, images: Images) -> np.ndarray:
        """Return p(component | image), shape (N, K); each row sums to 1."""
        return self.infer(images).responsibilities

    def typicality(self, images: Images) -> np.ndarray:
        """Return the share of training images less typical than each image, in [0, 1], (N,)."""
        return self.infer(images).typicality

    def encode(
        self, images: Images | StoredImages, sample: bool = False, seed: int = 0
    ) -> np.ndarray:
        """Return posterior means, or one z sampled from each posterior, shape (N, D) float32."""
        mean, std = self.posterior(images)
        if not sample:
            return mean
        return mean + std * np.random.default_rng(seed).standard_normal(mean.shape, np.float32)

    def posterior(self, images: Images | StoredImages) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of q(z | x), each of shape (N, D) float32."""
        inference = self.infer(images)
        return inference.mean, inference.std

    def reconstruct(self, images: Images) -> np.ndarray:
        """Decode the posterior mean of each image, shape (N, 28, 28) float32 in [0, 1]."""
        return self.infer(images).reconstruction

    def cross_entropy(self, images: Images) -> np.ndarray:
        """Return -log p(x | z) at the posterior mean, in nats summed over pixels, shape (N,)."""
        return self.infer(images).cross_entropy

    def decode(self, latents: ArrayLike | Tensor) -> np.ndarray:
        """Decode latents, shape (N, D), to images in [0, 1], shape (N, 28, 28) float32."""
        return decode(self.vae, self._check_latents(latents))

    def label_probabilities(self, latents: ArrayLike | Tensor) -> np.ndarray:
        """Return p(label | z) for latents of shape (N, D), shape (N, C)."""
        names, z = self.require_names(), self._check_latents(latents)
        probabilities = names.label_probabilities(self.mixture.predict_proba(z))
        if self.examples is None:
            return probabilities
        votes = self.examples.votes(z, self.mixture.score_samples(z), len(self.label_names))
        return with_votes(probabilities, votes)

    def sample(
        self, n: int, digit: int | None = None, seed: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw images from the mixture. An adapted model's examples are not drawn from.

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
        progress: Callable[[FitProgress], object] | None = None,
        **options: Any,
    ) -> VAEGMM:
        """Return the same autoencoder with another mixture, fitted to the stored z.

        The start with the highest likelihood is kept; no label has a say in it. Where the network
        was trained with a mixture of as many components, that one is the start. Without
        `validation` the components are named by what the present mixture calls the stored z.
        An adapted model's examples come along, as wide as suits the other mixture.

        Args:
            n_components: K.
            seed: of the starts.
            n_init: how many starts there are.
            validation: images and labels that name the components.
            progress: called after each iteration of EM; what it raises ends the fit.
            options: further ones of `GaussianMixture`, such as covariance_type, means_init or
                history.

        Raises:
            ValueError: if there are fewer stored z than components.
        """
        kept = {field.name for field in fields(MixtureConfig)} & options.keys()
        config = replace(
            self.config.mixture,
            n_components=n_components,
            n_init=n_init,
            **{name: options.pop(name) for name in kept},
        )
        require_enough_images(len(self.latents), config)
        other = copy.copy(self)
        other.config = replace(self.config, mixture=config)
        other.mixture = self._fit_mixture(config, seed, progress, **options)
        other.names, other.metrics = None, {}
        other.forget_derived()
        checked = self._check_validation(validation, self.label_names)
        if checked is not None:
            other._name(*checked)
        elif self.names is not None:
            # Without the votes of examples, which go on voting for themselves.
            other.names = name_by_probabilities(
                other.mixture.predict_proba(self.latents),
                self.names.label_probabilities(self.mixture.predict_proba(self.latents)),
                self.names.n_labels,
            )
        if self.examples is not None:
            mine = self.examples
            other.examples = Examples.beside(other.mixture).with_more(
                mine.latents, mine.labels, mine.weights
            )
        return other

    def adapt(self, images: Images, labels: ArrayLike, weights: ArrayLike | None = None) -> VAEGMM:
        """Return a model that has also seen a few labelled images.

        Each becomes a small component around its z that votes for its label, beside the mixture as
        it was (`Examples`). Nothing is trained; this model stays what it is, and far from the
        examples the other says the same. What was measured before goes under
        `metrics["before_adaptation"]`. An adapted model can be adapted further.

        Args:
            images: shape (N, 28, 28) or (N, 784), uint8 or float in [0, 1].
            labels: whole numbers below the number of label names, shape (N,).
            weights: how much each counts, 1 being an example, shape (N,); all 1 if None. The views
                of one drawing share 1 (`vaegmm.adaptation.views_of`).

        Raises:
            ValueError: if the components have no names, or images, labels or weights are unusable.
        """
        self.require_names()
        return self.adapt_latents(self.encode(images), labels, weights)

    def adapt_latents(
        self, latents: ArrayLike | Tensor, labels: ArrayLike, weights: ArrayLike | None = None
    ) -> VAEGMM:
        """Do what `adapt` does with images whose z, shape (N, D), is known."""
        self.require_names()
        z = self._check_latents(latents)
        numbers = as_labels(labels, len(z))
        if numbers.max() >= len(self.label_names):
            raise InputError(
                f"labels must lie from 0 to {len(self.label_names) - 1}, the labels of this model; "
                f"got {numbers.max()}.",
                reason="label of another model",
                most=len(self.label_names) - 1,
            )
        known = Examples.beside(self.mixture) if self.examples is None else self.examples
        other = copy.copy(self)
        other.examples = known.with_more(z, numbers, as_weights(weights, len(z)))
        if self.examples is None:
            other.metrics = {"before_adaptation": self.metrics} if self.metrics else {}
        vars(other).pop("fingerprint", None)  # ranks have no part in it
        return other

    def repeat_fit(
        self, progress: Callable[[FitProgress], object] | None = None
    ) -> GaussianMixture:
        """Fit the mixture once more as it is fitted after a training, and keep its iterations.

        It ends with the model's own mixture, unless that has been changed since, was fitted
        elsewhere or from other settings.

        Args:
            progress: called after each iteration of EM; what it raises ends the fit.
        """
        return self._fit_mixture(self.config.mixture, self.config.seed, progress, history=True)

    def save(self, path: str | Path) -> None:
        """Write one safetensors file, atomically.

        Raises:
            CheckpointError: if it cannot be written; what was there before stays whole.
        """
        checkpoint.write_parts(self, path)

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

    def _fit_mixture(
        self,
        config: MixtureConfig,
        seed: int,
        progress: Callable[[FitProgress], object] | None = None,
        **options: Any,
    ) -> GaussianMixture:
        start: dict[str, Any] = {}
        prior = self.prior
        if prior is not None and (len(prior.weights), "full") == (
            config.n_components,
            config.covariance_type,
        ):
            start = prior.as_start() | {"n_init": 1}
        if options.keys() & {"init_params", *_STARTS}:
            start = {}  # whoever says where to begin means it
        # The start of the published figures, whatever the estimator's default is.
        chosen = {"init_params": "kmeans"} | asdict(config) | start | options
        mixture = GaussianMixture(**chosen, random_state=seed)
        return mixture.fit(self.latents.astype(np.float64), progress=progress)

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


def _training_images(images: Images | StoredImages) -> np.ndarray | StoredImages:
    return images if isinstance(images, StoredImages) else as_bytes(images)


def load(path: str | Path, device: str | torch.device = "cpu") -> VAEGMM:
    """Read a model that `VAEGMM.save` wrote.

    Raises:
        CheckpointError: if the file is missing, truncated, foreign or from a newer vaegmm.
    """
    model = VAEGMM(device=device)
    vars(model).update(vars(checkpoint.read_parts(path)))
    model.vae.to(device)
    return model


def require_enough_images(n_images: int, config: MixtureConfig) -> None:
    """Refuse a mixture with more components than there are images to fit it to.

    Checked before the autoencoder is trained: a training must not be lost to this at its end.
    """
    if n_images < config.n_components:
        raise InputError(
            "n_components must not exceed the number of training images; got "
            f"n_components={config.n_components}, images={n_images}. Lower n_components.",
            reason="many components",
            n_images=n_images,
        )
