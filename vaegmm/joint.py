"""The joint stage: a mixture becomes the prior of z, and the network is trained with it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vaegmm.config import JointConfig
from vaegmm.gaussian import LOG_2PI, log_multivariate_normal
from vaegmm.mixture import ConvergenceWarning, EmptyComponentWarning, GaussianMixture
from vaegmm.vae import VAE, Posterior

# Added to every variance that EM finds, in squared units of z.
_REG_COVAR = 1e-3
# Standard deviations, of each latent given the next ones, that the prior keeps to, in units of z:
# no component closes in on a point, and none is everywhere.
_STD_BOUNDS = _REG_COVAR**0.5, 1e2
_LEAST_WEIGHT = 1e-4  # its logarithm stays finite; a component with a smaller share is dead
# How a start is trained before the network is. Steps this large leave a wrong split behind.
_START_STEPS = 500
_START_BATCH = 1000
_START_RATE = 0.1  # of learning; it falls to zero


class Prior(NamedTuple):
    """p(z): a mixture of K Gaussians, with precisions P Pᵀ."""

    weights: Tensor  # (K,)
    means: Tensor  # (K, D)
    precisions_cholesky: Tensor  # (K, D, D)

    def log_joint(self, z: Tensor) -> Tensor:
        """Compute log p(z, k) in nats for points of shape (N, D), shape (N, K)."""
        log_densities = log_multivariate_normal(z, self.means, self.precisions_cholesky)
        return self.weights.log() + log_densities

    def as_start(self) -> dict[str, np.ndarray]:
        """Return the parameters from which a GaussianMixture begins EM with this mixture."""
        weights, means, roots = (part.cpu().double() for part in self)
        return {
            "weights_init": (weights / weights.sum()).numpy(),
            "means_init": means.numpy(),
            "precisions_init": (roots @ roots.mT).numpy(),
        }


class TrainedPrior(nn.Module):
    """The prior as the parameters that a gradient changes; calling it returns the `Prior`.

    The weights are a softmax, and the diagonal of P is kept as its logarithm, within bounds:
    whatever the gradient does, it is a mixture.
    """

    first_information: Tensor

    def __init__(self, n_components: int, latent_dim: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_components))
        self.means = nn.Parameter(torch.zeros(n_components, latent_dim))
        # P above the diagonal, log P on it, and nothing below.
        self.roots = nn.Parameter(torch.zeros(n_components, latent_dim, latent_dim))
        # What the views told of each other's component at the start, in nats, where it is known.
        self.register_buffer("first_information", torch.tensor(math.nan))

    @torch.no_grad()
    def take(self, prior: Prior) -> None:
        """Become this mixture."""
        self.logits.copy_(prior.weights.log())
        self.means.copy_(prior.means)
        diagonal = prior.precisions_cholesky.diagonal(dim1=-2, dim2=-1)
        self.roots.copy_(prior.precisions_cholesky.triu(1) + torch.diag_embed(diagonal.log()))

    def forward(self) -> Prior:
        """Return the mixture."""
        smallest, largest = _STD_BOUNDS
        log_diagonal = self.roots.diagonal(dim1=-2, dim2=-1)
        diagonal = log_diagonal.clamp(-math.log(largest), -math.log(smallest)).exp()
        weights = self.logits.softmax(0).clamp_min(_LEAST_WEIGHT)
        return Prior(weights, self.means, self.roots.triu(1) + torch.diag_embed(diagonal))


class JointParts(NamedTuple):
    """What one batch costs in the joint stage, in nats an image."""

    cross_entropy: Tensor  # (N,) summed over pixels, mean over the views
    kl: Tensor  # (N,) E_q[log q(z | x) - log p(z)], mean over the views
    disagreement: Tensor  # (N,) of the views on the component; zero where there is one view
    responsibilities: Tensor  # (n_views · N, K)


def joint_parts(
    vae: VAE, prior: Prior, images: Tensor, noise: Tensor, views: Tensor | None = None
) -> JointParts:
    """Compute the parts of the joint stage's loss.

    Each view of an image is encoded, reconstructs the image, and is paid for by its divergence
    from the mixture; E_q is estimated by the sampled z, with the mixture's sum inside the
    logarithm. The disagreement is the cross-entropy between the responsibilities of the two
    views, in both directions: a component must not be a way of writing.

    Args:
        vae: the network.
        prior: the mixture.
        images: pixels in [0, 1], shape (N, 784).
        noise: drawn from N(0, 1), shape (2N, D) with views, (N, D) without.
        views: augmented views of the images, shape (N, 784).

    Source: Jiang et al., Variational Deep Embedding, 2017, for the mixture as the prior.
    """
    n_views = 1 if views is None else 2
    posterior = vae.posterior(images if views is None else torch.cat([images, views]))
    z = posterior.sample(noise)
    log_joint = prior.log_joint(z)  # (n_views · N, K)
    cross_entropy = vae.cross_entropy(z, images.repeat(n_views, 1))
    kl = -_entropy(posterior) - log_joint.logsumexp(-1)
    log_responsibilities = log_joint.log_softmax(-1)
    if n_views == 2:
        disagreement = _disagreement(log_responsibilities)
    else:
        disagreement = torch.zeros_like(cross_entropy)
    return JointParts(
        _over_views(cross_entropy, n_views),
        _over_views(kl, n_views),
        disagreement,
        log_responsibilities.exp(),
    )


def imbalance(responsibilities: Tensor, mean: Tensor) -> Tensor:
    """Compute what is lost by components of unequal size: sum_k r_nk log(mean_k) of each row.

    Its mean is minus the entropy of `mean`, and so is its gradient. With the views' disagreement
    it is minus a lower bound on what one view tells of the other's component, in nats: either alone
    could be had cheaply, by merging components or by being vague.

    Args:
        responsibilities: shape (M, K).
        mean: the mean responsibilities of the whole batch, shape (K,).

    Source: Barber and Agakov, The IM Algorithm, 2003, for the bound.
    """
    return (responsibilities * mean.detach().clamp_min(_LEAST_WEIGHT).log()).sum(-1)


def _over_views(values: Tensor, n_views: int) -> Tensor:
    return values.reshape(n_views, -1).mean(0)


def _entropy(posterior: Posterior) -> Tensor:
    """Entropy of q(z | x) in nats, shape (N,)."""
    return (posterior.std.log() + 0.5 * (1 + LOG_2PI)).sum(-1)


def _disagreement(log_responsibilities: Tensor) -> Tensor:
    """Cross-entropy between the two halves of the rows, mean of both directions."""
    one, other = log_responsibilities.chunk(2)
    return -(one.exp() * other + other.exp() * one).sum(-1) / 2


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
        z: sampled z of the training images, shape (N, D).
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
            prior = _trained(prior, one, other, config.consistency, generator)
            yield Start(prior, information(prior, one, other))


@torch.enable_grad()
def _trained(
    start: Prior, one: Tensor, other: Tensor, consistency: float, generator: torch.Generator
) -> Prior:
    """Train a mixture on z of two views, each of shape (M, D), which stay as they are."""
    trained = TrainedPrior(*start.means.shape)
    trained.take(start)
    optimizer = torch.optim.Adam(trained.parameters(), lr=_START_RATE)
    for step in range(_START_STEPS):
        chosen = torch.randint(len(one), (_START_BATCH,), generator=generator)
        log_joint = trained().log_joint(torch.cat([one[chosen], other[chosen]]))
        log_responsibilities = log_joint.log_softmax(-1)
        responsibilities = log_responsibilities.exp()
        unequal = imbalance(responsibilities, responsibilities.mean(0)).mean()
        uninformed = _disagreement(log_responsibilities).mean() + unequal
        loss = consistency * uninformed - log_joint.logsumexp(-1).mean()
        for group in optimizer.param_groups:
            group["lr"] = _START_RATE * (1 - step / _START_STEPS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return Prior(*(part.detach() for part in trained()))


def information(prior: Prior, one: Tensor, other: Tensor) -> float:
    """Measure what the components of two views tell of each other, in nats, at most log K.

    Args:
        prior: the mixture.
        one: z of one view of each image, shape (N, D).
        other: z of another view of the same images, shape (N, D).
    """
    views = (prior.log_joint(view).softmax(-1).cpu().numpy() for view in (one, other))
    return mutual_information(*views)


def rescue(prior: Prior, z: Tensor) -> Prior:
    """Put components that explain next to nothing where the mixture explains worst.

    No gradient reaches a component that has no points. It comes back with an equal share and the
    form of the heaviest.

    Args:
        prior: the mixture; returned as it is where no component is dead.
        z: sampled z of training images, shape (N, D).
    """
    log_joint = prior.log_joint(z)
    shares = log_joint.softmax(-1).mean(0)
    dead = (shares < _LEAST_WEIGHT).nonzero().flatten()[: len(z)]
    if not len(dead):
        return prior
    weights, means, roots = (part.clone() for part in prior)
    worst = log_joint.logsumexp(-1).topk(len(dead), largest=False).indices
    weights[dead], means[dead] = 1 / len(weights), z[worst]
    roots[dead] = prior.precisions_cholesky[shares.argmax()]
    return Prior(F.normalize(weights, p=1, dim=0), means, roots)


def mutual_information(one: np.ndarray, other: np.ndarray) -> float:
    """Mutual information of two views' components in nats, at most log K.

    I = sum_jk P_jk log(P_jk / (P_j P_k)), with P the mean of r r'ᵀ over the images, symmetrised.

    Args:
        one: responsibilities of one view of each image, shape (N, K).
        other: those of another view of the same images, shape (N, K).

    Source: Ji, Henriques and Vedaldi, Invariant Information Clustering, 2019.
    """
    together = one.T @ other / len(one)
    together = (together + together.T) / 2
    present = together > 0
    log_alone = np.log(together.sum(0), where=present.any(0), out=np.zeros(len(together)))
    # Not the logarithm of a quotient: the product of two small shares is zero in single precision.
    gain = np.log(together[present]) - np.add.outer(log_alone, log_alone)[present]
    return float((together[present] * gain).sum())


def _fit(z: np.ndarray, n_components: int, **options: Any) -> GaussianMixture:
    mixture = GaussianMixture(n_components, reg_covar=_REG_COVAR, **options)
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
    weights = weights.clamp_min(_LEAST_WEIGHT)
    return Prior(F.normalize(weights, p=1, dim=0), means, roots)
