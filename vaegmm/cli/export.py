"""`vaegmm export`: a model as a page of its own."""

from __future__ import annotations

import argparse
import json
from typing import Any

from vaegmm.cli.options import add_checkpoint, load_model


def add(commands: Any) -> None:
    """Add `export` to the command line."""
    command = commands.add_parser("export", help="write a page that runs a model in any browser")
    add_checkpoint(command)
    command.add_argument(
        "--html", metavar="FILE", required=True, help="the page; it opens from disk, offline"
    )
    command.add_argument("--title", help="what the page calls the model (default: its data set)")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write a model as a page."""
    from vaegmm.browser.export import export_html

    size = export_html(load_model(options), options.html, options.title)
    if options.json:
        print(json.dumps({"html": options.html, "bytes": size}, indent=1))
    else:
        print(f"{options.html}  ({size / 1e6:.1f} MB)")
