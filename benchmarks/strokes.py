"""Read digits drawn with a pen as the Draw page does: cold, and after some drawings of one's own.

    python benchmarks/strokes.py CHECKPOINT [--strokes FILE.jsonl.gz] [--choose]

Prints, as the Markdown of docs/experiments.md,

- accuracy of the drawings as they are, with several widths of our own pen, and with their parts;
- accuracy after so many drawings of the same hand, of that hand's other drawings. Which are learned
  is drawn at random, several times; 0 is cold. Every constant by which views are believed
  (vaegmm/reading.py) and examples vote (vaegmm/examples.py) is chosen, in the first column, by the
  drawings of other writers: in six folds, whose writers had no say;
- the share of drawings that the model would turn away, and how often the same drawing elsewhere and
  in another size gives the same digit.

With --choose it prints what each spread and mass of an example gives: of the same hand, and of
MNIST's test images, which are of other hands and should be read as before. What is good for both is
to be written into vaegmm/examples.py and examples.js when another model is shipped.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import views

import vaegmm
from vaegmm import data
from vaegmm.examples import MASS, SPREAD, Examples, with_votes
from vaegmm.inference import Inference
from vaegmm.preprocess import PEN_WIDTH, digit_from_strokes
from vaegmm.reading import STRANGE, read_strokes

STROKES = Path(__file__).resolve().parents[2] / "shared/data/strokes/pen_digits_dev.jsonl.gz"
FOLDS = 6
LEARNED = (0, 5, 10, 20, 30)  # drawings of one's own
ORDERS = 4  # in which they are learned
SPREADS = (0.3, 0.4, 0.6)
MASSES = (0.02, 0.05)


def main() -> None:
    """Print the tables."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--strokes", type=Path, default=STROKES)
    parser.add_argument("--choose", action="store_true", help="only compare an example's constants")
    options = parser.parse_args()
    model = vaegmm.load(options.checkpoint)
    with gzip.open(options.strokes, "rt") as lines:
        drawings = [json.loads(line) for line in lines]
    if options.choose:
        choose(model, drawings)
    else:
        print_cold(model, drawings)
        print_learned(model, drawings)
        print_invariance(model, drawings)


def print_cold(model: vaegmm.VAEGMM, drawings: list[dict[str, Any]]) -> None:
    """Print what is read of drawings that nothing was learned from."""
    labels = np.array([drawing["label"] for drawing in drawings])
    print("| pen width, pixels | accuracy | of each digit, 0 to 9 |\n|---|---|---|")
    for width in (1.8, PEN_WIDTH, 3.0):
        print_row(f"{width}", model.predict(images_of(drawings, width)), labels)
    read = np.array([read_strokes(model, drawing["strokes"]).label for drawing in drawings])
    print_row(f"{PEN_WIDTH}, and parts", read, labels)


def print_row(title: str, predicted: np.ndarray, labels: np.ndarray) -> None:
    """Print accuracy, and that of each digit."""
    each = (f"{(predicted[labels == k] == k).mean():.2f}" for k in range(10))
    print(f"| {title} | {(predicted == labels).mean():.4f} | {' '.join(each)} |")


def print_learned(model: vaegmm.VAEGMM, drawings: list[dict[str, Any]]) -> None:
    """Print accuracy after some drawings of one's own."""
    looks = Looks.of(model, drawings)
    weights = [looks.weights_without(fold) for fold in range(FOLDS)]
    hits = hits_of(looks, weights, settings())
    held_out = np.empty_like(hits[0, 0])
    for fold in range(FOLDS):
        # The constants of the reading, by which these are chosen and judged, are such too.
        is_own = looks.fold_of_writer == fold
        best = np.nanmean(hits[:, fold, 1:, ~is_own], (0, 2)).argmax()
        held_out[:, is_own] = hits[best, fold, :, is_own].T
    shipped = hits_of(looks, [looks.weights], [(SPREAD, MASS)])[0, 0]
    print("\n| drawings of one's own | accuracy, by constants of other writers | as shipped |")
    print("|---|---|---|")
    for n, other, own in zip(LEARNED, mean(held_out), mean(shipped), strict=True):
        print(f"| {n} | {other:.4f} | {own:.4f} |")


def choose(model: vaegmm.VAEGMM, drawings: list[dict[str, Any]]) -> None:
    """Print accuracy for each spread and mass of an example, here and elsewhere."""
    looks = Looks.of(model, drawings)
    hits = hits_of(looks, [looks.weights], settings())[:, 0]
    test = data.load("mnist").test
    some = test.take(np.arange(0, len(test), 8))
    inference = model.infer(some.images)
    labels = np.asarray(some.labels)
    elsewhere = (inference.label_probabilities.argmax(1) == labels).mean()
    print(f"of MNIST's test images, before: {elsewhere:.4f}\n")
    print(f"| spread | mass | after {', '.join(map(str, LEARNED[1:]))} | mean | MNIST, after 30 |")
    print("|---|---|---|---|---|")
    for (spread, mass), each in zip(settings(), hits, strict=True):
        after = mean(each)[1:]
        shown = " ".join(f"{accuracy:.4f}" for accuracy in after)
        others = accuracy_elsewhere(looks, inference, labels, spread, mass)
        print(f"| {spread} | {mass} | {shown} | {after.mean():.4f} | {others:.4f} |", flush=True)
    print(f"\nnow: SPREAD = {SPREAD}, MASS = {MASS}")


def accuracy_elsewhere(
    looks: Looks, inference: Inference, labels: np.ndarray, spread: float, mass: float
) -> float:
    """Return accuracy of other images once each writer's first 30 drawings are learned."""
    likelihoods = [looks.model.mixture.score_samples(points) for points in inference.points]
    found = []
    for writer in range(len(looks.fold_of_writer)):
        own = np.flatnonzero(looks.writer == writer)[:30]
        together = np.concatenate([looks.points[n][0] for n in own])
        seen = ~np.isnan(looks.features[own][..., 0])
        examples = examples_of(looks.model, spread, mass).with_more(
            together, np.repeat(looks.labels[own], seen.sum(1)), looks.weights[own][seen]
        )
        votes = [
            examples.votes(points, likelihood, inference.label_probabilities.shape[1])
            for points, likelihood in zip(inference.points, likelihoods, strict=True)
        ]
        said = with_votes(inference.label_probabilities, np.mean(votes, axis=0))
        found.append((said.argmax(1) == labels).mean())
    return float(np.mean(found))


def examples_of(model: vaegmm.VAEGMM, spread: float, mass: float) -> Examples:
    """Return no examples yet, as wide and as heavy as asked for."""
    none = Examples.beside(model.mixture)
    return replace(none, covariance=none.covariance * spread / SPREAD, mass=mass)


def mean(hits: np.ndarray) -> np.ndarray:
    """Return accuracy for each number of learned drawings, shape (L,): all writers count alike."""
    return np.nanmean(hits, axis=1)


def settings() -> list[tuple[float, float]]:
    """Return the spreads and masses among which is chosen."""
    return [(spread, mass) for spread in SPREADS for mass in MASSES]


@dataclass
class Looks:
    """All views of all drawings, looked at once."""

    model: vaegmm.VAEGMM
    labels: np.ndarray  # (N,)
    writer: np.ndarray  # (N,) from 0
    fold_of_writer: np.ndarray  # (W,)
    features: np.ndarray  # (N, V, F) what each view's belief is a sum of
    probabilities: np.ndarray  # (N, V, C) p(label | view) without examples
    weights: np.ndarray  # (N, V) how much each view is believed, as shipped
    points: list[np.ndarray]  # of each drawing, (5, its views, D)

    @classmethod
    def of(cls, model: vaegmm.VAEGMM, drawings: list[dict[str, Any]]) -> Looks:
        """Look at drawings."""
        strokes = [drawing["strokes"] for drawing in drawings]
        features, probabilities = views.views_of(model, strokes)
        points, weights = [], np.zeros(features.shape[:2])
        for row, each in zip(weights, strokes, strict=True):
            seen = read_strokes(model, each).views
            row[: len(seen)] = [view.weight for view in seen]
            points.append(model.infer(np.stack([view.image for view in seen])).points)
        writers, writer = np.unique([each["writer"] for each in drawings], return_inverse=True)
        folds = np.random.default_rng(0).permutation(len(writers)) % FOLDS
        labels = np.array([drawing["label"] for drawing in drawings])
        return cls(model, labels, writer, folds, features, probabilities, weights, points)

    def weights_without(self, fold: int) -> np.ndarray:
        """Weigh the views by constants that the writers of all other folds are read best with."""
        others = self.fold_of_writer[self.writer] != fold
        constants = views.fitted(
            self.features[others], self.probabilities[others], self.labels[others]
        )
        return views.weights_of(self.features, constants)


def hits_of(
    looks: Looks, believed: list[np.ndarray], chosen: list[tuple[float, float]]
) -> np.ndarray:
    """Measure accuracy with views weighed in R ways and S settings of examples.

    Returns:
        Of each number of learned drawings and each writer, shape (S, R, L, W); NaN where a writer
        has not drawn as many.
    """
    weights = np.stack(believed)  # (R, N, V)
    n_writers = len(looks.fold_of_writer)
    hits = np.full((len(chosen), len(believed), len(LEARNED), n_writers), np.nan)
    for writer in range(n_writers):
        own = np.flatnonzero(looks.writer == writer)
        for s, (spread, mass) in enumerate(chosen):
            reader = Reader(looks, own, weights[:, own], spread, mass)
            for i, n in enumerate(LEARNED):
                if n < len(own):
                    found = [reader.accuracy(*each) for each in orders(len(own), n, writer)]
                    hits[s, :, i, writer] = np.mean(found, axis=0)
    return hits


def orders(n_drawings: int, n_learned: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield which drawings are learned and which are read, several times."""
    rng = np.random.default_rng(seed)
    for _ in range(ORDERS if n_learned else 1):
        order = rng.permutation(n_drawings)
        yield order[:n_learned], order[n_learned:]


class Reader:
    """Reads the drawings of one hand with some of them learned: `read_strokes` after `learn`."""

    def __init__(
        self, looks: Looks, own: np.ndarray, weights: np.ndarray, spread: float, mass: float
    ) -> None:
        model, points = looks.model, [looks.points[n] for n in own]
        n_views = [each.shape[1] for each in points]
        self.labels = looks.labels[own]
        self.asked = np.repeat(np.arange(len(own)), n_views)
        together = np.concatenate(points, axis=1)  # (5, views of all, D)
        examples = examples_of(model, spread, mass).with_more(
            together[0], np.repeat(self.labels, n_views), np.ones(len(self.asked))
        )
        flat = together.reshape(-1, together.shape[2])
        joint = examples.log_joint(flat) - model.mixture.score_samples(flat)[:, None]
        joint = np.exp(joint.clip(max=500))  # relative to the mixture
        seen = ~np.isnan(looks.features[own][..., 0])
        # How each view counts for its drawing, (R, views of all, drawings): in what is said of it,
        # and as an example.
        self.weights = weights[:, seen][:, :, None] * np.eye(len(own))[self.asked]
        self.joint = joint @ self.weights  # (R, 5 · views of all, drawings)
        self.probabilities = looks.probabilities[own][seen]

    def accuracy(self, learned: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Return the share of some drawings that is read rightly once others are learned, (R,)."""
        n_classes = self.probabilities.shape[1]
        joint = self.joint[:, :, learned] @ np.eye(n_classes)[self.labels[learned]]
        votes = joint / (1 + joint.sum(2, keepdims=True))
        votes = votes.reshape(len(votes), 5, -1, n_classes).mean(1)
        mixed = (1 - votes.sum(2, keepdims=True)) * self.probabilities + votes
        said = self.weights[:, :, asked].transpose(0, 2, 1) @ mixed
        return (said.argmax(2) == self.labels[asked]).mean(1)


def print_invariance(model: vaegmm.VAEGMM, drawings: list[dict[str, Any]]) -> None:
    """Print what is turned away, and whether place and size make a difference."""
    images = images_of(drawings, PEN_WIDTH)
    turned_away = (model.typicality(images) < STRANGE).mean()
    rng = np.random.default_rng(0)
    moved = [
        {"strokes": moved_and_scaled(drawing["strokes"], rng.uniform(0.5, 1.5), rng.normal(size=2))}
        for drawing in drawings
    ]
    same = (model.predict(images_of(moved, PEN_WIDTH)) == model.predict(images)).mean()
    print(f"\nturned away: {turned_away:.4f}; the same after moving and scaling: {same:.4f}")


def images_of(drawings: list[dict[str, Any]], pen_width: float) -> np.ndarray:
    """Bring drawings to MNIST's form, shape (N, 28, 28)."""
    return np.stack([digit_from_strokes(drawing["strokes"], pen_width) for drawing in drawings])


def moved_and_scaled(strokes: Any, scale: float, shift: np.ndarray) -> Any:
    """Return the same drawing elsewhere and in another size."""
    return [(np.array(stroke) * scale + shift).tolist() for stroke in strokes]


if __name__ == "__main__":
    main()
