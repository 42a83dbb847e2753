"""The whole of a training: a generator of progress over one resumable state."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaegmm import processes
from vaegmm.config import TrainConfig
from vaegmm.errors import ReasonedError
from vaegmm.images import Pixels, as_bytes, as_training_pixels, to_device
from vaegmm.stored import StoredImages
from vaegmm.training.joint import JointParts, joint_parts
from vaegmm.training.start import prepare_prior, views_information
from vaegmm.training.state import EpochLoss, TrainState
from vaegmm.training.step import schedule, take_step
from vaegmm.vae import LossParts, Posterior

_REPORT_SECONDS = 0.25  # a progress bar that moves four times a second looks alive
#: Of the first epoch, each reported: most happens in them.
FIRST_STEPS = {factor * 10**power for power in range(9) for factor in (1, 3)}
# The joint stage has collapsed where it lost more than half of what the views told of each other at
# its start, if that was at least half of what there is to tell, log K.
_LEAST_TOLD = 0.5
_LEAST_KEPT = 0.5
_MOST_RESTARTS = 1  # of one training


class NonFiniteLossError(ReasonedError, RuntimeError):
    """The loss stopped being a finite number; the last finished epoch is still good."""

    def __init__(self, epoch: int, step: int) -> None:
        kept = f"epoch {epoch - 1} is kept" if epoch > 1 else "no epoch was finished"
        super().__init__(
            f"loss must stay finite; it did not in epoch {epoch}, step {step}; {kept}. "
            "Lower the learning rate.",
            reason="loss not finite",
            epoch=epoch,
        )
        self.epoch = epoch
        self.step = step


@dataclass(frozen=True)
class Progress:
    """Where a training stands. Losses are means over the epoch so far, in nats an image.

    Before the first step of an epoch they are those of the epoch before; before the very first, of
    one batch.
    """

    epoch: int  # the epoch in hand, counted from 1
    epochs: int
    step: int  # steps done in this epoch
    steps: int  # steps of an epoch
    cross_entropy: float
    kl: float
    kl_weight: float
    seconds: float  # since this process began to train
    seconds_left: float | None  # estimated from the steps made; None before the first
    finished_epoch: EpochLoss | None = None  # set on the report that ends an epoch
    starts_tried: int = 0  # before the first step of the joint stage
    restarts: int = 0  # how often the whole training has begun again by itself
    attempt: int = 1  # in hand, of those that a run makes
    attempts: int = 1
    seconds_before: float = 0.0  # of this training, in processes before this one

    @property
    def fraction(self) -> float:
        """The share of the whole training, of all attempts, that is done, in [0, 1]."""
        of_attempt = (self.epoch - 1 + self.step / self.steps) / self.epochs
        return (self.attempt - 1 + of_attempt) / self.attempts


def train(
    state: TrainState,
    images: np.ndarray | Tensor | StoredImages,
    config: TrainConfig,
    validation_images: np.ndarray | Tensor | None = None,
) -> Iterator[Progress]:
    """Train the autoencoder until `config.epochs` epochs are finished.

    Images stay on the device as uint8, or in their files, and are permuted anew each epoch. Under
    torch.distributed every process takes its share of each batch and the gradients are summed,
    which is the same training over several processes.

    A joint stage that has collapsed, which the views tell without a label, makes the whole training
    begin again once, with another seed.

    Args:
        state: where to begin; changed in place.
        images: shape (N, 28, 28) or (N, 784); what is not uint8 already becomes uint8.
        config: the training; `config.vae` must be the one `state` was started from.
        validation_images: held-out images whose loss is measured after each epoch.

    Yields:
        Progress about four times a second, after each start of the joint stage, in the first epoch
        before the first step and after steps 1, 3, 10, 30, 100, …, and once at the end of each
        epoch, when `state` may be saved.

    Raises:
        NonFiniteLossError: as soon as a loss that is not finite is seen; `state` is then that of
            the last finished epoch.
        ValueError: if there are no images, or fewer than components of the joint stage's mixture,
            or `state` is that of another autoencoder.
    """
    if state.vae.config != config.vae:
        raise ValueError(f"config.vae must be the state's; got {config.vae}.")
    device = state.vae.device
    pixels = as_training_pixels(images, device)
    if config.joint_epochs and len(pixels) < config.joint.n_components:
        raise ValueError(
            "joint.n_components must not exceed the number of training images; got "
            f"joint.n_components={config.joint.n_components}, images={len(pixels)}."
        )
    held_out = None
    if validation_images is not None and len(validation_images):
        held_out = to_device(as_bytes(validation_images, "validation images"), device)
    clock = _Clock(time.perf_counter(), state.history[-1].seconds or 0.0 if state.history else 0.0)
    restarted = _of_restart(config, state.restarts)
    yield from _train_epochs(state, pixels, held_out, restarted, clock)
    while state.restarts < _MOST_RESTARTS and _has_collapsed(state, pixels, restarted):
        restarted = _of_restart(config, state.restarts + 1)
        state.begin_again(restarted)
        yield from _train_epochs(state, pixels, held_out, restarted, clock)


def _of_restart(config: TrainConfig, restarts: int) -> TrainConfig:
    # Half of all seeds away: whoever compares seeds 0 to 9 must not meet one of them twice.
    return replace(config, seed=(config.seed + restarts * 2**31) % 2**32)


def _train_epochs(
    state: TrainState,
    pixels: Pixels,
    held_out: Tensor | None,
    config: TrainConfig,
    clock: _Clock,
) -> Iterator[Progress]:
    """Train until all epochs are finished, for the first time or again."""
    steps = -(-len(pixels) // config.batch_size)
    first_epoch, last_report, seconds_of_steps = state.epoch, time.perf_counter(), 0.0

    while state.epoch < config.epochs:
        last_good = {name: value.clone() for name, value in state.tensors().items()}
        try:
            for step, loss, starts_tried in _train_epoch(state, pixels, held_out, config, clock):
                now = time.perf_counter()
                if not starts_tried:
                    seconds_of_steps += now - last_report
                last_report = now
                done = (loss.epoch - 1 - first_epoch) * steps + step
                left = (config.epochs - loss.epoch) * steps + steps - step
                yield Progress(
                    epoch=loss.epoch,
                    epochs=config.epochs,
                    step=step,
                    steps=steps,
                    cross_entropy=loss.cross_entropy,
                    kl=loss.kl,
                    kl_weight=loss.kl_weight,
                    seconds=now - clock.began,
                    seconds_left=seconds_of_steps / done * left if done else None,
                    finished_epoch=loss if step == steps else None,
                    starts_tried=starts_tried,
                    restarts=state.restarts,
                    seconds_before=clock.before,
                )
        except NonFiniteLossError:
            state.restore(last_good, state.history)
            raise


class _Clock(NamedTuple):
    began: float  # reading of perf_counter when this process began to train
    before: float  # seconds of training before that


class _EpochReport(NamedTuple):
    step: int  # steps done
    loss: EpochLoss  # the mean so far; before the first step, that of the epoch before
    starts_tried: int = 0


def _train_epoch(
    state: TrainState,
    pixels: Pixels,
    held_out: Tensor | None,
    config: TrainConfig,
    clock: _Clock,
) -> Iterator[_EpochReport]:
    """Train one epoch; the last report comes when it is over."""
    epoch, steps = state.epoch + 1, -(-len(pixels) // config.batch_size)
    generator = torch.Generator(pixels.device).manual_seed(config.seed * 1_000_003 + epoch)
    permutation = torch.randperm(len(pixels), generator=generator, device=pixels.device)
    if state.history:
        before = replace(state.history[-1], epoch=epoch)
    else:
        measured, _ = _held_out_loss(state, pixels[permutation[: config.batch_size]])
        before = EpochLoss(epoch, *measured, schedule(config, 0).kl_weight)
        yield _EpochReport(0, before)
    if epoch > config.epochs - config.joint_epochs:
        for starts_tried in prepare_prior(state, pixels, config, generator):
            yield _EpochReport(0, before, starts_tried)
    losses = torch.zeros(steps, 2, device=pixels.device)  # summed over the batch; read on report
    last_report = time.perf_counter()

    for step in range(1, steps + 1):
        # Not `split`: of 10,000,000 images it makes a list that fills a hundred megabytes.
        chosen = permutation[(step - 1) * config.batch_size : step * config.batch_size]
        now = schedule(config, ((epoch - 1) * steps + step) / (config.epochs * steps))
        losses[step - 1] = take_step(state, config, pixels, chosen, now, generator)
        is_due = time.perf_counter() - last_report >= _REPORT_SECONDS
        if step < steps and (is_due or (epoch == 1 and step in FIRST_STEPS)):
            seen = step * config.batch_size
            means = _mean_losses(losses[:step], seen, epoch)
            yield _EpochReport(step, EpochLoss(epoch, *means, now.kl_weight))
            last_report = time.perf_counter()

    means = _mean_losses(losses, len(pixels), epoch)
    # A finite loss can have a gradient that isn't: the last step would go unnoticed.
    if not all(parameter.isfinite().all() for parameter in state.parameters):
        raise NonFiniteLossError(epoch, steps)
    loss = EpochLoss(epoch, *means, now.kl_weight)
    if held_out is not None:
        (cross_entropy, kl), state.held_out = _held_out_loss(state, held_out)
        loss = replace(loss, validation_cross_entropy=cross_entropy, validation_kl=kl)
    seconds = round(clock.before + time.perf_counter() - clock.began, 3)
    loss = replace(loss, seconds=seconds)
    state.history.append(loss)
    yield _EpochReport(steps, loss)


@torch.no_grad()
def _has_collapsed(state: TrainState, pixels: Pixels, config: TrainConfig) -> bool:
    """Whether the joint stage has lost what its start knew: no label is needed to see that."""
    if state.prior is None:
        return False
    first = state.prior.first_information  # NaN where there are no views
    if not first >= _LEAST_TOLD * math.log(config.joint.n_components):
        return False
    has_collapsed = (views_information(state, pixels, config) < _LEAST_KEPT * first).int()
    processes.current().follow_first(has_collapsed)
    return bool(has_collapsed)


def _mean_losses(losses: Tensor, n_images: int, epoch: int) -> tuple[float, float]:
    losses = losses.cpu()  # MPS has no double precision
    finite = losses.isfinite().all(-1)
    if not finite.all():
        raise NonFiniteLossError(epoch, int(finite.logical_not().nonzero()[0]) + 1)
    cross_entropy, kl = (losses.double().sum(0) / n_images).tolist()
    return cross_entropy, kl


@torch.no_grad()
def _held_out_loss(state: TrainState, pixels: Tensor) -> tuple[tuple[float, float], Posterior]:
    """Measure cross-entropy and KL on images as they are, in nats an image; return q(z | x) too."""
    # The same noise every epoch, so that the curve shows the training and not the draw.
    generator = torch.Generator(pixels.device).manual_seed(0)
    totals, posteriors = torch.zeros(2, dtype=torch.float64), []
    for chunk in pixels.split(1024):
        noise = torch.randn(
            len(chunk), state.vae.config.latent_dim, generator=generator, device=pixels.device
        )
        images = chunk.float() / 255
        parts: LossParts | JointParts
        if state.prior is None:
            parts = state.vae.loss_parts(images, noise)
        else:
            parts = joint_parts(state.vae, state.prior(), images, noise)
        totals += torch.stack([parts.cross_entropy.sum(), parts.kl.sum()]).cpu()
        posteriors.append(parts.posterior)
    cross_entropy, kl = (totals / len(pixels)).tolist()
    return (cross_entropy, kl), Posterior(*map(torch.cat, zip(*posteriors, strict=True)))
