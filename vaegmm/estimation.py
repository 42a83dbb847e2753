"""How long a training will take on this machine: a few of its steps, timed and counted up."""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch

from vaegmm.checkpoint import write_tensors
from vaegmm.config import MixtureConfig, TrainConfig, VAEConfig
from vaegmm.devices import choose_device
from vaegmm.images import MOST_ENCODED
from vaegmm.mixture import ConvergenceWarning, EmptyComponentWarning, GaussianMixture
from vaegmm.training import TrainState
from vaegmm.training.start import time_a_start
from vaegmm.training.step import Schedule, take_step
from vaegmm.vae import N_PIXELS

_MOST_PARAMETERS = 50_000_000  # of a network that is tried; a larger one may not fit in memory
_SECONDS_A_MEASUREMENT = 0.15  # there are six
_MOST_IMAGES = 1024  # that are tried at once: beyond that a step's time grows with its images
_MOST_POINTS = 5000  # likewise, of a mixture
START_UP_SECONDS = 5.0  # of the process: importing torch, reading the images
# Iterations of EM until a mixture has converged: 43 for the reference's, 176 for the default's,
# both on MNIST.
_ITERATIONS = 100
_TRIED_ITERATIONS = 4
# Images that pass the encoder after the last epoch, as a share of the training images: their z,
# and several views of those that name the clusters and score them.
_PASSES_AFTER = 4.5
_HELD_OUT = 0.1  # validation images, as a share of the training images
_FILMED = 2_000  # images that each frame of a film encodes

_measuring = threading.Lock()  # two at once would time each other


@dataclass(frozen=True)
class Estimate:
    """How long a training takes, in seconds.

    It is what the steps cost now, with whatever else the machine does, and without the second
    beginning of a training whose clusters collapse.
    """

    seconds: float
    low: float
    high: float
    first_stage: float  # epochs without a mixture
    starts: float  # of the mixture, tried before the joint stage
    joint_stage: float
    mixture: float  # the fit, the names and the figures
    steps: int  # of one attempt
    device: str
    threads: int


def estimate(
    config: TrainConfig,
    n_images: int,
    device: str | None = None,
    attempts: int = 1,
    film: bool = True,
) -> Estimate | None:
    """Estimate how long a training takes, from about a second of it; then from memory.

    Args:
        config: what is trained.
        n_images: to train on.
        device: where; the best there is if None.
        attempts: that are made.
        film: whether a film is written.

    Returns:
        None for a network that is too large to be tried.

    Raises:
        ValueError: if this machine has no such device.
    """
    if n_parameters(config.vae) > _MOST_PARAMETERS:
        return None
    chosen, threads = choose_device(device), _threads_of_a_training()
    batch_size = min(config.batch_size, n_images)
    tried = replace(
        config,
        # All that changes no step's time: trainings that differ in it are timed once.
        epochs=1,
        seed=0,
        learning_rate=1e-3,
        learning_rate_decay=0.0,
        kl_weight=1.0,
        kl_warmup=0.0,
        batch_size=min(batch_size, _MOST_IMAGES),
        joint=replace(config.joint, share=0.0, n_init=1),
    )
    with _measuring:
        times = _measure(
            tried, min(n_images, _MOST_POINTS), bool(config.joint_epochs), chosen, threads
        )

    steps = -(-n_images // config.batch_size)
    larger = batch_size / tried.batch_size
    per_epoch = times.keep + times.image * (_HELD_OUT * n_images + _FILMED * film)
    first_epochs = config.epochs - config.joint_epochs
    encoded = min(n_images, MOST_ENCODED)  # whose z mixtures are fitted to
    many = encoded / min(n_images, _MOST_POINTS)
    first = first_epochs * (steps * times.step * larger + per_epoch)
    joint = config.joint_epochs * (
        steps * times.joint_step * larger + per_epoch + times.image * encoded
    )
    starts = config.joint.n_init * (times.start_fit * many + times.start_steps)
    if not config.joint_epochs:
        starts = 0.0
    iterations = min(config.mixture.max_iter, _ITERATIONS)
    mixture = config.mixture.n_init * many * (times.fit + iterations * times.iteration)
    mixture += times.image * _PASSES_AFTER * encoded
    first, starts, joint, mixture = (attempts * part for part in (first, starts, joint, mixture))
    # Steps repeat, and differ by as much as they did; how long EM takes depends on the data.
    low = times.low * (first + joint) + (starts + mixture) / 2
    high = times.high * (first + joint) + (starts + mixture) * 2
    return Estimate(
        seconds=START_UP_SECONDS + first + starts + joint + mixture,
        low=START_UP_SECONDS / 2 + low,
        high=START_UP_SECONDS * 2 + high,
        first_stage=first,
        starts=starts,
        joint_stage=joint,
        mixture=mixture,
        steps=steps * config.epochs,
        device=str(chosen),
        threads=threads,
    )


def n_parameters(config: VAEConfig) -> int:
    """Count the numbers that a network of this shape learns."""
    units = (N_PIXELS, N_PIXELS, *config.hidden_units)
    back = (config.latent_dim, *reversed(config.hidden_units), N_PIXELS)
    both = itertools.chain(itertools.pairwise(units), itertools.pairwise(back))
    heads = 2 * (units[-1] + 1) * config.latent_dim
    return heads + sum((n_in + 1) * n_out for n_in, n_out in both)


@dataclass(frozen=True)
class _Times:
    """Seconds of the parts of a training, and by what factors its steps differ."""

    step: float
    joint_step: float
    image: float  # through the network, without a gradient
    keep: float  # what an epoch leaves on the disk
    start_fit: float  # of a mixture that the joint stage may begin with
    start_steps: float  # of training it
    fit: float  # of the mixture, before the first iteration
    iteration: float  # of it
    low: float
    high: float


@lru_cache(maxsize=64)
def _measure(
    config: TrainConfig, n_points: int, has_joint_stage: bool, device: torch.device, threads: int
) -> _Times:
    with _threads(threads):
        generator = torch.Generator(device).manual_seed(0)
        pixels = _images(max(config.batch_size, _MOST_IMAGES), device)
        state = TrainState.start(config, device)
        chosen = torch.arange(config.batch_size, device=device)

        def step() -> None:
            now = Schedule(learning_rate=0.0, kl_weight=1.0)
            take_step(state, config, pixels, chosen, now, generator).sum().item()

        steps = _timed(step)
        keep = _timed(lambda: _keep(state))
        image = _undisturbed(_timed(lambda: _pass(state, pixels, generator))) / len(pixels)
        points = np.random.default_rng(0).standard_normal((n_points, config.vae.latent_dim))
        joint_steps, start_fit, start_steps = [0.0], 0.0, 0.0
        if has_joint_stage:
            state.begin_joint_stage(config.joint.n_components)
            joint_steps = _timed(step)
            start_fit, start_steps = time_a_start(points, config.joint)
            if not (config.augmentation.is_active and config.joint.consistency):
                start_steps = 0.0  # without views a start is not trained
        one, many = (
            _undisturbed(_timed(partial(_fit, points, config.mixture, 1 + more)))
            for more in (0, _TRIED_ITERATIONS)
        )
        iteration = max(0.0, many - one) / _TRIED_ITERATIONS
        seconds = _undisturbed(steps)
        return _Times(
            step=seconds,
            joint_step=_undisturbed(joint_steps),
            image=image,
            keep=_undisturbed(keep),
            start_fit=start_fit,
            start_steps=start_steps,
            fit=max(0.0, one - iteration),
            iteration=iteration,
            low=0.8 * min(steps) / seconds,
            high=1.25 * float(np.quantile(steps, 0.9)) / seconds,
        )


def _timed(call: Callable[[], object]) -> list[float]:
    """Return the seconds of some calls; the first, which is a warm-up, only where it is long."""
    seconds = [_seconds(call)]
    if seconds[0] > _SECONDS_A_MEASUREMENT:
        return seconds
    deadline = time.perf_counter() + _SECONDS_A_MEASUREMENT
    seconds = [_seconds(call)]
    while time.perf_counter() < deadline and len(seconds) < 100:
        seconds.append(_seconds(call))
    return seconds


def _undisturbed(seconds: list[float]) -> float:
    """Return how long a call takes while the machine does little else: the lower quartile."""
    return float(np.quantile(seconds, 0.25))


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _images(n: int, device: torch.device) -> torch.Tensor:
    """Make images of which a fifth is ink, as digits are: shape (N, 784) uint8."""
    ink = np.random.default_rng(0).random((n, N_PIXELS)) < 0.2
    return torch.from_numpy(ink.astype(np.uint8) * 255).to(device)


@torch.no_grad()
def _pass(state: TrainState, pixels: torch.Tensor, generator: torch.Generator) -> None:
    images = pixels.float() / 255
    noise = torch.randn(
        len(images), state.vae.config.latent_dim, generator=generator, device=images.device
    )
    state.vae.loss_parts(images, noise).cross_entropy.sum().item()


def _keep(state: TrainState) -> None:
    tensors = {name: value.detach().cpu() for name, value in state.tensors().items()}
    with tempfile.TemporaryDirectory() as folder:
        write_tensors(Path(folder) / "state.safetensors", tensors, {})


def _fit(points: np.ndarray, config: MixtureConfig, n_iterations: int) -> None:
    mixture = GaussianMixture(
        min(config.n_components, len(points)),
        covariance_type=config.covariance_type,
        max_iter=n_iterations,
        tol=0.0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", EmptyComponentWarning)
        mixture.fit(points)


def _threads_of_a_training() -> int:
    """Return how many threads torch takes in a process of its own."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given):
        return int(given)
    affinity = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Compute with so many threads, as a training would."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
