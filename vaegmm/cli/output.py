"""What commands print."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any


def say(message: object, exit_code: int) -> int:
    """Say something beside the output, and return the exit code."""
    print(f"vaegmm: {message}", file=sys.stderr)
    return exit_code


def print_facts(facts: dict[str, Any], options: argparse.Namespace) -> None:
    """Print facts as JSON or as a table, as `options.json` says."""
    if options.json:
        print(json.dumps(facts, indent=1))
    else:
        print_figures(facts)


def print_figures(figures: dict[str, Any], indent: str = "") -> None:
    """Print figures as a table, nested ones indented."""
    for name, value in figures.items():
        label = f"{indent}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            print(f"{label}:")
            print_figures(value, indent + "  ")
        elif isinstance(value, float):
            print(f"{label + ':':<32}{value:.4f}")
        elif isinstance(value, list | tuple):
            print(f"{label + ':':<32}{', '.join(map(str, value))}")
        else:
            print(f"{label + ':':<32}{value}")


def print_table(rows: list[dict[str, Any]], columns: dict[str, str]) -> None:
    """Print a line for each row, with the values of these columns under what they are called."""
    lines = [list(columns.values())]
    lines += [[_cell(row.get(name)) for name in columns] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        first, *others = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        print("  ".join(cells))


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
