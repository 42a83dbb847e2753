"""`vaegmm evaluate`: a model's figures on held-out images, of one data set or of several."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaegmm.cli.options import DATA_HELP, add_checkpoint, load_model
from vaegmm.cli.output import print_facts, print_table, say

if TYPE_CHECKING:
    from vaegmm.data import Dataset
    from vaegmm.model import VAEGMM

# What a table of several data sets shows of each, and how it calls that.
_COLUMNS = {
    "data": "data",
    "split": "split",
    "n_images": "images",
    "classification_accuracy": "classified",
    "expected_calibration_error": "calibration",
    "clustering_accuracy": "clustered",
    "nmi": "NMI",
    "ari": "ARI",
    "cross_entropy": "cross-entropy",
    "mean_typicality": "typicality",
}


def add(commands: Any) -> None:
    """Add `evaluate` to the command line."""
    command = commands.add_parser("evaluate", help="score a model on held-out images")
    add_checkpoint(command)
    command.add_argument(
        "--data",
        help=f"{DATA_HELP}; several by commas make a table (default: what it was trained on)",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Score a model."""
    from vaegmm import data

    model = load_model(options)
    name = options.data or model.provenance.get("data", {}).get("name") or "mnist"
    names = [name] if Path(name).expanduser().exists() else name.split(",")
    datasets = [data.load(name) for name in names]  # what cannot be had is missed at once
    scored = [_score(model, dataset, options) for dataset in datasets]
    if len(scored) == 1:
        print_facts(scored[0], options)
    elif options.json:
        print(json.dumps(scored, indent=1))
    else:
        print_table(scored, _COLUMNS)


def _score(model: VAEGMM, dataset: Dataset, options: argparse.Namespace) -> dict[str, Any]:
    from vaegmm import data
    from vaegmm.evaluation import evaluate, knows_labels

    # One's own file is scored whole, unless the model has seen some of it, or it is larger than
    # memory.
    trained_on = model.provenance.get("data", {}).get("fingerprint")
    held_out = (
        dataset.name in data.NAMES
        or isinstance(dataset.train, data.StoredSplit)
        or trained_on == dataset.fingerprint
    )
    split = dataset.test if held_out else dataset.everything
    # Numbers mean the model's labels of these numbers, except in a data set that has a name.
    are_numbers = dataset.name not in data.NAMES and all(map(str.isdecimal, dataset.label_names))
    label_names = None if are_numbers else dataset.label_names
    if split.labels is None:
        say(f"{dataset.title} has no labels: only what needs none is measured.", 0)
    elif model.names is None:
        say(f"{options.checkpoint} was trained without labels: it cannot classify.", 0)
    elif label_names is not None and not knows_labels(model, label_names):
        say(
            f"the labels of {dataset.title} ({_some(label_names)}) are not those of "
            f"{options.checkpoint} ({_some(model.label_names)}): its clusters are scored, not its "
            "answers.",
            0,
        )
    facts = {
        "checkpoint": options.checkpoint,
        "data": dataset.name,
        "split": "test" if held_out else "all",
        **evaluate(
            model, split.images, split.labels, strokes=split.strokes, label_names=label_names
        ),
    }
    if facts.get("n_learned"):
        say(
            f"{options.checkpoint} is adapted, and {facts['n_learned']} of these "
            f"{facts['n_images']} images are among its examples: it knows their labels.",
            0,
        )
    return facts


def _some(names: tuple[str, ...]) -> str:
    """The first few names, and that there are more."""
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
