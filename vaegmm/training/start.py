"""Where the joint stage begins: with the best of several mixtures, each tried with care."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vaegmm import processes
from vaegmm.config import JointConfig, TrainConfig
from vaegmm.images import MOST_ENCODED, Pixels, StoredPixels, spread
from vaegmm.mixture import ConvergenceWarning, EmptyComponentWarning, GaussianMixture
from vaegmm.prior import Prior, information
from vaegmm.training.augmentation import augment
from vaegmm.training.joint import (
    LEAST_VARIANCE,
    LEAST_WEIGHT,
    TrainedPrior,
    imbalance,
    rescue,
    views_disagreement,
)
from vaegmm.training.state import TrainState

# How a start is trained before the network is. Steps this large leave a wrong split behind.
_START_STEPS = 500
_START_BATCH = 1000
_START_RATE = 0.1  # of learning; it falls to zero
_CHUNK = 2048  # images that pass the network at once where no gradient is needed
_N_JUDGES = 10_000  # images whose views judge the prior


@torch.no_grad()
def prepare_prior(
    state: TrainState, pixels: Pixels, config: TrainConfig, generator: torch.Generator
) -> Iterator[int]:
    """Begin the joint stage with the best of several starts, or rescue dead components.

    Yields:
        How many starts have been tried, after each; `state` has their merits, and the best.
    """
    z = _encoded(state, _for_all(pixels), config, generator)
    prior = state.prior
    if prior is not None:
        before = prior()
        after = rescue(before, z)
        if after is not before:
            prior.take(after)
    else:
        views = _judging_views(state, pixels, config, generator)
        tried: list[Start] = []
        state.starts = []
        for start in starts(z, views, config.joint, config.seed):
            tried.append(start)
            best = max(tried, key=lambda start: start.merit)
            state.starts.append(start.merit)
            state.best_start = best.prior
            yield len(tried)
        prior = state.begin_joint_stage(config.joint.n_components)
        prior.take(best.prior)
        prior.first_information.fill_(views_information(state, pixels, config))
    # Processors round differently: the first one's counts, also on whether any was dead.
    processes.current().follow_first(*prior.state_dict().values())


class Start(NamedTuple):
    """A mixture that the joint stage may begin with."""

    prior: Prior
    merit: float  # nats: the views' information, or the likelihood of a point where there are none


def starts(
    z: Tensor, views: tuple[Tensor, Tensor] | None, config: JointConfig, seed: int
) -> Iterator[Start]:
    """Fit `config.n_init` mixtures to z, of which the joint stage begins with the best.

    With two views each start is trained as the joint stage will train it, but with the network as
    it stands, and the best is the one whose components then tell most about each other across the
    views: a wrong split of the data follows the ways of writing, which the views change. Without
    views it is the one with the highest likelihood. No label has a say in it.

    Args:
        z: sampled z of the training images, or of 250,000 of them, shape (N, D).
        views: z of two independent views of the same images, each of shape (M, D).
        config: how many components and starts, and what the views' information weighs.
        seed: of the starts.
    """
    points = z.cpu().double().numpy()
    generator = torch.Generator().manual_seed(seed)
    if views is not None:
        one, other = (view.cpu().float() for view in views)
    for start in range(config.n_init):
        mixture = _fit(points, config.n_components, random_state=seed * config.n_init + start)
        prior = _prior(mixture)
        if views is None:
            yield Start(prior, mixture.lower_bound_)
        else:
            prior = _trained(prior, one, other, config.consistency, generator, _START_STEPS)
            yield Start(prior, information(prior, one, other))


@torch.enable_grad()
def _trained(
    start: Prior,
    one: Tensor,
    other: Tensor,
    consistency: float,
    generator: torch.Generator,
    n_steps: int,
) -> Prior:
    """Train a mixture on z of two views, each of shape (M, D), which stay as they are."""
    trained = TrainedPrior(*start.means.shape)
    trained.take(start)
    optimizer = torch.optim.Adam(trained.parameters(), lr=_START_RATE)
    for step in range(n_steps):
        chosen = torch.randint(len(one), (_START_BATCH,), generator=generator)
        log_joint = trained().log_joint(torch.cat([one[chosen], other[chosen]]))
        log_responsibilities = log_joint.log_softmax(-1)
        responsibilities = log_responsibilities.exp()
        unequal = imbalance(responsibilities, responsibilities.mean(0)).mean()
        uninformed = views_disagreement(log_responsibilities).mean() + unequal
        loss = consistency * uninformed - log_joint.logsumexp(-1).mean()
        for group in optimizer.param_groups:
            group["lr"] = _START_RATE * (1 - step / n_steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return Prior(*(part.detach() for part in trained()))


def time_a_start(points: np.ndarray, config: JointConfig) -> tuple[float, float]:
    """Return the seconds of fitting one start, and of training it, from a few of the steps.

    Args:
        points: z, or anything of its shape, (N, D).
        config: how many components.
    """
    began = time.perf_counter()
    prior = _prior(_fit(points, min(config.n_components, len(points)), random_state=0))
    fitted = time.perf_counter()
    z, generator = torch.from_numpy(points).float(), torch.Generator().manual_seed(0)
    _trained(prior, z, z, config.consistency, generator, n_steps=1)
    warm, n_steps = time.perf_counter(), 10
    _trained(prior, z, z, config.consistency, generator, n_steps)
    return fitted - began, (time.perf_counter() - warm) / n_steps * _START_STEPS


def views_information(state: TrainState, pixels: Pixels, config: TrainConfig) -> Tensor:
    """Measure what the components of two views tell of each other, in nats; NaN without views."""
    generator = torch.Generator(pixels.device).manual_seed(config.seed)
    views = _judging_views(state, pixels, config, generator)
    if state.prior is None or views is None:
        return torch.tensor(math.nan, device=pixels.device)
    told = information(state.prior(), *views)
    return torch.tensor(told, dtype=torch.float32, device=pixels.device)


def _judging_views(
    state: TrainState, pixels: Pixels, config: TrainConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor] | None:
    """Encode two views of images that stand for all; None where the training uses none."""
    if not (config.augmentation.is_active and config.joint.consistency):
        return None
    last = len(pixels) - 1
    # Above 2^24 the last of them is rounded up.
    chosen = torch.linspace(0, last, min(len(pixels), _N_JUDGES)).long().clamp_max(last)
    judges = pixels[chosen]
    one, other = (_encoded(state, judges, config, generator, of_views=True) for _ in range(2))
    return one, other


def _for_all(pixels: Pixels) -> Pixels:
    """Return the pixels of so many images as mixtures are fitted to."""
    if len(pixels) <= MOST_ENCODED:
        return pixels
    rows = spread(len(pixels), MOST_ENCODED)
    if isinstance(pixels, StoredPixels):
        return StoredPixels(pixels.images.take(rows), pixels.device)
    return pixels[torch.from_numpy(rows).to(pixels.device)]


def _encoded(
    state: TrainState,
    pixels: Pixels,
    config: TrainConfig,
    generator: torch.Generator,
    of_views: bool = False,
) -> Tensor:
    """Sample the z of images, or encode a view of each to its mean, shape (N, D)."""
    parts = []
    for start in range(0, len(pixels), _CHUNK):
        images = pixels[start : start + _CHUNK].float() / 255
        if of_views:
            images = augment(images, config.augmentation, generator)
        posterior = state.vae.posterior(images)
        noise = torch.randn(posterior.mean.shape, generator=generator, device=pixels.device)
        parts.append(posterior.mean if of_views else posterior.sample(noise))
    return torch.cat(parts)


def _fit(z: np.ndarray, n_components: int, **options: Any) -> GaussianMixture:
    # Many starts are tried here and judged by their views: k-means gives them variety.
    mixture = GaussianMixture(
        n_components, init_params="kmeans", reg_covar=LEAST_VARIANCE, **options
    )
    with warnings.catch_warnings():
        # One start among many may do badly, and be the worse for it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", EmptyComponentWarning)
        return mixture.fit(z)


def _prior(mixture: GaussianMixture) -> Prior:
    weights, means, roots = (
        torch.as_tensor(part, dtype=torch.float32)
        for part in (mixture.weights_, mixture.means_, mixture.precisions_cholesky_)
    )
    weights = weights.clamp_min(LEAST_WEIGHT)
    return Prior(F.normalize(weights, p=1, dim=0), means, roots)
