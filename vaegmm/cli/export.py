"""`vaegmm export`: a model as a page of its own, or a run for TensorBoard."""

from __future__ import annotations

import argparse
import json
from typing import Any

from vaegmm.cli.options import add_checkpoint, load_model


def add(commands: Any) -> None:
    """Add `export` to the command line."""
    command = commands.add_parser(
        "export", help="write a page that runs a model in any browser, or a run for TensorBoard"
    )
    add_checkpoint(command)
    to = command.add_mutually_exclusive_group(required=True)
    to.add_argument("--html", metavar="FILE", help="the page; it opens from disk, offline")
    to.add_argument(
        "--tensorboard",
        metavar="DIR",
        help="where event files of a run, whose directory CHECKPOINT then is, are written",
    )
    command.add_argument("--title", help="what the page calls the model (default: its data set)")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write a model as a page, or a run as event files."""
    if options.tensorboard:
        return _export_run(options)
    from vaegmm.browser.export import export_html

    size = export_html(load_model(options), options.html, options.title)
    if options.json:
        print(json.dumps({"html": options.html, "bytes": size}, indent=1))
    else:
        print(f"{options.html}  ({size / 1e6:.1f} MB)")


def _export_run(options: argparse.Namespace) -> None:
    from vaegmm.runs import Run
    from vaegmm.tensorboard import export

    folder = export(Run.open(options.checkpoint), options.tensorboard)
    if options.json:
        print(json.dumps({"tensorboard": str(folder)}, indent=1))
    else:
        print(f"{folder}  (look at it with: tensorboard --logdir {options.tensorboard})")
