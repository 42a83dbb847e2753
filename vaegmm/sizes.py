"""How many clusters? What mixtures of several sizes and covariance types give on one model's z."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaegmm import metrics
from vaegmm.config import CovarianceType
from vaegmm.data import Dataset
from vaegmm.labelling import name_components
from vaegmm.model import VAEGMM

COMPONENTS = (5, 10, 20, 30, 50, 100, 150, 200)
LABELS = (10, 100, 1000, 5000)
N_INIT = 1  # starts of each mixture: eight sizes take long enough


class Size(NamedTuple):
    """What a mixture of one size gives."""

    n_components: int
    covariance_type: str
    bic: float  # on the stored z, as the next
    aic: float
    log_likelihood: float | None  # of the test images' z, in nats an image; None without images
    accuracies: dict[int, float]  # of classification, by the number of labels; of the test images


def sweep(
    model: VAEGMM,
    dataset: Dataset | None,
    components: Sequence[int] = COMPONENTS,
    covariance_types: Sequence[CovarianceType] = ("full",),
    labels: Sequence[int] = LABELS,
    seed: int = 0,
    known: Iterable[Size] = (),
) -> Iterator[Size]:
    """Measure mixtures of several sizes on the latents of one model.

    Args:
        model: fitted.
        dataset: whose test images, and validation labels, they are measured on; without one only
            what the stored z tell is.
        components: numbers of components; those above the number of stored z are left out.
        covariance_types: of the mixtures.
        labels: how many of the validation labels name the components; numbers that exceed them are
            left out.
        seed: of the starts, the labels and the sampled z.
        known: sizes that need not be measured again.
    """
    done = {(size.n_components, size.covariance_type) for size in known}
    for covariance_type in covariance_types:
        for n_components in components:
            is_known = (n_components, covariance_type) in done
            if is_known or n_components > len(model.latents):
                continue
            other = model.refit(
                n_components, seed=seed, n_init=N_INIT, covariance_type=covariance_type
            )
            z = model.latents.astype(np.float64)
            log_likelihood, accuracies = None, {}
            if dataset is not None:
                held_out = model.encode(dataset.test.images, sample=True, seed=seed)
                log_likelihood = other.mixture.score(held_out)
                accuracies = _accuracies(other, dataset, labels, seed)
            yield Size(
                n_components,
                covariance_type,
                other.mixture.bic(z),
                other.mixture.aic(z),
                log_likelihood,
                accuracies,
            )


def _accuracies(
    model: VAEGMM, dataset: Dataset, labels: Sequence[int], seed: int
) -> dict[int, float]:
    validation, truth = dataset.validation, dataset.test.labels
    if validation.labels is None or truth is None:
        return {}
    order = np.random.default_rng(seed).permutation(len(validation))
    known = model.responsibilities(validation.images[order])
    asked = model.responsibilities(dataset.test.images)
    accuracies = {}
    for n in (n for n in labels if n <= len(validation)):
        names = name_components(known[:n], validation.labels[order][:n], len(dataset.label_names))
        predicted = names.label_probabilities(asked).argmax(1)
        accuracies[n] = metrics.accuracy(predicted, truth)
    return accuracies


def path_beside(checkpoint: str | Path) -> Path:
    """Return where the sizes of a checkpoint are kept: mnist.sizes.jsonl for mnist.safetensors."""
    return Path(checkpoint).with_suffix(".sizes.jsonl")


def append(path: str | Path, model: VAEGMM, size: Size) -> None:
    """Add a size to a file, one line each; whatever reads it may do so meanwhile."""
    line = json.dumps({"model": model.fingerprint, **size._asdict()})
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def read(path: str | Path, model: VAEGMM) -> list[Size]:
    """Read the sizes of a model; lines of another model, or that are damaged, are passed over."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found: dict[tuple[int, str], Size] = {}
    for line in lines:
        size = _parsed(line, model)
        if size is not None:
            found[size.n_components, size.covariance_type] = size
    return [found[key] for key in sorted(found, key=lambda key: (key[1], key[0]))]


def _parsed(line: str, model: VAEGMM) -> Size | None:
    try:
        values: dict[str, Any] = json.loads(line)
        if values.pop("model") != model.fingerprint:
            return None
        accuracies = {int(n): float(value) for n, value in values.pop("accuracies").items()}
        return Size(**values, accuracies=accuracies)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None  # a line that is being written, or that a person has changed
