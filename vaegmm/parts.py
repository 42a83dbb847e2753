"""What a trained model consists of: all that a checkpoint holds and an answer is made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from vaegmm.config import PRESETS, TrainConfig
from vaegmm.examples import Examples
from vaegmm.labelling import ComponentNames
from vaegmm.mixture import GaussianMixture
from vaegmm.prior import Prior
from vaegmm.projection import PCA
from vaegmm.typicality import TypicalityRanks
from vaegmm.vae import VAE


@dataclass(eq=False)
class Parts:
    """The parts of a model; those without a default are there once it is trained.

    Attributes:
        config: the training.
        vae: the autoencoder.
        prior: the mixture that the network was trained with, or None where none was.
        mixture: fitted to `latents`.
        names: what the components are called, or None where no labels were given.
        label_names: what the labels are called, as shown to people.
        examples: labelled images that the model has seen since, or None where it is not adapted.
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
    vae: VAE = field(init=False, repr=False)
    prior: Prior | None = field(init=False, repr=False, default=None)
    mixture: GaussianMixture = field(init=False, repr=False)
    names: ComponentNames | None = field(init=False, repr=False, default=None)
    label_names: tuple[str, ...] = field(init=False, repr=False, default=())
    examples: Examples | None = field(init=False, repr=False, default=None)
    latents: np.ndarray = field(init=False, repr=False)
    ranked_means: np.ndarray = field(init=False, repr=False)
    ranked_excess: np.ndarray = field(init=False, repr=False)
    pca: PCA = field(init=False, repr=False)
    history: list[dict[str, Any]] = field(init=False, repr=False, default_factory=list)
    metrics: dict[str, Any] = field(init=False, repr=False, default_factory=dict)
    provenance: dict[str, Any] = field(init=False, repr=False, default_factory=dict)

    @cached_property
    def ranks(self) -> TypicalityRanks:
        """Ranks of `ranked_means` and `ranked_excess`, under the mixture."""
        log_likelihood = self.mixture.score_samples(self.ranked_means)
        return TypicalityRanks.fit(log_likelihood, self.ranked_excess)

    @cached_property
    def fingerprint(self) -> str:
        """What tells this model from every other: a digest of its latents, mixture and names.

        Those of an adapted model are followed by its examples.
        """
        names, mixture, examples = self.names, self.mixture, self.examples
        parts = [self.latents, mixture.weights_, mixture.means_, mixture.covariances_]
        parts += [] if names is None else [names.label_given_component, names.names]
        if examples is not None:
            parts += [examples.latents, examples.labels, examples.weights, examples.covariance]
            parts.append(np.array(examples.mass))
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part.tobytes())
        return digest.hexdigest()[:16]

    def forget_derived(self) -> None:
        """Drop what was computed from other parts: one of them has changed."""
        for name in ("ranks", "fingerprint"):
            vars(self).pop(name, None)

    def require_names(self) -> ComponentNames:
        """Return the names, or raise ValueError where there are none."""
        if self.names is None:
            raise ValueError(
                "components must have names to classify; this model was fitted without labels. "
                "Pass validation=(images, labels) to fit or refit."
            )
        return self.names
