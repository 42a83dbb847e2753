"""The variational autoencoder: ten dense layers around an 8-dimensional latent space."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vaegmm.config import VAEConfig
from vaegmm.gaussian import kl_to_standard_normal

IMAGE_SHAPE = (28, 28)
N_PIXELS = IMAGE_SHAPE[0] * IMAGE_SHAPE[1]


class Posterior(NamedTuple):
    """q(z | x): a Gaussian with independent dimensions."""

    mean: Tensor  # (N, D)
    std: Tensor  # (N, D)

    def sample(self, noise: Tensor) -> Tensor:
        """Reparameterize: z = mean + std · noise, with noise ~ N(0, 1) of shape (N, D)."""
        return self.mean + self.std * noise


class LossParts(NamedTuple):
    """What one batch of images costs, in nats an image."""

    cross_entropy: Tensor  # (N,) summed over pixels
    kl: Tensor  # (N, D) for each latent dimension
    posterior: Posterior


class _Bounded(torch.autograd.Function):
    """clamp(x, low, high) whose gradient passes a bound wherever it points back inside.

    An ordinary ReLU has no gradient below zero, so an output that lands there for every image is
    dead for good. Here a step that would bring it back is let through.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.bounds = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        low, high = ctx.bounds
        # Descent moves x against the gradient: a negative one raises x.
        passes = ((x > low) | (gradient < 0)) & ((x < high) | (gradient > 0))
        return gradient * passes, None, None


class VAE(nn.Module):
    """A dense variational autoencoder for 28×28 images with pixels in [0, 1].

    With the default configuration: ten layers (784-392-196-98, mean 8, std 8, 98-196-392-784) and
    1,426,700 parameters.

    Source: Kingma and Welling, Auto-Encoding Variational Bayes, 2014.
    """

    def __init__(self, config: VAEConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or VAEConfig()
        encoder_units = (N_PIXELS, N_PIXELS, *config.hidden_units)
        decoder_units = (config.latent_dim, *reversed(config.hidden_units))
        self.encoder = _relu_layers(encoder_units)
        self.mean = nn.Linear(encoder_units[-1], config.latent_dim)
        self.std = nn.Linear(encoder_units[-1], config.latent_dim)
        self.decoder = _relu_layers(decoder_units)
        self.output = nn.Linear(decoder_units[-1], N_PIXELS)
        self._initialise()

    def _initialise(self) -> None:
        if next(self.parameters()).is_meta:
            return  # weights from a file follow; drawing none would still import torch's compiler
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        for head in (self.mean, self.std, self.output):
            nn.init.xavier_normal_(head.weight)

    @property
    def n_parameters(self) -> int:
        """The number of trained parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def device(self) -> torch.device:
        """Where the weights live."""
        return self.output.weight.device

    def posterior(self, images: Tensor) -> Posterior:
        """Encode images: q(z | x).

        Args:
            images: pixels in [0, 1], shape (N, 784).

        Returns:
            Means and standard deviations, each of shape (N, D).
        """
        config = self.config
        hidden = self.encoder(images)
        mean, std = self.mean(hidden), self.std(hidden)
        if config.mean_activation == "relu":
            mean = self._bounded(mean, 0.0, math.inf)
        if config.std_activation == "relu":
            std = self._bounded(std, config.std_floor, math.inf)
        else:
            std = F.softplus(std) + config.std_floor
        return Posterior(mean, std)

    def decode(self, latents: Tensor) -> Tensor:
        """Decode latents, shape (N, D), to pixels in [0, 1], shape (N, 784)."""
        activations = self.output(self.decoder(latents))
        if self.config.output_activation == "sigmoid":
            return activations.sigmoid()
        return self._bounded_pixels(activations)

    def cross_entropy(self, latents: Tensor, images: Tensor) -> Tensor:
        """Reconstruct from latents and compare: -log p(x | z), in nats, summed over pixels.

        Args:
            latents: shape (N, D).
            images: the pixels to reconstruct, in [0, 1], shape (N, 784).

        Returns:
            Cross-entropy of each image, shape (N,).
        """
        activations = self.output(self.decoder(latents))
        if self.config.output_activation == "sigmoid":
            pixels = F.binary_cross_entropy_with_logits(activations, images, reduction="none")
        else:
            pixels = F.binary_cross_entropy(
                self._bounded_pixels(activations), images, reduction="none"
            )
        return pixels.sum(-1)

    def loss_parts(
        self, images: Tensor, noise: Tensor, encoder_images: Tensor | None = None
    ) -> LossParts:
        """Compute both parts of the loss for one reparameterized sample of z.

        Args:
            images: the pixels to reconstruct, in [0, 1], shape (N, 784).
            noise: drawn from N(0, 1), shape (N, D).
            encoder_images: what the encoder sees, where that differs from `images` (an augmented
                view of them), shape (N, 784).
        """
        posterior = self.posterior(images if encoder_images is None else encoder_images)
        return LossParts(
            cross_entropy=self.cross_entropy(posterior.sample(noise), images),
            kl=kl_to_standard_normal(posterior.mean, posterior.std),
            posterior=posterior,
        )

    def elbo(self, images: Tensor, noise: Tensor | None = None, kl_weight: float = 1.0) -> Tensor:
        """Evaluate the evidence lower bound, -(cross-entropy + kl_weight · KL), in nats.

        Args:
            images: pixels in [0, 1], shape (N, 784).
            noise: the reparameterization's draw from N(0, 1), shape (N, D); drawn if not given.
            kl_weight: the constant of the loss; 1 makes this a bound on log p(x).

        Returns:
            One bound an image, shape (N,).
        """
        if noise is None:
            noise = torch.randn(len(images), self.config.latent_dim, device=images.device)
        parts = self.loss_parts(images, noise)
        return -(parts.cross_entropy + kl_weight * parts.kl.sum(-1))

    def _bounded_pixels(self, activations: Tensor) -> Tensor:
        margin = self.config.pixel_margin
        return self._bounded(activations, margin, 1 - margin)

    def _bounded(self, x: Tensor, low: float, high: float) -> Tensor:
        if self.config.rescue_gradients:
            return _Bounded.apply(x, low, high)
        return x.clamp(low, high)


def _relu_layers(units: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(units):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers)
