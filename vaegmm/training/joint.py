"""The joint stage: a mixture becomes the prior of z, and the network is trained with it."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vaegmm.gaussian import LOG_2PI
from vaegmm.prior import Prior
from vaegmm.vae import VAE, Posterior

LEAST_VARIANCE = 1e-3  # of a component, in squared units of z; what EM adds to every variance
# Standard deviations, of each latent given the next ones, that the prior keeps to, in units of z:
# no component closes in on a point, and none is everywhere.
_STD_BOUNDS = LEAST_VARIANCE**0.5, 1e2
LEAST_WEIGHT = 1e-4  # its logarithm stays finite; a component with a smaller share is dead


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
        weights = self.logits.softmax(0).clamp_min(LEAST_WEIGHT)
        return Prior(weights, self.means, self.roots.triu(1) + torch.diag_embed(diagonal))


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
    dead = (shares < LEAST_WEIGHT).nonzero().flatten()[: len(z)]
    if not len(dead):
        return prior
    weights, means, roots = (part.clone() for part in prior)
    worst = log_joint.logsumexp(-1).topk(len(dead), largest=False).indices
    weights[dead], means[dead] = 1 / len(weights), z[worst]
    roots[dead] = prior.precisions_cholesky[shares.argmax()]
    return Prior(F.normalize(weights, p=1, dim=0), means, roots)


class JointParts(NamedTuple):
    """What one batch costs in the joint stage, in nats an image."""

    cross_entropy: Tensor  # (N,) summed over pixels, mean over the views
    kl: Tensor  # (N,) E_q[log q(z | x) - log p(z)], mean over the views
    disagreement: Tensor  # (N,) of the views on the component; zero where there is one view
    responsibilities: Tensor  # (n_views · N, K)
    posterior: Posterior  # of the views, n_views · N of them


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
        disagreement = views_disagreement(log_responsibilities)
    else:
        disagreement = torch.zeros_like(cross_entropy)
    return JointParts(
        _over_views(cross_entropy, n_views),
        _over_views(kl, n_views),
        disagreement,
        log_responsibilities.exp(),
        posterior,
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
    return (responsibilities * mean.detach().clamp_min(LEAST_WEIGHT).log()).sum(-1)


def _over_views(values: Tensor, n_views: int) -> Tensor:
    return values.reshape(n_views, -1).mean(0)


def _entropy(posterior: Posterior) -> Tensor:
    """Entropy of q(z | x) in nats, shape (N,)."""
    return (posterior.std.log() + 0.5 * (1 + LOG_2PI)).sum(-1)


def views_disagreement(log_responsibilities: Tensor) -> Tensor:
    """Cross-entropy between the two halves of the rows, mean of both directions."""
    one, other = log_responsibilities.chunk(2)
    return -(one.exp() * other + other.exp() * one).sum(-1) / 2
