"""`vaegmm evaluate`: a model's figures on held-out images."""

from __future__ import annotations

import argparse
from typing import Any

from vaegmm.cli.options import add_checkpoint, load_model
from vaegmm.cli.output import print_facts, say


def add(commands: Any) -> None:
    """Add `evaluate` to the command line."""
    command = commands.add_parser("evaluate", help="score a model on held-out images")
    add_checkpoint(command)
    command.add_argument(
        "--data", help="mnist, fashion, digits, FILE.npz, FOLDER (default: what it was trained on)"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Score a model."""
    from vaegmm import data
    from vaegmm.evaluation import evaluate

    model = load_model(options)
    trained_on = model.provenance.get("data", {})
    dataset = data.load(options.data or trained_on.get("name") or "mnist")
    # One's own file is scored whole, unless the model has seen some of it.
    held_out = dataset.name in data.NAMES or trained_on.get("fingerprint") == dataset.fingerprint
    split = dataset.test if held_out else dataset.everything
    if split.labels is None:
        say(f"{dataset.title} has no labels: only what needs none is measured.", 0)
    elif model.names is None:
        say(f"{options.checkpoint} was trained without labels: it cannot classify.", 0)
    facts = {
        "checkpoint": options.checkpoint,
        "data": dataset.name,
        "split": "test" if held_out else "all",
        **evaluate(model, split.images, split.labels, strokes=split.strokes),
    }
    if facts.get("n_learned"):
        say(
            f"{options.checkpoint} is adapted, and {facts['n_learned']} of these "
            f"{facts['n_images']} images are among its examples: it knows their labels.",
            0,
        )
    print_facts(facts, options)
