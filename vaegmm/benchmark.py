"""Compare ways of clustering over seeds, and sizes of a mixture, under one protocol, as tables."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import KMeans

from vaegmm import metrics
from vaegmm.config import PRESETS, JointConfig, TrainConfig
from vaegmm.data import Dataset, Split
from vaegmm.evaluation import evaluate
from vaegmm.labelling import name_components
from vaegmm.mixture import GaussianMixture
from vaegmm.model import VAEGMM
from vaegmm.projection import PCA

Figures = dict[str, Any]

_N_PRINCIPAL = 8  # as many as the autoencoder has latents
_N_INIT = 5  # starts of a clustering; its own objective chooses among them
_COLUMNS = {
    "clustering_accuracy": "clustering accuracy",
    "nmi": "NMI",
    "ari": "ARI",
    "classification_accuracy": "classification accuracy",
    "expected_calibration_error": "ECE",
    "cross_entropy": "CE, nats",
    "seconds": "time, s",
}


def _labels(split: Split) -> np.ndarray:
    if split.labels is None:
        raise ValueError("data must have labels to be scored by; this has none.")
    return split.labels


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float64) / 255


def _clustering_figures(clusters: np.ndarray, labels: np.ndarray) -> Figures:
    return {
        "clustering_accuracy": metrics.clustering_accuracy(clusters, labels),
        "nmi": metrics.normalized_mutual_information(clusters, labels),
        "ari": metrics.adjusted_rand_index(clusters, labels),
    }


def _k_means(dataset: Dataset, seed: int) -> Figures:
    kmeans = KMeans(len(dataset.label_names), n_init=_N_INIT, random_state=seed)
    kmeans.fit(_flat(dataset.train.images))
    return _clustering_figures(kmeans.predict(_flat(dataset.test.images)), _labels(dataset.test))


def _principal_components(dataset: Dataset, seed: int) -> Figures:
    pixels = _flat(dataset.train.images)
    pca = PCA.fit(pixels)
    mixture = GaussianMixture(len(dataset.label_names), n_init=_N_INIT, random_state=seed)
    mixture.fit(pca.transform(pixels, _N_PRINCIPAL))
    clusters = mixture.predict(pca.transform(_flat(dataset.test.images), _N_PRINCIPAL))
    return _clustering_figures(clusters, _labels(dataset.test))


def _trained(config: TrainConfig) -> Callable[[Dataset, int], Figures]:
    def run(dataset: Dataset, seed: int) -> Figures:
        validation = dataset.validation.images, _labels(dataset.validation)
        model = VAEGMM(replace(config, seed=seed))
        model.fit(dataset.train.images, validation, dataset.label_names)
        return evaluate(model, dataset.test.images, _labels(dataset.test))

    return run


def methods(**changes: Any) -> dict[str, Callable[[Dataset, int], Figures]]:
    """Return what is compared, by name.

    Args:
        changes: settings of every training, such as fewer epochs for a trial.
    """
    default = PRESETS["default"]
    configs = {
        "autoencoder + mixture": replace(
            default, kl_weight=0.0, joint=JointConfig(), augmentation=PRESETS["quick"].augmentation
        ),
        "VAE + mixture": replace(default, joint=JointConfig()),
        "reference": PRESETS["reference"],
        "default": default,
    }
    return {
        "k-means on pixels": _k_means,
        f"PCA to {_N_PRINCIPAL} + mixture": _principal_components,
        **{name: _trained(replace(config, **changes)) for name, config in configs.items()},
    }


def run(
    datasets: list[Dataset],
    seeds: int,
    out: str | Path,
    compared: dict[str, Callable[[Dataset, int], Figures]] | None = None,
) -> Iterator[tuple[str, str, int, Figures]]:
    """Run every cell that has no result yet; yield each as (data, method, seed, figures).

    A cell is one method on one data set with one seed, and one JSON file in `out`: what was
    interrupted goes on where it stopped, and a finished cell is not run again.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for dataset in datasets:
        for name, method in (compared or methods()).items():
            for seed in range(seeds):
                path = folder / f"{dataset.name}-{_file_name(name)}-{seed}.json"
                if path.exists():
                    figures = json.loads(path.read_text(encoding="utf-8"))
                else:
                    began = time.perf_counter()
                    figures = method(dataset, seed)
                    figures["seconds"] = time.perf_counter() - began
                    _write(path, json.dumps(figures, indent=1))
                yield dataset.name, name, seed, figures


def sweep(
    model: VAEGMM,
    dataset: Dataset,
    components: Sequence[int] = (5, 10, 20, 30, 50, 100, 150, 200),
    labels: Sequence[int] = (10, 100, 1000, 5000),
    seed: int = 0,
) -> Iterator[Figures]:
    """Measure mixtures of several sizes on the latents of one model.

    Yields, for each number of components: BIC on the stored z, the mean log-likelihood of the
    held-out z in nats, and the accuracy of classification under each number of labels, which are
    drawn from the validation images.
    """
    truth, validation = _labels(dataset.test), dataset.validation
    held_out = model.encode(dataset.test.images, sample=True, seed=seed)
    order = np.random.default_rng(seed).permutation(len(validation))
    named, named_labels = validation.images[order], _labels(validation)[order]
    for n_components in components:
        other = model.refit(n_components, seed=seed, n_init=1)
        mixture = other.mixture
        figures: Figures = {
            "components": n_components,
            "bic": mixture.bic(model.latents.astype(np.float64)),
            "held_out_log_likelihood": mixture.score(held_out),
        }
        known = other.responsibilities(named)
        asked = other.responsibilities(dataset.test.images)
        for n_labels in (n for n in labels if n <= len(named)):
            names = name_components(
                known[:n_labels], named_labels[:n_labels], len(dataset.label_names)
            )
            predicted = names.label_probabilities(asked).argmax(1)
            figures[f"accuracy_with_{n_labels}_labels"] = metrics.accuracy(predicted, truth)
        yield figures


def sweep_table(rows: list[Figures]) -> str:
    """Lay out what `sweep` yields as a Markdown table."""
    names = list(rows[0])
    lines = [_line([name.replace("_", " ") for name in names]), _line(["---"] * len(names))]
    for row in rows:
        counts = [str(row["components"]), f"{row['bic']:.0f}"]
        lines.append(_line([*counts, *(f"{row[name]:.4f}" for name in names[2:])]))
    return "\n".join(lines) + "\n"


def table(cells: list[tuple[str, str, int, Figures]]) -> str:
    """Lay out cells as a Markdown table: mean ± standard deviation (minimum) over the seeds."""
    rows: dict[tuple[str, str], list[Figures]] = {}
    for data, name, _, figures in cells:
        rows.setdefault((data, name), []).append(figures)
    header = ["data", "method", "seeds", *_COLUMNS.values()]
    lines = [_line(header), _line(["---"] * len(header))]
    for (data, name), seeds in rows.items():
        values = [_summary([f[key] for f in seeds if key in f], key) for key in _COLUMNS]
        lines.append(_line([data, name, str(len(seeds)), *values]))
    return "\n".join(lines) + "\n"


def save_table(cells: list[tuple[str, str, int, Figures]], out: str | Path) -> Path:
    """Write the table beside the cells, as table.md; return its path."""
    path = Path(out) / "table.md"
    _write(path, table(cells))
    return path


def _summary(values: list[float], key: str) -> str:
    if not values:
        return ""
    if key in ("seconds", "cross_entropy"):
        return f"{np.mean(values):.1f}"
    text = f"{np.mean(values):.4f}"
    if len(values) > 1:
        text += f" ± {np.std(values, ddof=1):.4f} ({min(values):.4f})"
    return text


def _line(entries: list[str]) -> str:
    return f"| {' | '.join(entries)} |"


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _write(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    temporary = path.with_suffix(".part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
