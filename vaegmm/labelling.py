"""From components to labels: what a cluster is called, learned from validation labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

UNNAMED = -1
# A component is named once half an image's worth of responsibility has reached it.
_MASS_OF_A_NAME = 0.5
# Pseudo-images, spread as the labels are as a whole: little evidence gives a cautious name.
_PRIOR_MASS = 0.1
# Fewer labels say too little about how sure to be: their names stay as cautious as they are.
_LEAST_LABELS_TO_CALIBRATE = 200
_FOLDS = 5
_HOTTEST = 10.0  # and the coldest is its reciprocal
_CERTAIN = 1e-12  # the least probability that is looked at: its logarithm stays finite


@dataclass(frozen=True)
class ComponentNames:
    """What the components are called.

    Attributes:
        label_given_component: p(label | component), shape (K, C); each row sums to 1. A component
            that no labelled image reaches has the frequencies of the labels as a whole.
        names: the most probable label of each component, or UNNAMED, shape (K,).
        n_labels: how many labelled images were used.
        temperature: what the logarithms of the probabilities are divided by, so that they are as
            often right as they say; below 1 they become surer.
    """

    label_given_component: np.ndarray
    names: np.ndarray
    n_labels: int
    temperature: float = 1.0

    def label_probabilities(self, responsibilities: np.ndarray) -> np.ndarray:
        """Compute p(label | image), shape (N, C); each row sums to 1.

        sum_k p(label | k) p(k | z), to the power of 1 / temperature and normalised again.
        """
        return _at_temperature(responsibilities @ self.label_given_component, self.temperature)


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

    The temperature is fitted to labels whose images had no say in the names (in five folds).

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
    names = _name(responsibilities, label_probabilities, n_labels)
    if n_labels < _LEAST_LABELS_TO_CALIBRATE:
        return names
    # Names fit the images that gave them better than others: each fold is judged by the names
    # that the other folds give.
    judged = np.empty_like(label_probabilities)
    folds = np.arange(len(responsibilities)) % _FOLDS
    for fold in range(_FOLDS):
        rest, held_out = folds != fold, folds == fold
        others = _name(responsibilities[rest], label_probabilities[rest], n_labels)
        judged[held_out] = others.label_probabilities(responsibilities[held_out])
    return replace(names, temperature=_best_temperature(judged, label_probabilities))


def _name(
    responsibilities: np.ndarray, label_probabilities: np.ndarray, n_labels: int
) -> ComponentNames:
    mass = responsibilities.T @ label_probabilities  # (K, C)
    smoothed = mass + _PRIOR_MASS * label_probabilities.mean(0)
    probabilities = smoothed / smoothed.sum(1, keepdims=True)
    is_reached = mass.sum(1) >= _MASS_OF_A_NAME
    return ComponentNames(
        probabilities, np.where(is_reached, probabilities.argmax(1), UNNAMED), n_labels
    )


def _best_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Find the temperature under which `probabilities` predict `truth` best, both (N, C).

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    from scipy.optimize import minimize_scalar  # a third of a second that most uses do not need

    def cross_entropy(log_temperature: float) -> float:
        predicted = _at_temperature(probabilities, float(np.exp(log_temperature)))
        return float(-(truth * np.log(predicted.clip(_CERTAIN))).sum(1).mean())

    bound = np.log(_HOTTEST)
    best = minimize_scalar(cross_entropy, bounds=(-bound, bound), method="bounded")
    return float(np.exp(best.x))


def _at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Raise probabilities, shape (N, C), to the power of 1 / temperature and normalise them."""
    if temperature == 1:
        return probabilities
    # Relative to the greatest, so that a row of small numbers cannot become one of zeros.
    powers = (probabilities / probabilities.max(1, keepdims=True)) ** (1 / temperature)
    return powers / powers.sum(1, keepdims=True)
