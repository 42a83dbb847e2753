"""`vaegmm curves`: the losses of runs as a table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add `curves` to the command line."""
    command = commands.add_parser("curves", help="write the losses of runs, epoch by epoch")
    command.add_argument("runs", nargs="+", metavar="RUN", help="directories of runs")
    command.add_argument(
        "--csv", metavar="FILE", required=True, help="where they are written; - prints them"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write losses as CSV."""
    from vaegmm.comparison import losses_csv
    from vaegmm.runs import Run

    text = losses_csv(*(Run.open(path) for path in options.runs))
    if options.csv == "-":
        sys.stdout.write(text)
        return
    try:
        Path(options.csv).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ValueError(f"csv must be a file that can be written: {error}.") from error
