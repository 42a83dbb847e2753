"""One step: a batch, what it costs, and how much each cost weighs by then."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vaegmm import processes
from vaegmm.config import TrainConfig
from vaegmm.images import Pixels
from vaegmm.training.augmentation import augment
from vaegmm.training.joint import imbalance, joint_parts
from vaegmm.training.state import TrainState


class Schedule(NamedTuple):
    """What changes from step to step."""

    learning_rate: float
    kl_weight: float


def schedule(config: TrainConfig, progress: float) -> Schedule:
    """Return the settings of a step at `progress`, the share of all steps done with it, (0, 1]."""
    warmth, decay = config.kl_warmup, config.learning_rate_decay
    rising = min(1.0, progress / warmth) if warmth else 1.0
    falling = min(1.0, (1 - progress) / decay) if decay else 1.0
    return Schedule(config.learning_rate * falling, config.kl_weight * rising)


def take_step(
    state: TrainState,
    config: TrainConfig,
    pixels: Pixels,
    chosen: Tensor,
    now: Schedule,
    generator: torch.Generator,
) -> Tensor:
    """Make one step of Adam; return cross-entropy and KL summed over the batch, shape (2,)."""
    batch = _draw_batch(state, config, pixels[chosen], generator)
    cross_entropy, kl, uninformed = _costs(state, batch)
    kl_weight = now.kl_weight
    if config.kl_reduction == "mean":
        kl_weight /= config.vae.latent_dim
    loss = (cross_entropy + kl_weight * kl + config.joint.consistency * uninformed) / len(chosen)
    for group in state.optimizer.param_groups:
        group["lr"] = now.learning_rate
    state.optimizer.zero_grad()
    loss.backward()
    totals = torch.stack([cross_entropy.detach(), kl.detach()])
    gradients = [p.grad for p in state.parameters if p.grad is not None]
    processes.current().sum(*gradients, totals)
    state.optimizer.step()
    return totals


class _Batch(NamedTuple):
    """This process's share of a batch, and what was drawn for it."""

    n_images: int  # of the whole batch
    images: Tensor  # (N, 784) in [0, 1]
    noise: Tensor  # (N, D), or (2N, D) where both image and view are encoded
    views: Tensor | None  # (N, 784)


def _draw_batch(
    state: TrainState,
    config: TrainConfig,
    pixels: Tensor,
    generator: torch.Generator,
) -> _Batch:
    """Draw noise and views for the whole batch, and take this process's share of it."""
    images = pixels.float() / 255
    has_views = config.augmentation.is_active
    n_encoded = 2 if has_views and state.prior is not None else 1
    shape = n_encoded, len(images), config.vae.latent_dim
    noise = torch.randn(shape, generator=generator, device=pixels.device)
    views = augment(images, config.augmentation, generator) if has_views else None
    group = processes.current()
    mine = slice(group.rank, None, group.size)
    return _Batch(
        len(images),
        images[mine],
        noise[:, mine].flatten(0, 1),
        None if views is None else views[mine],
    )


def _costs(state: TrainState, batch: _Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Return cross-entropy, KL and minus what the views tell of each other, in nats, summed."""
    images, noise, views = batch.images, batch.noise, batch.views
    if state.prior is None:
        alone = state.vae.loss_parts(images, noise, views)
        return alone.cross_entropy.sum(), alone.kl.sum(), noise.new_zeros(())
    parts = joint_parts(state.vae, state.prior(), images, noise, views)
    cross_entropy, kl = parts.cross_entropy.sum(), parts.kl.sum()
    if views is None:
        return cross_entropy, kl, noise.new_zeros(())
    mean = parts.responsibilities.detach().sum(0) / (2 * batch.n_images)
    processes.current().sum(mean)
    unequal = imbalance(parts.responsibilities, mean).sum() / 2
    return cross_entropy, kl, parts.disagreement.sum() + unequal
