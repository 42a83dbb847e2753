"""From components to labels: what a cluster is called, learned from validation labels."""

from __future__ import annotations

from collections.abc import Callable
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
_MOST_LOST = 0.002  # of the accuracy that a temperature may cost
_STEPS_BACK = 20  # from the best temperature to one that costs no more
_CERTAIN = 1e-12  # the least probability that is looked at: its logarithm stays finite


@dataclass(frozen=True)
class ComponentNames:
    """What the components are called.

    Attributes:
        label_given_component: p(label | component), shape (K, C); each row sums to 1. A component
            that no labelled image reaches has the frequencies of the labels as a whole.
        names: the most probable label of each component, or UNNAMED, shape (K,).
        n_labels: how many labelled images were used.
        temperature: what the logarithms of `label_given_component` were divided by, so that what
            is said of an image is as often right as it says; below 1 it becomes surer.
    """

    label_given_component: np.ndarray
    names: np.ndarray
    n_labels: int
    temperature: float = 1.0

    def label_probabilities(self, responsibilities: np.ndarray) -> np.ndarray:
        """Compute p(label | image) = sum_k p(k | z) p(label | k), shape (N, C); rows sum to 1."""
        return responsibilities @ self.label_given_component

    def at_temperature(self, temperature: float) -> ComponentNames:
        """Return the same names as sure as another temperature makes them; 1: as they were."""
        label_given_component = _at_temperature(
            self.label_given_component, temperature / self.temperature
        )
        return replace(self, label_given_component=label_given_component, temperature=temperature)


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

    The temperature is fitted to labels whose images had no say in the names (in five folds). It
    acts on p(label | component), so that p(label | image) stays a sum over components.

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
    folds = np.arange(len(responsibilities)) % _FOLDS
    others = [
        _name(responsibilities[folds != fold], label_probabilities[folds != fold], n_labels)
        for fold in range(_FOLDS)
    ]

    def judge(temperature: float) -> np.ndarray:
        judged = np.empty_like(label_probabilities)
        for fold, names in enumerate(others):
            judged[folds == fold] = names.at_temperature(temperature).label_probabilities(
                responsibilities[folds == fold]
            )
        return judged

    return names.at_temperature(_best_temperature(judge, label_probabilities))


def names_from_power(
    names: ComponentNames, temperature: float, responsibilities: np.ndarray
) -> ComponentNames:
    """Return names that say nearly what older ones said, which raised the sum to a power.

    Files written before p(label | component) itself had a temperature raised
    sum_k p(k | z) p(label | k) to the power of 1 / temperature and normalised it again.

    Args:
        names: with a temperature of 1.
        temperature: of the sums.
        responsibilities: p(k | z_n) of images like those that will be named, shape (N, K).
    """
    said = _at_temperature(names.label_probabilities(responsibilities), temperature)
    return names.at_temperature(
        _best_temperature(
            lambda t: names.at_temperature(t).label_probabilities(responsibilities), said
        )
    )


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


def _best_temperature(predict: Callable[[float], np.ndarray], truth: np.ndarray) -> float:
    """Find the temperature at which `predict` says best what is true, as far as none is lost.

    Args:
        predict: p(label | image n) at a temperature, shape (N, C).
        truth: likewise.

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    from scipy.optimize import minimize_scalar  # a third of a second that most uses do not need

    def cross_entropy(log_temperature: float) -> float:
        predicted = predict(float(np.exp(log_temperature)))
        return float(-(truth * np.log(predicted.clip(_CERTAIN))).sum(1).mean())

    bound = np.log(_HOTTEST)
    best = float(np.exp(minimize_scalar(cross_entropy, bounds=(-bound, bound), method="bounded").x))
    # Where no component is a label, sharper names change what is said, and not only how surely.
    least = _hits(predict(1.0), truth) - _MOST_LOST
    ways = np.geomspace(best, 1.0, _STEPS_BACK)
    return next(float(t) for t in ways if t == 1 or _hits(predict(float(t)), truth) >= least)


def _hits(predicted: np.ndarray, truth: np.ndarray) -> float:
    return float((predicted.argmax(1) == truth.argmax(1)).mean())


def _at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Raise probabilities, shape (N, C), to the power of 1 / temperature and normalise them."""
    if temperature == 1:
        return probabilities
    # Relative to the greatest, so that a row of small numbers cannot become one of zeros.
    powers = (probabilities / probabilities.max(1, keepdims=True)) ** (1 / temperature)
    return powers / powers.sum(1, keepdims=True)
