"""`vaegmm info`: what a checkpoint holds."""

from __future__ import annotations

import argparse
from typing import Any

from vaegmm.cli.options import add_checkpoint, load_model
from vaegmm.cli.output import print_facts


def add(commands: Any) -> None:
    """Add `info` to the command line."""
    command = commands.add_parser("info", help="say what a checkpoint holds")
    add_checkpoint(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print what a checkpoint holds."""
    model = load_model(options)
    facts = {
        "checkpoint": options.checkpoint,
        "n_parameters": model.vae.n_parameters,
        "n_components": len(model.mixture.weights_),
        "label_names": model.label_names,
        "adapted_with": model.n_examples,
        "n_latents": len(model.latents),
        "provenance": model.provenance,
        "metrics": model.metrics,
        "config": model.config.to_dict(),
    }
    print_facts(facts, options)
