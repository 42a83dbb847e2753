"""Training the autoencoder: a generator of progress over one resumable state."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.distributed
from torch import Tensor

from vaegmm.augmentation import augment
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.vae import VAE

__all__ = ["PRESETS", "EpochLoss", "NonFiniteLossError", "Progress", "TrainConfig", "TrainState"]

_REPORT_SECONDS = 0.25  # a progress bar that moves four times a second looks alive


class NonFiniteLossError(RuntimeError):
    """The loss stopped being a finite number; the last finished epoch is still good."""

    def __init__(self, epoch: int, step: int) -> None:
        super().__init__(
            f"loss must stay finite; it did not in epoch {epoch}, step {step}. "
            f"The state after epoch {epoch - 1} is kept. Lower the learning rate."
        )
        self.epoch = epoch
        self.step = step


@dataclass(frozen=True)
class EpochLoss:
    """The mean losses of one epoch, in nats an image."""

    epoch: int  # counted from 1
    cross_entropy: float
    kl: float  # summed over the latent dimensions, without the weight
    kl_weight: float  # the weight at the end of the epoch
    validation_cross_entropy: float | None = None
    validation_kl: float | None = None


@dataclass(frozen=True)
class Progress:
    """Where a training stands. Losses are means over the epoch so far, in nats an image."""

    epoch: int  # the epoch in hand, counted from 1
    epochs: int
    step: int  # steps done in this epoch
    steps: int  # steps of an epoch
    cross_entropy: float
    kl: float
    kl_weight: float
    seconds: float  # since this process began to train
    seconds_left: float  # estimated
    finished_epoch: EpochLoss | None = None  # set on the report that ends an epoch

    @property
    def fraction(self) -> float:
        """The share of the whole training that is done, in [0, 1]."""
        return (self.epoch - 1 + self.step / self.steps) / self.epochs


@dataclass
class TrainState:
    """Everything that a training changes: weights, Adam's moments, and the epochs finished.

    The random numbers of an epoch depend on the seed and the epoch alone, so this is all that an
    interrupted training needs to end with the weights of an uninterrupted one.
    """

    vae: VAE
    optimizer: torch.optim.Adam
    history: list[EpochLoss] = field(default_factory=list)

    @classmethod
    def start(cls, config: TrainConfig, device: torch.device | str = "cpu") -> TrainState:
        """Initialise the autoencoder from the configuration's seed."""
        with torch.random.fork_rng(devices=[]):
            # Drawn on the CPU, so that every device starts from the same weights.
            torch.manual_seed(config.seed)
            vae = VAE(config.vae)
        vae = vae.to(device)
        return cls(vae, torch.optim.Adam(vae.parameters(), lr=config.learning_rate, fused=True))

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return len(self.history)

    def tensors(self) -> dict[str, Tensor]:
        """Return weights and moments by name; `restore` takes them back."""
        tensors = {f"vae.{name}": value for name, value in self.vae.state_dict().items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in moments.items()}
        return tensors

    def restore(self, tensors: dict[str, Tensor], history: list[EpochLoss]) -> None:
        """Go back to the state whose `tensors` and `history` these are.

        Raises:
            ValueError: if the tensors belong to an autoencoder of another shape.
        """
        weights: dict[str, Tensor] = {}
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "vae":
                weights[rest] = value
            else:
                index, _, moment = rest.partition(".")
                moments.setdefault(int(index), {})[moment] = value
        try:
            self.vae.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(f"the saved state does not fit the autoencoder: {error}") from error
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.history = list(history)


def train(
    state: TrainState,
    images: np.ndarray | Tensor,
    config: TrainConfig,
    validation_images: np.ndarray | Tensor | None = None,
) -> Iterator[Progress]:
    """Train the autoencoder until `config.epochs` epochs are finished.

    Images stay on the device as uint8 and are permuted anew each epoch. Under torch.distributed
    every process takes its share of each batch and the gradients are summed, which is the same
    training over several processes.

    Args:
        state: where to begin; changed in place.
        images: uint8, shape (N, 28, 28) or (N, 784).
        config: the training; `config.vae` must be the one `state` was started from.
        validation_images: held-out images whose loss is measured after each epoch, uint8.

    Yields:
        Progress about four times a second, and once at the end of each epoch, when `state` may be
        saved.

    Raises:
        NonFiniteLossError: as soon as a loss that is not finite is seen.
        ValueError: if there are fewer images than one.
    """
    if len(images) == 0:
        raise ValueError("images must not be empty; got images=0.")
    device = state.vae.device
    pixels = _to_device(images, device)
    held_out = None if validation_images is None else _to_device(validation_images, device)
    generator = torch.Generator(device)
    steps = -(-len(pixels) // config.batch_size)
    began, first_epoch, last_report = time.perf_counter(), state.epoch, 0.0

    while state.epoch < config.epochs:
        epoch = state.epoch + 1
        generator.manual_seed(config.seed * 1_000_003 + epoch)
        permutation = torch.randperm(len(pixels), generator=generator, device=device)
        losses = torch.zeros(steps, 2, device=device)  # summed over the batch; read only on report

        for step in range(1, steps + 1):
            chosen = permutation[(step - 1) * config.batch_size : step * config.batch_size]
            kl_weight = _set_schedule(state, config, (epoch - 1) * steps + step, steps)
            losses[step - 1] = _take_step(state, config, pixels, chosen, kl_weight, generator)

            seconds = time.perf_counter() - began
            if step < steps and seconds - last_report < _REPORT_SECONDS:
                continue
            last_report = seconds
            cross_entropy, kl = _mean_losses(
                losses[:step], min(step * config.batch_size, len(pixels)), epoch
            )
            finished = None
            if step == steps:
                finished = EpochLoss(
                    epoch, cross_entropy, kl, kl_weight, *_held_out_loss(state.vae, held_out)
                )
                state.history.append(finished)
            done = (epoch - 1 - first_epoch) * steps + step
            remaining = (config.epochs - epoch) * steps + steps - step
            yield Progress(
                epoch=epoch,
                epochs=config.epochs,
                step=step,
                steps=steps,
                cross_entropy=cross_entropy,
                kl=kl,
                kl_weight=kl_weight,
                seconds=seconds,
                seconds_left=seconds / done * remaining,
                finished_epoch=finished,
            )


def _set_schedule(state: TrainState, config: TrainConfig, step: int, steps: int) -> float:
    """Set this step's learning rate (steps counted from 1); return its weight of the KL."""
    progress = step / (config.epochs * steps)
    warmth = min(1.0, progress / config.kl_warmup) if config.kl_warmup else 1.0
    left = (1 - progress) / config.learning_rate_decay if config.learning_rate_decay else 1.0
    for group in state.optimizer.param_groups:
        group["lr"] = config.learning_rate * min(1.0, left)
    return config.kl_weight * warmth


def _take_step(
    state: TrainState,
    config: TrainConfig,
    pixels: Tensor,
    chosen: Tensor,
    kl_weight: float,
    generator: torch.Generator,
) -> Tensor:
    """Make one step of Adam; return cross-entropy and KL summed over the batch, shape (2,)."""
    noise = torch.randn(
        len(chosen), config.vae.latent_dim, generator=generator, device=pixels.device
    )
    batch = pixels[chosen].float() / 255
    views = (
        augment(batch, config.augmentation, generator) if config.augmentation.is_active else None
    )
    rank, n_processes = _process()
    mine = slice(rank, None, n_processes)
    parts = state.vae.loss_parts(batch[mine], noise[mine], None if views is None else views[mine])
    reduced_kl = parts.kl.mean(-1) if config.kl_reduction == "mean" else parts.kl.sum(-1)
    loss = (parts.cross_entropy.sum() + kl_weight * reduced_kl.sum()) / len(chosen)
    state.optimizer.zero_grad()
    loss.backward()
    totals = torch.stack([parts.cross_entropy.detach().sum(), parts.kl.detach().sum()])
    if n_processes > 1:
        _sum_over_processes([p.grad for p in state.vae.parameters() if p.grad is not None], totals)
    state.optimizer.step()
    return totals


def _process() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def _sum_over_processes(gradients: list[Tensor], totals: Tensor) -> None:
    """Sum gradients and losses over all processes, in place, through one buffer."""
    tensors = [*gradients, totals]
    buffer = torch.cat([tensor.reshape(-1) for tensor in tensors])
    torch.distributed.all_reduce(buffer)
    parts = buffer.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


def _mean_losses(losses: Tensor, n_images: int, epoch: int) -> tuple[float, float]:
    finite = losses.isfinite().all(-1)
    if not finite.all():
        raise NonFiniteLossError(epoch, int(finite.logical_not().nonzero()[0]) + 1)
    cross_entropy, kl = (losses.double().sum(0) / n_images).tolist()
    return cross_entropy, kl


@torch.no_grad()
def _held_out_loss(vae: VAE, pixels: Tensor | None) -> tuple[float | None, float | None]:
    """Measure cross-entropy and KL on images that are not trained on, in nats an image."""
    if pixels is None or len(pixels) == 0:
        return None, None
    # The same noise every epoch, so that the curve shows the training and not the draw.
    generator = torch.Generator(pixels.device).manual_seed(0)
    totals = torch.zeros(2, dtype=torch.float64, device=pixels.device)
    for chunk in pixels.split(1024):
        noise = torch.randn(
            len(chunk), vae.config.latent_dim, generator=generator, device=pixels.device
        )
        parts = vae.loss_parts(chunk.float() / 255, noise)
        totals += torch.stack([parts.cross_entropy.sum(), parts.kl.sum()])
    cross_entropy, kl = (totals / len(pixels)).tolist()
    return cross_entropy, kl


def _to_device(images: np.ndarray | Tensor, device: torch.device) -> Tensor:
    return torch.as_tensor(images, dtype=torch.uint8).reshape(len(images), -1).to(device)
