"""`vaegmm queue`: which trainings wait, and how many run at once."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add `queue` to the command line."""
    command = commands.add_parser("queue", help="list the trainings that wait")
    command.add_argument("--folder", help="the folder of runs (default: VAEGMM_RUNS, or runs/)")
    command.add_argument("--at-once", type=int, metavar="N", help="let N train side by side")
    command.add_argument("--first", metavar="RUN", help="let this one start next")
    command.add_argument("--cancel", metavar="RUN", help="let this one wait no longer")
    command.add_argument(
        "--supervise",
        action="store_true",
        help="start what waits as places get free, until nothing waits; "
        "whoever adds to the queue starts a process that does this",
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Change the queue as asked, and print it."""
    from vaegmm.runs import Run, queue, runs_folder, sound_runs

    folder = Path(options.folder or runs_folder())
    if options.supervise:
        return queue.supervise(folder)
    if options.cancel:
        queue.cancel(Run.open(folder / Path(options.cancel).name))
    if options.first:
        queue.move(Run.open(folder / Path(options.first).name), 1)
    if options.at_once is not None:
        queue.change_settings(options.at_once, folder)
    queue.ensure(folder)
    active = [run for run in sound_runs(folder) if run.is_active]
    rows = [(run, run.status.state) for run in active + queue.waiting(folder)]
    at_once = queue.settings(folder).at_once
    if options.json:
        runs = [{"name": run.name, "title": run.title, "state": state} for run, state in rows]
        print(json.dumps({"at_once": at_once, "runs": runs}, indent=1))
        return
    for run, state in rows:
        print(f"{state:9} {run.name}  {run.title}")
    if not rows:
        print("nothing trains, and nothing waits")
