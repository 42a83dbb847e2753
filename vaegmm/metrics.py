"""Measures of clustering, classification and calibration: arrays in, numbers out.

scipy and scikit-learn are imported by the measures that need them: it takes most of a second, which
a server that only shows models can spare.
"""

from __future__ import annotations

import numpy as np


def contingency(clusters: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Count how often each cluster meets each label, shape (n_clusters, n_classes)."""
    table = np.zeros((int(clusters.max()) + 1, int(labels.max()) + 1), dtype=np.int64)
    np.add.at(table, (clusters, labels), 1)
    return table


def clustering_accuracy(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Share of points in the right cluster under the best one-to-one assignment to labels.

    Source: Yang et al., Image clustering using local discriminant models, 2010; the assignment is
    Kuhn's Hungarian method.
    """
    return accuracy(assign_labels(clusters, labels), labels)


def assign_labels(clusters: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return for each point the label that its cluster is assigned to, shape (N,).

    The best one-to-one assignment; -1 where there are more clusters than labels, and its own has
    none.
    """
    from scipy.optimize import linear_sum_assignment

    table = contingency(clusters, labels)
    assigned = np.full(len(table), -1)
    rows, columns = linear_sum_assignment(table, maximize=True)
    assigned[rows] = columns
    return assigned[clusters]


def normalized_mutual_information(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Mutual information of clusters and labels over the mean of their entropies, in [0, 1]."""
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(labels, clusters))


def adjusted_rand_index(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Agreement of two partitions over pairs of points, corrected for chance."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(labels, clusters))


def accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Share of labels that were predicted."""
    return float((predicted == labels).mean())


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Count predictions (columns) for each true label (rows), shape (C, C)."""
    table = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(table, (labels, predicted), 1)
    return table


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, n_bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy over bins of equal width.

    Args:
        probabilities: p(label | image), shape (N, C).
        labels: shape (N,).
        n_bins: bins of the confidence in the predicted label.

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    return calibration_error(probabilities.max(1), probabilities.argmax(1) == labels, n_bins)


def calibration_error(confidence: np.ndarray, correct: np.ndarray, n_bins: int = 15) -> float:
    """Compute the expected calibration error from confidences and hits, both of shape (N,)."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    count = np.bincount(bins, minlength=n_bins)
    gap = np.abs(
        np.bincount(bins, weights=confidence, minlength=n_bins)
        - np.bincount(bins, weights=correct, minlength=n_bins)
    )
    return float(gap.sum() / count.sum())


def latents_in_use(means: np.ndarray, threshold: float = 0.01) -> int:
    """Count the latent dimensions whose posterior mean varies over the images.

    Args:
        means: posterior means, shape (N, D).
        threshold: the least variance of a dimension in use.

    Source: Burda et al., Importance Weighted Autoencoders, 2016, section 5.2.
    """
    return int(are_latents_in_use(means, threshold).sum())


def are_latents_in_use(means: np.ndarray, threshold: float = 0.01) -> np.ndarray:
    """Tell for each latent dimension whether its posterior mean varies, shape (D,)."""
    return means.var(0) > threshold
