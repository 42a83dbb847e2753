"""`vaegmm adapt`: a model that has learned a hand."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vaegmm.cli.options import add_checkpoint, load_model
from vaegmm.cli.output import print_facts


def add(commands: Any) -> None:
    """Add `adapt` to the command line."""
    command = commands.add_parser("adapt", help="let a model learn a hand from labelled drawings")
    add_checkpoint(command)
    command.add_argument(
        "--data",
        metavar="FILE",
        required=True,
        help="what the Draw page lets you download, or any FILE.npz or FOLDER with labels",
    )
    command.add_argument("--out", metavar="CHECKPOINT", required=True, help="the adapted model")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Let a model learn a hand."""
    from vaegmm import data
    from vaegmm.adaptation import learn, worth

    model = load_model(options)
    is_file = Path(options.data).suffix == ".npz"  # which may hold less than a data set
    split = data.read_npz(options.data) if is_file else data.load(options.data).everything
    if split.labels is None:
        raise ValueError(f"data must have labels to learn from; {options.data} has none.")
    drawings = [
        strokes or image
        for strokes, image in zip(split.strokes or [[]] * len(split), split.images, strict=True)
    ]
    labels = split.labels.tolist()
    adapted = learn(model, drawings, labels)
    adapted.save(options.out)
    value = worth(model, drawings, labels)
    facts: dict[str, Any] = {"checkpoint": options.out, "adapted_with": adapted.n_examples}
    if value is not None:
        facts["left_one_out"] = {
            "accuracy": value.before,
            "accuracy_adapted": value.after,
            "n_drawings": value.of,
        }
    print_facts(facts, options)
