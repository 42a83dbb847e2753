"""Training the autoencoder: a generator of progress over one resumable state."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
import torch.distributed
from torch import Tensor, nn

from vaegmm.augmentation import augment
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.images import as_bytes, to_device
from vaegmm.joint import (
    JointParts,
    Start,
    TrainedPrior,
    imbalance,
    information,
    joint_parts,
    rescue,
    starts,
)
from vaegmm.vae import VAE, LossParts

__all__ = [
    "PRESETS",
    "EpochLoss",
    "NonFiniteLossError",
    "Progress",
    "TrainConfig",
    "TrainState",
    "train",
]

_REPORT_SECONDS = 0.25  # a progress bar that moves four times a second looks alive
_CHUNK = 2048  # images that pass the network at once where no gradient is needed
_N_JUDGES = 10_000  # images whose views judge the prior
# The joint stage has collapsed where it lost more than half of what the views told of each other at
# its start, if that was at least half of what there is to tell, log K.
_LEAST_TOLD = 0.5
_LEAST_KEPT = 0.5
_MOST_RESTARTS = 1  # of one training


class NonFiniteLossError(RuntimeError):
    """The loss stopped being a finite number; the last finished epoch is still good."""

    def __init__(self, epoch: int, step: int) -> None:
        kept = f"epoch {epoch - 1} is kept" if epoch > 1 else "no epoch was finished"
        super().__init__(
            f"loss must stay finite; it did not in epoch {epoch}, step {step}; {kept}. "
            "Lower the learning rate."
        )
        self.epoch = epoch
        self.step = step


@dataclass(frozen=True)
class EpochLoss:
    """The mean losses of one epoch, in nats an image."""

    epoch: int  # counted from 1
    cross_entropy: float
    kl: float  # from the prior, summed over the latent dimensions, without the weight
    kl_weight: float  # the weight at the end of the epoch
    validation_cross_entropy: float | None = None
    validation_kl: float | None = None


@dataclass(frozen=True)
class Progress:
    """Where a training stands. Losses are means over the epoch so far, in nats an image.

    Before the first step of an epoch they are those of the epoch before.
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

    @property
    def fraction(self) -> float:
        """The share of the whole training that is done, in [0, 1]."""
        return (self.epoch - 1 + self.step / self.steps) / self.epochs


@dataclass
class TrainState:
    """Everything that a training changes: weights, Adam's moments, prior, and epochs finished.

    The random numbers of an epoch depend on the seed, the restarts and the epoch alone, so this is
    all that an interrupted training needs to end with the weights of an uninterrupted one.
    """

    vae: VAE
    optimizer: torch.optim.Adam
    history: list[EpochLoss] = field(default_factory=list)
    prior: TrainedPrior | None = None  # of the joint stage, once it has begun
    restarts: int = 0  # how often it has begun again

    @classmethod
    def start(cls, config: TrainConfig, device: torch.device | str = "cpu") -> TrainState:
        """Initialise the autoencoder from the configuration's seed."""
        with torch.random.fork_rng(devices=[]):
            # Drawn on the CPU, so that every device starts from the same weights.
            torch.manual_seed(config.seed)
            vae = VAE(config.vae)
        vae = vae.to(device)
        return cls(vae, _adam(vae, config.learning_rate))

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return len(self.history)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All that the optimizer changes: the network's, then the prior's."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def begin_joint_stage(self, n_components: int) -> TrainedPrior:
        """Let the optimizer train a prior too, and return it."""
        self.prior = TrainedPrior(n_components, self.vae.config.latent_dim).to(self.vae.device)
        self.optimizer.add_param_group({"params": list(self.prior.parameters())})
        return self.prior

    def begin_again(self, config: TrainConfig) -> None:
        """Forget all epochs, and begin from this configuration's seed."""
        self.restarts += 1
        fresh = TrainState.start(config)
        self.vae.load_state_dict(fresh.vae.state_dict())
        self.optimizer = _adam(self.vae, config.learning_rate)
        self.prior, self.history = None, []

    def tensors(self) -> dict[str, Tensor]:
        """Return all but the history by name, for `restore`.

        Training changes weights and moments in place.
        """
        tensors = {f"vae.{name}": value for name, value in self.vae.state_dict().items()}
        tensors["restarts"] = torch.tensor(self.restarts)
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in moments.items()}
        if self.prior is not None:
            tensors |= {f"prior.{name}": value for name, value in self.prior.state_dict().items()}
        return tensors

    def restore(self, tensors: dict[str, Tensor], history: list[EpochLoss]) -> None:
        """Go back to the state whose `tensors` and `history` these are.

        Raises:
            ValueError: if the tensors belong to an autoencoder of another shape.
        """
        parts: dict[str, dict[str, Tensor]] = {"vae": {}, "prior": {}}
        moments: dict[int, dict[str, Tensor]] = {}
        restored = TrainState(self.vae, _adam(self.vae, self.optimizer.defaults["lr"]))
        try:
            for name, value in tensors.items():
                kind, _, rest = name.partition(".")
                if kind == "restarts":
                    restored.restarts = int(value)
                elif kind in parts:
                    parts[kind][rest] = value
                else:
                    index, _, moment = rest.partition(".")
                    # A copy: Adam would go on in the caller's tensor.
                    moments.setdefault(int(index), {})[moment] = value.clone()
            if parts["prior"]:
                prior = restored.begin_joint_stage(len(parts["prior"].get("logits", ())))
                prior.load_state_dict(parts["prior"])
            _check_moments(moments, restored.parameters, bool(history))
            self.vae.load_state_dict(parts["vae"])
        except (RuntimeError, TypeError, ValueError) as error:
            raise ValueError(f"the saved state does not fit the autoencoder: {error}") from error
        groups = restored.optimizer.state_dict()["param_groups"]
        restored.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        self.optimizer, self.prior = restored.optimizer, restored.prior
        self.history, self.restarts = list(history), restored.restarts


def _adam(vae: VAE, learning_rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(vae.parameters(), lr=learning_rate, fused=True)


def _check_moments(
    moments: dict[int, dict[str, Tensor]], parameters: list[nn.Parameter], has_trained: bool
) -> None:
    """Refuse moments that Adam would take without a word, and stumble over later or never."""
    expected = {
        index: {"step": torch.Size(), "exp_avg": p.shape, "exp_avg_sq": p.shape}
        for index, p in enumerate(parameters)
        if has_trained
    }
    found = {i: {name: value.shape for name, value in m.items()} for i, m in moments.items()}
    if found != expected:
        raise ValueError("Adam's moments are those of other weights.")


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

    A joint stage that has collapsed, which the views tell without a label, makes the whole training
    begin again once, with another seed.

    Args:
        state: where to begin; changed in place.
        images: shape (N, 28, 28) or (N, 784); what is not uint8 already becomes uint8.
        config: the training; `config.vae` must be the one `state` was started from.
        validation_images: held-out images whose loss is measured after each epoch.

    Yields:
        Progress about four times a second, and once at the end of each epoch, when `state` may be
        saved.

    Raises:
        NonFiniteLossError: as soon as a loss that is not finite is seen; `state` is then that of
            the last finished epoch.
        ValueError: if there are no images, or fewer than components of the joint stage's mixture,
            or `state` is that of another autoencoder.
    """
    if state.vae.config != config.vae:
        raise ValueError(f"config.vae must be the state's; got {config.vae}.")
    device = state.vae.device
    pixels = to_device(as_bytes(images), device)
    if config.joint_epochs and len(pixels) < config.joint.n_components:
        raise ValueError(
            "joint.n_components must not exceed the number of training images; got "
            f"joint.n_components={config.joint.n_components}, images={len(pixels)}."
        )
    held_out = None
    if validation_images is not None:
        held_out = to_device(as_bytes(validation_images, "validation images"), device)
    began = time.perf_counter()
    attempt = _of_attempt(config, state.restarts)
    yield from _train_epochs(state, pixels, held_out, attempt, began)
    while state.restarts < _MOST_RESTARTS and _has_collapsed(state, pixels, attempt):
        attempt = _of_attempt(config, state.restarts + 1)
        state.begin_again(attempt)
        yield from _train_epochs(state, pixels, held_out, attempt, began)


def _of_attempt(config: TrainConfig, restarts: int) -> TrainConfig:
    # Half of all seeds away: whoever compares seeds 0 to 9 must not meet one of them twice.
    return replace(config, seed=(config.seed + restarts * 2**31) % 2**32)


def _train_epochs(
    state: TrainState,
    pixels: Tensor,
    held_out: Tensor | None,
    config: TrainConfig,
    began: float,
) -> Iterator[Progress]:
    """Train until all epochs are finished, for the first time or again."""
    steps = -(-len(pixels) // config.batch_size)
    first_epoch, last_report, seconds_of_steps = state.epoch, time.perf_counter(), 0.0

    while state.epoch < config.epochs:
        last_good = {name: value.clone() for name, value in state.tensors().items()}
        try:
            for step, loss, starts_tried in _train_epoch(state, pixels, held_out, config):
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
                    seconds=now - began,
                    seconds_left=seconds_of_steps / done * left if done else None,
                    finished_epoch=loss if step == steps else None,
                    starts_tried=starts_tried,
                    restarts=state.restarts,
                )
        except NonFiniteLossError:
            state.restore(last_good, state.history)
            raise


class _EpochReport(NamedTuple):
    step: int  # steps done
    loss: EpochLoss  # the mean so far; before the first step, that of the epoch before
    starts_tried: int = 0


def _train_epoch(
    state: TrainState, pixels: Tensor, held_out: Tensor | None, config: TrainConfig
) -> Iterator[_EpochReport]:
    """Train one epoch; the last report comes when it is over."""
    epoch, steps = state.epoch + 1, -(-len(pixels) // config.batch_size)
    generator = torch.Generator(pixels.device).manual_seed(config.seed * 1_000_003 + epoch)
    permutation = torch.randperm(len(pixels), generator=generator, device=pixels.device)
    if epoch > config.epochs - config.joint_epochs:
        for starts_tried in _prepare_prior(state, pixels, config, generator):
            if state.history:  # else there is no loss to show yet
                yield _EpochReport(0, replace(state.history[-1], epoch=epoch), starts_tried)
    losses = torch.zeros(steps, 2, device=pixels.device)  # summed over the batch; read on report
    last_report = time.perf_counter()

    for step, chosen in enumerate(permutation.split(config.batch_size), 1):
        now = schedule(config, ((epoch - 1) * steps + step) / (config.epochs * steps))
        losses[step - 1] = _take_step(state, config, pixels, chosen, now, generator)
        if step < steps and time.perf_counter() - last_report >= _REPORT_SECONDS:
            seen = step * config.batch_size
            means = _mean_losses(losses[:step], seen, epoch)
            yield _EpochReport(step, EpochLoss(epoch, *means, now.kl_weight))
            last_report = time.perf_counter()

    means = _mean_losses(losses, len(pixels), epoch)
    # A finite loss can have a gradient that isn't: the last step would go unnoticed.
    if not all(parameter.isfinite().all() for parameter in state.parameters):
        raise NonFiniteLossError(epoch, steps)
    loss = EpochLoss(epoch, *means, now.kl_weight, *_held_out_loss(state, held_out))
    state.history.append(loss)
    yield _EpochReport(steps, loss)


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


def _take_step(
    state: TrainState,
    config: TrainConfig,
    pixels: Tensor,
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
    if _process()[1] > 1:
        _sum_over_processes([p.grad for p in state.parameters if p.grad is not None], totals)
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
    rank, n_processes = _process()
    mine = slice(rank, None, n_processes)
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
    if _process()[1] > 1:
        torch.distributed.all_reduce(mean)
    unequal = imbalance(parts.responsibilities, mean).sum() / 2
    return cross_entropy, kl, parts.disagreement.sum() + unequal


@torch.no_grad()
def _prepare_prior(
    state: TrainState, pixels: Tensor, config: TrainConfig, generator: torch.Generator
) -> Iterator[int]:
    """Begin the joint stage with the best of several starts, or rescue dead components.

    Yields:
        How many starts have been tried, after each.
    """
    z = _encoded(state, pixels, config, generator)
    prior = state.prior
    if prior is not None:
        before = prior()
        after = rescue(before, z)
        if after is not before:
            prior.take(after)
    else:
        views = _judging_views(state, pixels, config, generator)
        tried: list[Start] = []
        for start in starts(z, views, config.joint, config.seed):
            tried.append(start)
            yield len(tried)
        best = max(tried, key=lambda start: start.merit)
        prior = state.begin_joint_stage(config.joint.n_components)
        prior.take(best.prior)
        prior.first_information.fill_(_information(state, pixels, config))
    # Processors round differently: the first one's counts, also on whether any was dead.
    _as_first_process(*prior.state_dict().values())


@torch.no_grad()
def _has_collapsed(state: TrainState, pixels: Tensor, config: TrainConfig) -> bool:
    """Whether the joint stage has lost what its start knew: no label is needed to see that."""
    if state.prior is None:
        return False
    first = state.prior.first_information  # NaN where there are no views
    if not first >= _LEAST_TOLD * math.log(config.joint.n_components):
        return False
    has_collapsed = (_information(state, pixels, config) < _LEAST_KEPT * first).int()
    _as_first_process(has_collapsed)
    return bool(has_collapsed)


def _information(state: TrainState, pixels: Tensor, config: TrainConfig) -> Tensor:
    """Measure what the components of two views tell of each other, in nats; NaN without views."""
    generator = torch.Generator(pixels.device).manual_seed(config.seed)
    views = _judging_views(state, pixels, config, generator)
    if state.prior is None or views is None:
        return pixels.new_tensor(math.nan, dtype=torch.float32)
    return pixels.new_tensor(information(state.prior(), *views), dtype=torch.float32)


def _judging_views(
    state: TrainState, pixels: Tensor, config: TrainConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor] | None:
    """Encode two views of images that stand for all; None where the training uses none."""
    if not (config.augmentation.is_active and config.joint.consistency):
        return None
    judges = pixels[torch.linspace(0, len(pixels) - 1, min(len(pixels), _N_JUDGES)).long()]
    one, other = (_encoded(state, judges, config, generator, of_views=True) for _ in range(2))
    return one, other


def _encoded(
    state: TrainState,
    pixels: Tensor,
    config: TrainConfig,
    generator: torch.Generator,
    of_views: bool = False,
) -> Tensor:
    """Sample the z of images, or encode a view of each to its mean, shape (N, D)."""
    parts = []
    for chunk in pixels.split(_CHUNK):
        images = chunk.float() / 255
        if of_views:
            images = augment(images, config.augmentation, generator)
        posterior = state.vae.posterior(images)
        noise = torch.randn(posterior.mean.shape, generator=generator, device=pixels.device)
        parts.append(posterior.mean if of_views else posterior.sample(noise))
    return torch.cat(parts)


def _process() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def _as_first_process(*tensors: Tensor) -> None:
    """Take over what the first process has, in place."""
    if _process()[1] > 1:
        for tensor in tensors:
            torch.distributed.broadcast(tensor, 0)


def _sum_over_processes(gradients: list[Tensor], totals: Tensor) -> None:
    """Sum gradients and losses over all processes, in place, through one buffer."""
    tensors = [*gradients, totals]
    buffer = torch.cat([tensor.reshape(-1) for tensor in tensors])
    torch.distributed.all_reduce(buffer)
    parts = buffer.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


def _mean_losses(losses: Tensor, n_images: int, epoch: int) -> tuple[float, float]:
    losses = losses.cpu()  # MPS has no double precision
    finite = losses.isfinite().all(-1)
    if not finite.all():
        raise NonFiniteLossError(epoch, int(finite.logical_not().nonzero()[0]) + 1)
    cross_entropy, kl = (losses.double().sum(0) / n_images).tolist()
    return cross_entropy, kl


@torch.no_grad()
def _held_out_loss(state: TrainState, pixels: Tensor | None) -> tuple[float | None, float | None]:
    """Measure cross-entropy and KL on images that are not trained on, in nats an image."""
    if pixels is None or len(pixels) == 0:
        return None, None
    # The same noise every epoch, so that the curve shows the training and not the draw.
    generator = torch.Generator(pixels.device).manual_seed(0)
    totals = torch.zeros(2, dtype=torch.float64)
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
    cross_entropy, kl = (totals / len(pixels)).tolist()
    return cross_entropy, kl
