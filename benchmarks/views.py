"""Choose how far the views of a drawing are believed, by drawings of other writers.

    python benchmarks/views.py CHECKPOINT [--strokes FILE.jsonl.gz] [--folds 6]

Each drawing's views are encoded once. The constants of vaegmm/reading.py are fitted to the drawings
of five sixths of the writers (the mean log p(true label) is the highest) and read those of the
others, in turn. Prints, for writers that had no say: accuracy, mean -log p, calibration error and
mean certainty of the whole drawings alone, of the constants in vaegmm/reading.py, and of those
fitted; then the constants fitted to all, to be rounded. `_EVIDENCE` is that of log p(z), and EXCESS
in vaegmm/typicality.py the ratio of the first two.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

import vaegmm
from vaegmm import reading
from vaegmm.metrics import expected_calibration_error
from vaegmm.preprocess import drawing_parts, render_strokes
from vaegmm.typicality import EXCESS

STROKES = Path(__file__).resolve().parents[2] / "shared/data/strokes/pen_digits_dev.jsonl.gz"
NAMES = ("of log p(z)", "of the excess", "_WHOLE", "_SHARE", "_TURN", "_LEFTWARD")
OF_LOOKS = np.array([True, True, False, False, False, False])
SCALES = np.array([10.0, 50.0, 1.0, 1.0, 1.0, 1.0])  # of the features: one step size suits all
CAUTION = 5e-4  # nats for the square of each constant beside: these are not all writers
LEAST = 1e-6  # the least probability that is looked at: its logarithm stays finite


def main() -> None:
    """Print the tables."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--strokes", type=Path, default=STROKES)
    parser.add_argument("--folds", type=int, default=6)
    options = parser.parse_args()
    model = vaegmm.load(options.checkpoint)
    with gzip.open(options.strokes, "rt") as lines:
        drawings = [json.loads(line) for line in lines]
    labels = np.array([drawing["label"] for drawing in drawings])
    features, probabilities = views_of(model, [drawing["strokes"] for drawing in drawings])
    writers, writer = np.unique([drawing["writer"] for drawing in drawings], return_inverse=True)
    fold = np.random.default_rng(0).permutation(len(writers))[writer] % options.folds

    present = np.array([getattr(reading, name, reading._EVIDENCE) for name in NAMES])
    present[1] *= -EXCESS
    held_out = np.empty((len(drawings), probabilities.shape[2]))
    for each in range(options.folds):
        chosen = fitted(features[fold != each], probabilities[fold != each], labels[fold != each])
        held_out[fold == each] = mixed(features[fold == each], probabilities[fold == each], chosen)
    print("| believed | accuracy | -log p, nats | ECE | certainty |\n|---|---|---|---|---|")
    for title, said in {
        "the whole alone": probabilities[:, 0],
        "by vaegmm/reading.py": mixed(features, probabilities, present),
        "as fitted to other writers": held_out,
    }.items():
        accuracy = (said.argmax(1) == labels).mean()
        loss = -np.log(said[np.arange(len(labels)), labels].clip(LEAST)).mean()
        error = expected_calibration_error(said, labels)
        certainty = said.max(1).mean()
        print(f"| {title} | {accuracy:.4f} | {loss:.3f} | {error:.4f} | {certainty:.3f} |")
    print("\n| constant | in vaegmm/reading.py | fitted to all |\n|---|---|---|")
    everything = fitted(features, probabilities, labels)
    for name, now, then in zip(NAMES, present, everything, strict=True):
        print(f"| {name} | {now:g} | {then:.3f} |")


def views_of(model: vaegmm.VAEGMM, drawings: list[list]) -> tuple[np.ndarray, np.ndarray]:
    """Look at all views of all drawings.

    Returns:
        What each view's belief is a sum of, in the order of NAMES, shape (N, V, 6), NaN where a
        drawing has fewer views; and p(label | view), shape (N, V, C), 0 there.
    """
    views = [drawing_parts(strokes) for strokes in drawings]
    images = [
        render_strokes([strokes, *(part.strokes for part in parts)])
        for strokes, parts in zip(drawings, views, strict=True)
    ]
    inference = model.infer(np.concatenate(images))
    most = max(len(each) for each in images)
    features = np.full((len(drawings), most, len(NAMES)), np.nan)
    probabilities = np.zeros((len(drawings), most, len(model.label_names)))
    at = 0
    for n, parts in enumerate(views):
        some = slice(at, at := at + 1 + len(parts))
        left_out = [(1, 0, 0, 0), *((0, p.share, p.turn, p.leftward) for p in parts)]
        looks = np.stack([inference.log_likelihood[some], inference.excess[some]], 1)
        features[n, : 1 + len(parts)] = np.hstack([looks, left_out])
        probabilities[n, : 1 + len(parts)] = inference.label_probabilities[some]
    return features, probabilities


def weights_of(features: np.ndarray, constants: np.ndarray) -> np.ndarray:
    """Return how much each view is believed, shape (N, V); each row sums to 1."""
    beliefs = np.where(np.isnan(features[..., 0]), -np.inf, np.nan_to_num(features) @ constants)
    weights = np.exp(beliefs - beliefs.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def mixed(features: np.ndarray, probabilities: np.ndarray, constants: np.ndarray) -> np.ndarray:
    """Return p(label | drawing), shape (N, C)."""
    return np.einsum("nv,nvc->nc", weights_of(features, constants), probabilities)


def fitted(features: np.ndarray, probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Find the constants under which the drawings' labels are most probable, shape (6,)."""
    scaled = features / SCALES
    of_truth = probabilities[np.arange(len(labels)), :, labels]  # (N, V)

    def loss(constants: np.ndarray) -> tuple[float, np.ndarray]:
        weights = weights_of(scaled, constants)
        truth = (weights * of_truth).sum(1, keepdims=True).clip(LEAST)
        slope = weights * (of_truth - truth) / truth
        gradient = -np.einsum("nv,nvf->f", slope, np.nan_to_num(scaled)) / len(labels)
        before = np.where(OF_LOOKS, 0, constants)
        caution = CAUTION * (before @ before)
        return float(-np.log(truth).mean() + caution), gradient + 2 * CAUTION * before

    start = np.array([5.0, -5.0, 1.0, 0.0, 0.0, 0.0])
    return minimize(loss, start, jac=True, method="L-BFGS-B").x / SCALES


if __name__ == "__main__":
    main()
