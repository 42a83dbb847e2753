"""The figures of a model on held-out images, under one protocol."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from vaegmm import metrics
from vaegmm.examples import with_votes
from vaegmm.gaussian import kl_to_standard_normal
from vaegmm.images import as_images, as_labels, as_pixels
from vaegmm.model import VAEGMM
from vaegmm.preprocess import Stroke
from vaegmm.prior import information
from vaegmm.reading import read_strokes
from vaegmm.training.augmentation import augment


def evaluate(
    model: VAEGMM,
    images: Any,
    labels: Any | None = None,
    seed: int = 0,
    strokes: Sequence[Sequence[Stroke]] | None = None,
    label_names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Measure reconstruction, clustering and classification on held-out images.

    Clustering accuracy, NMI and ARI are those of a mixture with one component a label: the model's
    own, or else one fitted to the stored z (`VAEGMM.refit`): from the mixture that the network
    was trained with, or from several starts of which the likelihood alone chooses. It sees each
    image as it is. Classification uses the model's own mixture, the mean over a few views and the
    names that validation labels gave; what was drawn in strokes is read with its parts, as on the
    Draw page. Of an adapted model `adapted_with` says how many examples it has, and `n_learned`
    how many of these images are among them: of those it knows the answers.

    Args:
        model: fitted.
        images: shape (N, 28, 28) or (N, 784).
        labels: shape (N,); without them only what needs no labels is measured.
        seed: of the clustering mixture's starts.
        strokes: what each image was drawn with, N lists of strokes, empty where it was not.
        label_names: what the labels are called where they are another data set's: they are matched
            with the model's by name, and nothing is classified where the model lacks one of them.
            None: they are the numbers of the model's own labels.

    Returns:
        Figures by name; cross-entropy and KL in nats an image.
    """
    array = as_images(images)
    inference = model.infer(array)
    mean, std = torch.from_numpy(inference.mean), torch.from_numpy(inference.std)
    kl_per_latent = kl_to_standard_normal(mean, std).mean(0)
    figures: dict[str, Any] = {
        "n_images": len(array),
        "n_components": len(model.mixture.weights_),
        "cross_entropy": float(inference.cross_entropy.mean()),
        "kl": float(kl_per_latent.sum()),
        "kl_per_latent": [round(kl, 4) for kl in kl_per_latent.tolist()],
        "latents_in_use": metrics.latents_in_use(inference.mean),
        "latent_dim": mean.shape[1],
        "log_likelihood": float(inference.log_likelihood.mean()),
        "mean_typicality": float(inference.typicality.mean()),
    }
    if model.examples is not None:
        figures["adapted_with"] = model.n_examples
        figures["n_learned"] = int(model.examples.hold(inference.mean).sum())
    views_tell = views_information(model, array, seed)
    if views_tell is not None:
        figures["views_information"] = views_tell
    if labels is None:
        return figures
    truth = as_labels(labels, len(array))
    called = model.label_names if label_names is None else label_names
    n_classes = max(len(called), int(truth.max()) + 1)
    has_one_each = len(model.mixture.weights_) == n_classes
    clustering = model if has_one_each else model.refit(n_components=n_classes, seed=seed)
    clusters = clustering.mixture.predict(inference.mean)
    figures |= {
        "n_clusters": n_classes,
        "clustering_accuracy": metrics.clustering_accuracy(clusters, truth),
        "nmi": metrics.normalized_mutual_information(clusters, truth),
        "ari": metrics.adjusted_rand_index(clusters, truth),
    }
    if model.names is not None and knows_labels(model, called):
        if label_names is not None:
            truth = np.array([model.label_names.index(name) for name in label_names])[truth]
        plain = copy.copy(model)
        plain.names = model.names.at_temperature(1.0)
        probabilities = _with_strokes(model, inference.label_probabilities, strokes)
        uncalibrated = _with_strokes(
            plain,
            with_votes(
                plain.names.label_probabilities(inference.responsibilities), inference.votes
            ),
            strokes,
        )
        if strokes is not None:
            figures["n_read_from_strokes"] = sum(map(bool, strokes))
        figures |= {
            "n_labels": model.names.n_labels,
            "classification_accuracy": metrics.accuracy(probabilities.argmax(1), truth),
            "expected_calibration_error": metrics.expected_calibration_error(probabilities, truth),
            "calibration_error_without_temperature": metrics.expected_calibration_error(
                uncalibrated, truth
            ),
            "temperature": model.names.temperature,
        }
    return figures


def knows_labels(model: VAEGMM, label_names: Sequence[str]) -> bool:
    """Whether a model has a label of each of these names."""
    return set(label_names) <= set(model.label_names)


def _with_strokes(
    model: VAEGMM, probabilities: np.ndarray, strokes: Sequence[Sequence[Stroke]] | None
) -> np.ndarray:
    """Return p(label), shape (N, C), with drawings read from their strokes instead."""
    read = probabilities.copy()
    for row, drawing in zip(read, strokes or [()] * len(read), strict=True):
        if drawing:
            row[:] = read_strokes(model, drawing).probabilities
    return read


def views_information(model: VAEGMM, images: Any, seed: int = 0) -> float | None:
    """Measure what the prior's components of two views of an image say about each other.

    The views are those of the training. It needs no label, and tells a training whose components
    are digits from one whose components are ways of writing: the higher, the better.

    Args:
        model: fitted.
        images: shape (N, 28, 28) or (N, 784).
        seed: of the views.

    Returns:
        Mutual information in nats, at most log K; None where the network was trained without
        views, or without a mixture.
    """
    if model.prior is None or not model.config.augmentation.is_active:
        return None
    generator = torch.Generator().manual_seed(seed)
    pixels = as_pixels(as_images(images), torch.device("cpu"))
    one, other = (
        torch.from_numpy(model.encode(augment(pixels, model.config.augmentation, generator)))
        for _ in range(2)
    )
    return information(model.prior, one, other)
