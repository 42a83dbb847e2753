"""`vaegmm compare`: what several runs differ in."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaegmm.comparison import Comparison


def add(commands: Any) -> None:
    """Add `compare` to the command line."""
    command = commands.add_parser("compare", help="say what several runs differ in")
    command.add_argument("runs", nargs="+", metavar="RUN", help="directories of runs, two or more")
    command.add_argument("--all", action="store_true", help="also what is the same in all of them")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON: all, and what differs")
    form.add_argument("--csv", action="store_true", help="print CSV: a column a run")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Compare runs."""
    from vaegmm.comparison import compare
    from vaegmm.runs import Run

    if len(options.runs) < 2:
        raise ValueError(f"runs must be two or more to be compared; got {options.runs[0]} alone.")
    comparison = compare([Run.open(path) for path in options.runs])
    if options.json:
        print(json.dumps(comparison.to_dict(), indent=1))
    elif options.csv:
        print(comparison.to_csv(with_equal=options.all), end="")
    else:
        _print(comparison, with_equal=options.all)


def _print(comparison: Comparison, with_equal: bool) -> None:
    """Print a table with a numbered column a run, whose titles may be long."""
    numbers = [str(number) for number in range(1, len(comparison.titles) + 1)]
    for number, title in zip(numbers, comparison.titles, strict=True):
        print(f"{number:>3}  {title}")
    rows = [
        (row.name.replace("_", " "), *map(_said, row.values)) for row in comparison.rows(with_equal)
    ]
    table = [("", *numbers), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    print()
    for name, *values in table if rows else ():
        cells = [value.rjust(width) for value, width in zip(values, widths[1:], strict=True)]
        print("  ".join([name.ljust(widths[0]), *cells]).rstrip())
    if not rows:
        print("They differ in nothing.")
    for group in comparison.groups:
        members = ", ".join(numbers[i] for i in group.members)
        print(f"\n{group.name}, over seeds ({members}):")
        for name, (mean, sd, n) in group.figures.items():
            label = f"{name.replace('_', ' ')}:"
            digits = _digits(mean)
            print(f"  {label:<28}{mean:.{digits}f} ± {sd:.{digits}f}  (n = {n})")


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        # Settings such as 0.002 as they were chosen, figures as far as they tell.
        return min(f"{value:g}", f"{value:.{_digits(value)}f}", key=len)
    return "–" if value is None else str(value)


def _digits(value: float) -> int:
    return 4 if abs(value) < 10 else 1
