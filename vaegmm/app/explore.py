"""What the pages show of a model: arrays made from it, without Streamlit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vaegmm.errors import InputError
from vaegmm.labelling import UNNAMED
from vaegmm.model import VAEGMM
from vaegmm.reading import Reading

_WAY_STEPS = 9  # images on the way to another digit


def trained_on(model: VAEGMM) -> str:
    """Return the name of the data set that a model was trained on, or an empty string."""
    return str(model.provenance.get("data", {}).get("name", ""))


def title_of(model: VAEGMM) -> str:
    """Say what a model was trained on."""
    return str(model.provenance.get("data", {}).get("title", "which it does not name"))


def n_trained_on(model: VAEGMM) -> int:
    """Return how many images a model was trained on; of very many, not all z are stored."""
    return int(model.provenance.get("data", {}).get("n_train", len(model.latents)))


def component_labels(model: VAEGMM) -> np.ndarray:
    """Return the label that each component is named after, UNNAMED where there is none, (K,)."""
    if model.names is None:
        return np.full(len(model.mixture.weights_), UNNAMED)
    return model.names.names


def label_titles(model: VAEGMM) -> dict[int, str]:
    """Return what each label is called, and at the end what has none."""
    return {**dict(enumerate(model.label_names)), UNNAMED: "unnamed"}


def named_labels(model: VAEGMM) -> list[int]:
    """Return the labels that at least one component is named after, rising."""
    labels = component_labels(model)
    return np.unique(labels[labels != UNNAMED]).tolist()


def component_title(model: VAEGMM, component: int) -> str:
    """Say what a component is called, such as "7 (cluster 31)"."""
    name = label_titles(model)[int(component_labels(model)[component])]
    return f"{name} (cluster {component})"


class Neighbours(NamedTuple):
    """Stored z near a point."""

    rows: np.ndarray  # (n,) among the stored z
    distances: np.ndarray  # (n,) rising


def nearest_latents(model: VAEGMM, z: ArrayLike, n: int = 8) -> Neighbours:
    """Return the stored z nearest to a point of the latent space, shape (D,)."""
    distances = np.linalg.norm(model.latents - np.asarray(z, dtype=np.float32), axis=1)
    n = min(n, len(distances))
    rows = np.argpartition(distances, n - 1)[:n]
    rows = rows[np.argsort(distances[rows])]
    return Neighbours(rows, distances[rows])


class Way(NamedTuple):
    """A straight line through the latent space, decoded."""

    images: np.ndarray  # (S, 28, 28) in [0, 1]
    labels: np.ndarray  # (S,) what the model calls each
    runner_up: int  # the label at the end
    turn: int | None  # the first step that is called so


def way_to_runner_up(model: VAEGMM, reading: Reading) -> Way:
    """Go from a reading's z to the nearest component of the second most probable label.

    Raises:
        ValueError: if fewer than two labels have a component.
    """
    z, probabilities = reading.z, reading.probabilities
    others = [label for label in named_labels(model) if label != reading.label]
    if not others:
        raise InputError("components must bear two labels at least; got one.", reason="one label")
    runner_up = max(others, key=lambda label: probabilities[label])
    means = model.mixture.means_[component_labels(model) == runner_up]
    end = means[np.linalg.norm(means - z, axis=1).argmin()]
    steps = z + np.linspace(0, 1, _WAY_STEPS)[:, None] * (end - z)
    called = model.label_probabilities(steps).argmax(1)
    turned = np.flatnonzero(called == runner_up)
    return Way(model.decode(steps), called, runner_up, int(turned[0]) if len(turned) else None)


@dataclass(frozen=True)
class Scores:
    """What a model makes of each image of a data set.

    Attributes:
        cross_entropy: of its reconstruction, in nats summed over pixels, shape (N,).
        components: the most likely component, shape (N,).
        predicted: the most probable label, shape (N,); UNNAMED where the model has no names.
        confidence: its probability, shape (N,); zero where the model has no names.
    """

    cross_entropy: np.ndarray
    components: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray

    @classmethod
    def of(cls, model: VAEGMM, images: np.ndarray) -> Scores:
        """Score images, shape (N, 28, 28)."""
        inference = model.infer(images)
        predicted, confidence = np.full(len(images), UNNAMED), np.zeros(len(images))
        if model.names is not None:
            predicted = inference.label_probabilities.argmax(1)
            confidence = inference.label_probabilities.max(1)
        components = inference.responsibilities.argmax(1)
        return cls(inference.cross_entropy, components, predicted, confidence)
