"""Compare ways of clustering over seeds, and sizes of a mixture, under one protocol, as tables."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from sklearn.cluster import KMeans

from vaegmm import metrics
from vaegmm.colours import PALETTE
from vaegmm.config import PRESETS, AugmentationConfig, JointConfig, TrainConfig
from vaegmm.data import Dataset, Split
from vaegmm.evaluation import evaluate
from vaegmm.mixture import GaussianMixture
from vaegmm.model import VAEGMM
from vaegmm.projection import PCA
from vaegmm.sizes import Size

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
    kmeans.fit(_flat(dataset.train.in_memory().images))
    return _clustering_figures(kmeans.predict(_flat(dataset.test.images)), _labels(dataset.test))


def _principal_components(dataset: Dataset, seed: int) -> Figures:
    pixels = _flat(dataset.train.in_memory().images)
    pca = PCA.fit(pixels)
    mixture = GaussianMixture(
        len(dataset.label_names), n_init=_N_INIT, init_params="kmeans", random_state=seed
    )
    mixture.fit(pca.transform(pixels, _N_PRINCIPAL))
    clusters = mixture.predict(pca.transform(_flat(dataset.test.images), _N_PRINCIPAL))
    return _clustering_figures(clusters, _labels(dataset.test))


class Method(NamedTuple):
    """One way of clustering or classifying, to be compared."""

    run: Callable[[Dataset, int], Figures]  # with this seed
    settings: dict[str, Any]  # JSON; a result found under others is not this method's


def _trained(config: TrainConfig, changes: dict[str, Any]) -> Method:
    config = replace(config, **changes)

    def run(dataset: Dataset, seed: int) -> Figures:
        validation = dataset.validation.images, _labels(dataset.validation)
        model = VAEGMM(replace(config, seed=seed))
        model.fit(dataset.train.images, validation, dataset.label_names)
        return evaluate(model, dataset.test.images, _labels(dataset.test))

    # As a cell brings them back: JSON knows no tuples.
    return Method(run, json.loads(json.dumps(config.to_dict())))


def methods(**changes: Any) -> dict[str, Method]:
    """Return what is compared, by name: other ways and ours, which is the preset `default`.

    Args:
        changes: settings of every training, such as fewer epochs for a trial.
    """
    default, reference = PRESETS["default"], PRESETS["reference"]
    plain = replace(default, joint=JointConfig(), augmentation=AugmentationConfig())
    kept = {"n_init": _N_INIT}
    return {
        "k-means on pixels": Method(_k_means, kept),
        f"PCA to {_N_PRINCIPAL} + mixture": Method(_principal_components, kept),
        "autoencoder + mixture": _trained(replace(plain, kl_weight=0.0), changes),
        "VAE + mixture": _trained(plain, changes),
        "reference": _trained(reference, changes),
        "default": _trained(default, changes),
    }


def ablations(**changes: Any) -> dict[str, Method]:
    """Return the preset `default`, and what it is without each of its ingredients, by name."""
    default = PRESETS["default"]
    joint, views = default.joint, default.augmentation
    without = {
        "the joint stage": replace(default, joint=JointConfig()),
        "views": replace(default, augmentation=AugmentationConfig()),
        "added strokes": replace(default, augmentation=replace(views, flags=0.0, bars=0.0)),
        "the views' information": replace(default, joint=replace(joint, consistency=0.0)),
        "several starts": replace(default, joint=replace(joint, n_init=1)),
        "decay of the learning rate": replace(default, learning_rate_decay=0.0),
        "warm-up of the KL": replace(default, kl_warmup=0.0),
    }
    return {
        "default": _trained(default, changes),
        **{f"without {name}": _trained(config, changes) for name, config in without.items()},
    }


def run(
    datasets: list[Dataset],
    seeds: int,
    out: str | Path,
    compared: dict[str, Method] | None = None,
) -> Iterator[tuple[str, str, int, Figures]]:
    """Run every cell that has no result yet; yield each as (data, method, seed, figures).

    A cell is one method on one data set with one seed, and one JSON file in `out`: what was
    interrupted goes on where it stopped, and a finished cell is not run again unless its method's
    settings have changed.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for dataset in datasets:
        for name, method in (compared or methods()).items():
            for seed in range(seeds):
                path = folder / f"{dataset.name}-{_file_name(name)}-{seed}.json"
                cell = _read_cell(path)
                if cell.get("settings") != method.settings:
                    began = time.perf_counter()
                    figures = method.run(dataset, seed)
                    figures["seconds"] = time.perf_counter() - began
                    cell = {"figures": figures, "settings": method.settings}
                    _write(path, json.dumps(cell, indent=1))
                yield dataset.name, name, seed, cell["figures"]


def _read_cell(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def sweep_table(sizes: list[Size]) -> str:
    """Lay out what `sweep` yields as a Markdown table."""
    header = ["components", "BIC", "held-out log-likelihood, nats"]
    header += [f"{n:,} labels" for n in sizes[0].accuracies]
    lines = [_line(header), _line(["---"] * len(header))]
    for size in sizes:
        assert size.log_likelihood is not None  # measured with images
        accuracies = (f"{accuracy:.4f}" for accuracy in size.accuracies.values())
        figures = f"{size.bic:.0f}", f"{size.log_likelihood:.4f}", *accuracies
        lines.append(_line([str(size.n_components), *figures]))
    return "\n".join(lines) + "\n"


def save_sweep(sizes: list[Size], out: str | Path) -> Path:
    """Write table and figure as components.md and components.html; return the figure's path."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "components.md", sweep_table(sizes))
    figure = _sweep_figure(
        [size.n_components for size in sizes],
        [size.bic for size in sizes],
        [size.log_likelihood for size in sizes if size.log_likelihood is not None],
        {n: [size.accuracies[n] for size in sizes] for n in sizes[0].accuracies},
    )
    _write(folder / "components.html", figure.to_html())
    return folder / "components.html"


def _sweep_figure(
    components: Sequence[int],
    bic: Sequence[float],
    log_likelihood: Sequence[float],
    accuracies: Mapping[int, Sequence[float]],
) -> go.Figure:
    """Draw what mixtures of several sizes give: BIC, held-out likelihood and classification.

    Args:
        components: the sizes K.
        bic: the Bayesian information criterion of each; the lowest is marked.
        log_likelihood: of held-out z, in nats an image; the highest is marked.
        accuracies: for each number of labels, the accuracy with each size, in [0, 1].
    """
    titles = ("BIC, in thousands", "held-out log-likelihood, nats", "accuracy by number of labels")
    figure = make_subplots(rows=1, cols=3, subplot_titles=titles, horizontal_spacing=0.06)
    thousands, likelihoods = np.asarray(bic) / 1000, np.asarray(log_likelihood)
    curves = (thousands, thousands.argmin()), (likelihoods, likelihoods.argmax())
    for column, (curve, best) in enumerate(curves, start=1):
        sizes = np.full(len(curve), 6)
        sizes[best] = 13
        figure.add_scatter(
            x=list(components),
            y=curve,
            mode="lines+markers",
            line={"color": PALETTE[9], "width": 2},
            marker={"size": sizes},
            showlegend=False,
            hovertemplate="%{x} components: %{y:.2f}<extra></extra>",
            row=1,
            col=column,
        )
    for index, (n_labels, values) in enumerate(accuracies.items()):
        figure.add_scatter(
            x=list(components),
            y=list(values),
            mode="lines+markers",
            line={"color": PALETTE[index % len(PALETTE)], "width": 2},
            name=f"{n_labels:,} labels",
            hovertemplate="%{x} components: %{y:.2%}<extra>%{fullData.name}</extra>",
            row=1,
            col=3,
        )
    figure.update_xaxes(type="category", title="components", showgrid=False)
    figure.update_yaxes(tickformat=".0%", col=3)
    figure.update_layout(
        height=380,
        margin={"l": 48, "r": 8, "t": 40, "b": 0},
        template="plotly_white",  # it is a file of its own, on no page with a theme
    )
    return figure


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
