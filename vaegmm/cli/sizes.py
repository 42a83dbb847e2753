"""`vaegmm sizes`: mixtures of several sizes on one model."""

from __future__ import annotations

import argparse
import json
import signal
from typing import Any

from vaegmm.cli.options import add_checkpoint, load_model, whole_numbers
from vaegmm.cli.output import say


def add(commands: Any) -> None:
    """Add `sizes` to the command line."""
    command = commands.add_parser("sizes", help="measure mixtures of several sizes on a model")
    add_checkpoint(command)
    command.add_argument(
        "--data", help="whose images they are measured on (default: only the stored z)"
    )
    command.add_argument(
        "--components", default="5,10,20,30,50,100,150,200", help="how many, by commas"
    )
    command.add_argument(
        "--types", default="full", help="of covariances: full, tied, diag, spherical, by commas"
    )
    command.add_argument(
        "--out", metavar="FILE", help="where they are kept (default: beside the checkpoint)"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure mixtures of several sizes."""
    from vaegmm import data, sizes

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    model = load_model(options)
    dataset = None if options.data is None else data.load(options.data)
    path = options.out or sizes.path_beside(options.checkpoint)
    components = whole_numbers(options.components, "components")
    types = options.types.split(",")
    known = sizes.read(path, model)
    for size in sizes.sweep(model, dataset, components, types, known=known):
        sizes.append(path, model, size)
        say(f"{size.n_components} components, {size.covariance_type}: BIC {size.bic:.0f}", 0)
    found = sizes.read(path, model)
    if options.json:
        return print(json.dumps([size._asdict() for size in found], indent=1))
    for size in found:
        held_out = "" if size.log_likelihood is None else f", held-out {size.log_likelihood:.4f}"
        accuracy = "".join(f", {value:.4f} with {n} labels" for n, value in size.accuracies.items())
        figures = f"BIC {size.bic:.0f}, AIC {size.aic:.0f}{held_out}{accuracy}"
        print(f"{size.n_components:>4} {size.covariance_type}: {figures}")
