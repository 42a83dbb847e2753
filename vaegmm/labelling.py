"""From components to labels: what a cluster is called, learned from validation labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

UNNAMED = -1
# A component is named once half an image's worth of responsibility has reached it.
_MASS_OF_A_NAME = 0.5
# Pseudo-images, spread as the labels are as a whole: little evidence gives a cautious name.
_PRIOR_MASS = 0.1


@dataclass(frozen=True)
class ComponentNames:
    """What the components are called.

    Attributes:
        label_given_component: p(label | component), shape (K, C); each row sums to 1. A component
            that no labelled image reaches has the frequencies of the labels as a whole.
        names: the most probable label of each component, or UNNAMED, shape (K,).
        n_labels: how many labelled images were used.
    """

    label_given_component: np.ndarray
    names: np.ndarray
    n_labels: int

    def label_probabilities(self, responsibilities: np.ndarray) -> np.ndarray:
        """Compute p(label | image) = sum_k p(label | k) p(k | z), shape (N, C)."""
        return responsibilities @ self.label_given_component


def name_components(
    responsibilities: np.ndarray, labels: np.ndarray, n_classes: int
) -> ComponentNames:
    """Name components by the labels of the images that they are responsible for.

    p(label | k) is proportional to the sum of r_nk over the images n with that label. Naming by
    responsibilities keeps a component that lies between two digits undecided.

    Args:
        responsibilities: p(k | z_n) of the labelled images, shape (N, K).
        labels: whole numbers below n_classes, shape (N,).
        n_classes: the number of labels, C.

    Raises:
        ValueError: if there is not one label an image, or a label is not below n_classes.
    """
    if len(labels) != len(responsibilities) or len(labels) == 0:
        raise ValueError(
            f"labels must have one entry an image, and at least one; got {len(labels)} labels for "
            f"{len(responsibilities)} images."
        )
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(
            f"labels must lie from 0 to {n_classes - 1}; got {labels.min()} to {labels.max()}."
        )
    return name_by_probabilities(responsibilities, np.eye(n_classes)[labels], len(labels))


def name_by_probabilities(
    responsibilities: np.ndarray, label_probabilities: np.ndarray, n_labels: int
) -> ComponentNames:
    """Name components like `name_components`, from images whose labels are probabilities.

    Args:
        responsibilities: p(k | z_n), shape (N, K).
        label_probabilities: p(label | image n), shape (N, C); one-hot where a label is known.
        n_labels: how many labels the probabilities were learned from.
    """
    mass = responsibilities.T @ label_probabilities  # (K, C)
    smoothed = mass + _PRIOR_MASS * label_probabilities.mean(0)
    probabilities = smoothed / smoothed.sum(1, keepdims=True)
    is_reached = mass.sum(1) >= _MASS_OF_A_NAME
    return ComponentNames(
        probabilities, np.where(is_reached, probabilities.argmax(1), UNNAMED), n_labels
    )
