"""Some labels known: components bound to labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaegmm.mixture.chunks import Points
from vaegmm.mixture.covariance import Covariance
from vaegmm.mixture.em import Parameters
from vaegmm.mixture.kmeans import kmeans_plus_plus, lloyd, nearest
from vaegmm.mixture.missing import completed_sample
from vaegmm.mixture.start import from_labels

#: A label that isn't known, or a component that is bound to none.
UNKNOWN = -1

#: A start is found on at most so many points.
_MOST = 2**15


class Binding(NamedTuple):
    """Which components belong to which label, and what is known of the points'.

    A point of known label belongs to the components of that label alone; a component that is bound
    to none is for points whose label isn't known.
    """

    labels: Tensor  # (N,), UNKNOWN where not known
    component_labels: Tensor  # (K,), UNKNOWN where bound to none

    @classmethod
    def of(
        cls, y: Any, n_points: int, component_labels: Any, n_components: int, device: torch.device
    ) -> Binding:
        """Check what the user gave.

        Args:
            y: labels, whole numbers of at least 0, -1 where not known, shape (N,).
            n_points: N.
            component_labels: "auto" deals the components out to the labels, in proportion to their
                points and at least one to each; else one label a component, shape (K,).
            n_components: K.
            device: of the points.

        Raises:
            ValueError: if these don't fit together.
        """
        labels = _whole("y", y, n_points)
        known, counts = np.unique(labels[labels != UNKNOWN], return_counts=True)
        if len(known) == 0:
            raise ValueError("y must hold at least one known label; got -1 throughout.")
        if isinstance(component_labels, str):
            if component_labels != "auto":
                raise ValueError(
                    "component_labels must be 'auto' or one label a component; got "
                    f"component_labels={component_labels!r}."
                )
            if len(known) > n_components:
                raise ValueError(
                    "n_components must be at least the number of labels; got "
                    f"n_components={n_components}, labels={len(known)}. Raise n_components."
                )
            bound = np.repeat(known, dealt(counts, n_components))
        else:
            bound = _whole("component_labels", component_labels, n_components)
            if missing := set(known.tolist()) - set(bound.tolist()):
                raise ValueError(
                    "component_labels must bind a component to every label in y; got none for "
                    f"{sorted(missing)}."
                )
        return cls(torch.from_numpy(labels).to(device), torch.from_numpy(bound).to(device))

    def components(self) -> tuple[Tensor, list[Tensor | None]]:
        """An index into what follows for every point, and which components each may belong to."""
        known = self.labels[self.labels != UNKNOWN].unique()
        index = torch.searchsorted(known, self.labels) + 1
        index[self.labels == UNKNOWN] = 0
        own = [(self.component_labels == label).nonzero()[:, 0] for label in known]
        return index, [None, *own]


def dealt(counts: np.ndarray, n_components: int) -> np.ndarray:
    """Components for each label, in proportion to its points and at least one."""
    given = np.ones(len(counts), dtype=np.int64)
    for _ in range(n_components - len(counts)):
        given[(counts / given).argmax()] += 1
    return given


def seeded(
    points: Points,
    binding: Binding,
    covariance: Covariance,
    reg_covar: float,
    generator: torch.Generator,
) -> Parameters:
    """A start from labels: k-means among the points of each label.

    A point of unknown label goes with the label of the nearest centre among the points of known
    label; the points farthest from every centre are left to the components that are bound to none.

    Args:
        points: in the order of the binding's labels.
        binding: what is known of them.
        covariance: the type.
        reg_covar: added to every variance.
        generator: on the CPU.

    Source: Basu, Banerjee and Mooney, Semi-supervised clustering by seeding, 2002.
    """
    # Those of known label come first where there are more than a start needs.
    order = torch.randperm(len(points), generator=generator).to(points.device)
    rows = order[(binding.labels[order] == UNKNOWN).to(torch.int8).argsort(stable=True)]
    x, weights = points.rows(rows[:_MOST].sort().values)
    if points.has_missing:
        x = completed_sample(x, weights)
    label_of = binding.labels[rows[:_MOST].sort().values].clone()
    columns = x.double().mT
    columns = (columns - columns.mean(1, keepdim=True)).contiguous()
    bound = binding.component_labels
    known = label_of[label_of != UNKNOWN].unique()
    centres = [
        _centres(columns[:, label_of == label], (bound == label).sum().item(), generator)
        for label in known
    ]
    of_centre = torch.cat([k.expand(len(own)) for k, own in zip(known, centres, strict=True)])
    middles = torch.cat(centres)
    unknown = (label_of == UNKNOWN).nonzero()[:, 0]
    guess = nearest(columns[:, unknown], middles) if len(unknown) else unknown
    label_of[unknown] = of_centre[guess]
    free = (~torch.isin(bound, known)).sum().item()
    if free and len(unknown):
        distance = (columns[:, unknown] - middles[guess].mT).square().sum(0)
        n_free = max(int(free), int(len(unknown) * free / len(bound)))
        label_of[unknown[distance.topk(min(n_free, len(unknown))).indices]] = UNKNOWN
    components = torch.zeros(x.shape[0], dtype=torch.int64, device=x.device)
    for label in label_of.unique():
        own = (bound == label) if label != UNKNOWN else ~torch.isin(bound, known)
        chosen, members = own.nonzero()[:, 0], (label_of == label).nonzero()[:, 0]
        if not len(chosen):
            continue
        part = columns[:, members]
        own_centres = _centres(part, len(chosen), generator, weights[members].double())
        components[members] = chosen[nearest(part, own_centres)]
    return from_labels(x, weights, components, len(bound), covariance, reg_covar)


def _centres(
    x: Tensor, n_centres: int, generator: torch.Generator, weights: Tensor | None = None
) -> Tensor:
    """Centres of k-means, at most one a point, (m, D)."""
    x = x.contiguous()
    chosen = kmeans_plus_plus(x, min(n_centres, x.shape[1]), generator, weights)
    return lloyd(x, x[:, chosen].mT, weights)


def _whole(name: str, values: Any, length: int) -> np.ndarray:
    """Whole numbers of at least -1, (length,), as int64."""
    if isinstance(values, Tensor):
        values = values.cpu().numpy()
    array = np.asarray(values)
    whole = array.dtype.kind in "iub" or (array.dtype.kind == "f" and (array % 1 == 0).all())
    if array.shape != (length,) or not whole or (array < UNKNOWN).any():
        raise ValueError(
            f"{name} must hold {length} whole numbers of at least -1; got shape {array.shape}, "
            f"{array.dtype}."
        )
    return array.astype(np.int64)
