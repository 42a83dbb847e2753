"""Expectation and maximization: two pure functions, exact, fast, and blind to where points lie.

`e_step` walks over the points in chunks and sums the sufficient statistics; `m_step` turns them
into parameters. Responsibilities exist for one chunk at a time only. docs/em.md tells the
arithmetic: two matrix products a chunk, theta . phi(x) and phi(x) . R^T.

Parameters and statistics are float64 whatever the points are; points are columns, (D, n).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vaegmm.gaussian import LOG_2PI
from vaegmm.mixture.chunks import LONGEST_CHUNK, Block, evenly
from vaegmm.mixture.covariance import COVARIANCES, Covariance, Frame
from vaegmm.processes import ALONE, Group

#: Responsibilities below exp(-x) are raised to it: they move no parameter, while the denormal
#: numbers they would turn into make a matrix product many times slower.
_FLOOR = {torch.float32: -60.0, torch.float64: -300.0}

#: A component whose log density would lose more than this in the shared frame is evaluated in a
#: frame of its own: slower, but exact however small, thin or far away it is.
_LOSS = {torch.float32: 2e-3, torch.float64: 1e-9}

#: A component in its own frame costs as much as about this many in the shared one; in float64 all
#: cost twice as much.
_MANY_ALONE = 1 / 16

#: Numbers in the (K, n) and (F, n) blocks of a chunk: about 2 MB, which stay in the cache; a GPU
#: wants fewer and larger pieces of work.
_BLOCK = {"cpu": 2**18, "cuda": 2**25}

#: Bytes of features that are kept between iterations; beyond that they are computed again.
_KEEP = 64 * 2**20


@dataclass(frozen=True)
class Parameters:
    """A mixture: weights (K,), means (K, D), covariances and P with inv(Sigma) = P P^T."""

    covariance: Covariance
    weights: Tensor
    means: Tensor
    covariances: Tensor
    precisions_cholesky: Tensor

    @classmethod
    def of(
        cls, covariance_type: str, weights: Tensor, means: Tensor, covariances: Tensor
    ) -> Parameters:
        """Parameters with the precisions that belong to the covariances."""
        covariance = COVARIANCES[covariance_type]
        weights, means, covariances = weights.double(), means.double(), covariances.double()
        precisions_cholesky = covariance.precisions_cholesky(covariances)
        return cls(covariance, weights, means, covariances, precisions_cholesky)

    def equals(self, other: Parameters) -> bool:
        """Whether both are the same mixture, number by number."""
        parts = zip(self._tensors(), other._tensors(), strict=True)
        return self.covariance is other.covariance and all(torch.equal(*pair) for pair in parts)

    def copy(self) -> Parameters:
        """The same numbers in memory of their own."""
        return Parameters(self.covariance, *(part.clone() for part in self._tensors()))

    def _tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.weights, self.means, self.covariances, self.precisions_cholesky

    def spread(self, values: Tensor) -> Tensor:
        """Covariances or their like, one a component."""
        return self.covariance.spread(values, *self.means.shape)

    def whitening(self) -> Frame:
        """The frame in which this mixture has mean 0 and covariance 1."""
        covariances = self.spread(self.covariances)
        return self.covariance.whitening(self.weights, self.means, covariances)


@dataclass(frozen=True)
class Statistics:
    """What the E-step learns: all that the M-step needs.

    `log_likelihood` is the mean over the points, in nats; `counts` (K,) and `means` (K, D) are
    the components' expected numbers and means of points; `covariances` those of maximum
    likelihood, in the type's own shape.
    """

    covariance: Covariance
    log_likelihood: Tensor
    counts: Tensor
    means: Tensor
    covariances: Tensor


class Moments(NamedTuple):
    """What the E-step adds up, component by component; `Statistics` are these, pooled by type.

    `log_likelihood` is the sum over the points, in nats; `counts` (K,), `means` (K, D) and
    `covariances`, per component, are those of the points' shares.
    """

    log_likelihood: Tensor
    counts: Tensor
    means: Tensor
    covariances: Tensor

    def pooled(self, covariance: Covariance) -> Statistics:
        """The statistics of a covariance type."""
        return Statistics(
            covariance,
            self.log_likelihood / self.counts.sum(),
            self.counts,
            self.means,
            covariance.pool(self.covariances, self.counts),
        )


class Chunk(NamedTuple):
    """Some points as columns (D, n), their features in the shared frame, their weights (n,)."""

    x: Tensor
    phi: Tensor | None
    weights: Tensor | None


class Evaluator:
    """A mixture made ready to be evaluated on many points.

    Components are evaluated together, as theta . phi(y), in one whitened frame; those for which
    that would cancel too many digits one by one, as |P^T (x - mean)|^2, in a frame of their own
    and in float64.

    Args:
        parameters: the mixture.
        frame: the shared frame; best the whitening of these or of similar parameters.
        dtype: of the points.
        alone: which components get a frame of their own; None: those that need it.
    """

    def __init__(
        self,
        parameters: Parameters,
        frame: Frame,
        dtype: torch.dtype,
        alone: list[int] | None = None,
    ) -> None:
        self.covariance = covariance = parameters.covariance
        self.parameters, self.frame = parameters, frame
        n_components, dimension = parameters.means.shape
        roots = parameters.spread(parameters.precisions_cholesky)
        log_weights = parameters.weights.clamp_min(torch.finfo(torch.float64).tiny).log()
        constants = log_weights + covariance.log_determinants(roots) - 0.5 * dimension * LOG_2PI
        theta: Tensor | None = None
        if dimension > covariance.largest_dimension:
            alone = list(range(n_components))
        else:
            covariances = parameters.spread(parameters.covariances)
            theta, amplification = covariance.theta(
                frame, constants, parameters.means, covariances, roots
            )
            if alone is None:
                loss = torch.finfo(dtype).eps * amplification
                alone = (~(loss <= _LOSS[dtype])).nonzero()[:, 0].tolist()
        self.alone = alone
        self.theta = theta.to(dtype) if theta is not None and len(alone) < n_components else None
        if alone:
            self.own = covariance.own_frames(parameters.means[alone], roots[alone])
            self._frames = [Frame(*parts) for parts in zip(*self.own, strict=True)]
            self._constants = constants[alone]

    def log_joint(self, chunk: Chunk, out: Tensor) -> Tensor:
        """Write log w_k + log N(x | mean_k, Sigma_k) into `out`, (K, n)."""
        if self.theta is not None:
            assert chunk.phi is not None
            torch.mm(self.theta, chunk.phi, out=out)
        x = chunk.x.double() if self.alone else chunk.x
        for own, k in enumerate(self.alone):
            distance = self.covariance.transform(self._frames[own], x).square_().sum(0)
            out[k] = self._constants[own] - 0.5 * distance
        return out

    def sums(self, chunk: Chunk, responsibilities: Tensor) -> Tensor:
        """Sum phi with responsibilities (K, n), each component in its frame: (F, K)."""
        if self.theta is not None:
            assert chunk.phi is not None
            sums = (chunk.phi @ responsibilities.mT).double()
        else:
            n_features = self.covariance.n_features(len(chunk.x))
            sums = chunk.x.new_empty(n_features, len(responsibilities), dtype=torch.float64)
        x = chunk.x.double() if self.alone else chunk.x
        for own, k in enumerate(self.alone):
            y = self.covariance.transform(self._frames[own], x)
            sums[:, k] = self.covariance.weighted_features(y, responsibilities[k].double())
        return sums

    def frames(self) -> Frame:
        """The frame of every component, stacked."""
        n_components = len(self.parameters.weights)
        stacked = [part.expand(n_components, *part.shape) for part in self.frame]
        if self.alone:
            stacked = [part.clone() for part in stacked]
            for part, own in zip(stacked, self.own, strict=True):
                part[self.alone] = own
        return Frame(*stacked)


class Walk:
    """The points of a fit, chunk by chunk, with their features in one shared frame.

    Chunks are cut by the number of points alone, whatever blocks these come in, so that the result
    doesn't depend on the blocks. Features that fit in 64 MB are kept from one iteration to the
    next. Points in float32 are computed with in float64 once that is cheaper than a frame for each
    component that needs one.

    Args:
        points: yields pairs of points (n, D) and their weights (n,) or None.
        parameters: a mixture like those to come; it decides frame, features and chunk length.
        dtype: of the points.
    """

    def __init__(
        self,
        points: Iterable[Block],
        parameters: Parameters,
        dtype: torch.dtype,
    ) -> None:
        self.dtype = dtype
        frame = parameters.whitening()
        self.frame = frame._replace(origin=frame.origin.to(dtype).double())
        self._points, self._covariance = points, parameters.covariance
        self._n_components, self._dimension = parameters.means.shape
        self._kept: list[Chunk] | None = []

    def evaluator(self, parameters: Parameters, alone: list[int] | None = None) -> Evaluator:
        """These points' evaluator of a mixture."""
        evaluator = Evaluator(parameters, self.frame, self.dtype, alone)
        many = len(evaluator.alone) > _MANY_ALONE * self._n_components
        wide = self._dimension > self._covariance.largest_dimension
        if many and not wide and self.dtype == torch.float32:
            self.dtype, self._kept = torch.float64, []
            evaluator = Evaluator(parameters, self.frame, self.dtype)
        return evaluator

    def over(self, points: Iterable[Block]) -> Walk:
        """A walk over other points, with features of the same kind."""
        other = copy.copy(self)
        other._points, other._kept = points, []
        return other

    def __iter__(self) -> Iterator[Chunk]:
        if self._kept:
            yield from self._kept
            return
        kept: list[Chunk] | None = [] if self._kept is not None else None
        size = 0
        for chunk in self._chunks():
            if kept is not None:
                size += sum(t.nbytes for t in chunk if t is not None)
                if size <= _KEEP:
                    kept.append(chunk)
                else:
                    kept = None
            yield chunk
        self._kept = kept

    def _chunks(self) -> Iterator[Chunk]:
        n_features = self._covariance.n_features(self._dimension)
        wide = self._dimension > self._covariance.largest_dimension
        rows = max(self._n_components, self._dimension if wide else n_features)
        frame = Frame(*(part.to(self.dtype) for part in self.frame))
        on_cpu = self.frame.origin.device.type == "cpu"
        length = 2 ** int(math.log2(_BLOCK["cpu" if on_cpu else "cuda"] / rows))
        length = max(256, min(length, LONGEST_CHUNK) if on_cpu else length)
        for x, weights in evenly(self._points, length):
            columns = x.to(self.dtype).mT.contiguous()
            phi = None
            if not wide:
                phi = self._covariance.features(self._covariance.transform(frame, columns))
            yield Chunk(columns, phi, None if weights is None else weights.to(self.dtype))


def e_step(
    points: Tensor | Walk,
    parameters: Parameters,
    group: Group = ALONE,
    evaluator: Evaluator | None = None,
) -> Statistics:
    """Expected sufficient statistics of the points under a mixture.

    r_nk = w_k N(x_n | mu_k, Sigma_k) / sum_j w_j N(x_n | mu_j, Sigma_j)

    Args:
        points: shape (N, D), or a walk over more than that.
        parameters: the mixture.
        group: the processes whose points are added up, by one sum of one buffer.
        evaluator: that of `parameters` where it has been made already.

    Returns:
        The log-likelihood, and the counts, means and covariances of sum_n r_nk x_n.

    Source: Bishop, PRML, 9.2.2.
    """
    if isinstance(points, Tensor):
        points = Walk([(points, None)], parameters, points.dtype)
    return expected_moments(points, parameters, group, evaluator).pooled(parameters.covariance)


def expected_moments(
    points: Walk,
    parameters: Parameters,
    group: Group = ALONE,
    evaluator: Evaluator | None = None,
) -> Moments:
    """What `e_step` adds up, before the components' covariances are pooled; same arguments."""
    evaluator = evaluator or points.evaluator(parameters)
    n_components, dimension = parameters.means.shape
    n_features = parameters.covariance.n_features(dimension)
    buffer = parameters.means.new_zeros(1 + n_features * n_components)
    sums = buffer[1:].view(n_features, n_components)
    block = parameters.means.new_empty(n_components, 0, dtype=points.dtype)
    for chunk in points:
        n = chunk.x.shape[1]
        if n > block.shape[1]:
            block = block.new_empty(n_components, n)
        joint = evaluator.log_joint(chunk, out=block[:, :n])
        top = joint.amax(0)
        responsibilities = joint.sub_(top).clamp_min_(_FLOOR[points.dtype]).exp_()
        total = responsibilities.sum(0)
        log_likelihood = total.log() + top
        if chunk.weights is None:
            responsibilities /= total
        else:
            log_likelihood *= chunk.weights
            responsibilities *= chunk.weights / total
        buffer[0] += log_likelihood.sum(dtype=torch.float64)
        sums += evaluator.sums(chunk, responsibilities)
    group.sum(buffer)
    counts, means, covariances = parameters.covariance.moments(sums, evaluator.frames())
    return Moments(buffer[0], counts, means, covariances)


def m_step(statistics: Statistics, reg_covar: float = 1e-6) -> Parameters:
    """The mixture that maximises the expected log-likelihood.

    w_k = N_k / N,  mu_k = 1/N_k sum_n r_nk x_n,  Sigma_k = 1/N_k sum_n r_nk (x_n - mu_k)(...)^T

    Args:
        statistics: of the E-step.
        reg_covar: added to every variance.

    Source: Bishop, PRML, 9.2.2.
    """
    covariance = statistics.covariance
    covariances = covariance.regularise(statistics.covariances, reg_covar)
    return Parameters(
        covariance,
        statistics.counts / statistics.counts.sum(),
        statistics.means,
        covariances,
        covariance.precisions_cholesky(covariances),
    )
