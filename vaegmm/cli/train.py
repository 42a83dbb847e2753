"""`vaegmm train`: a training as a process that can be interrupted and resumed."""

from __future__ import annotations

import argparse
import json
import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaegmm.cli.asking import confirm, print_work
from vaegmm.cli.options import DATA_HELP
from vaegmm.cli.output import print_figures, say
from vaegmm.cli.progress_bar import ProgressBar
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.settings import ARCHITECTURE, SETTINGS, change, of_preset

if TYPE_CHECKING:
    from vaegmm.model import VAEGMM
    from vaegmm.runs import Run
    from vaegmm.tensorboard import Board
    from vaegmm.training import Progress


def add(commands: Any) -> None:
    """Add `train` to the command line."""
    command = commands.add_parser("train", help="train autoencoder and mixture")
    command.add_argument("--preset", choices=PRESETS, help="what to train (default: default)")
    command.add_argument("--config", metavar="JSON", help="a whole configuration, or a file of it")
    command.add_argument("--data", help=f"{DATA_HELP} (default: mnist)")
    command.add_argument("--out", metavar="RUN", help="the run's directory (default: in runs/)")
    command.add_argument(
        "--resume", action="store_true", help="go on with the run in --out, as it was configured"
    )
    for name, setting in {**SETTINGS, **ARCHITECTURE}.items():
        command.add_argument(f"--{name.replace('_', '-')}", type=setting.kind, help=setting.help)
    command.add_argument(
        "--attempts",
        type=int,
        metavar="N",
        help="train N seeds and keep the one whose views tell most of each other, which needs no "
        "label; of a training without views, the one with the highest likelihood (default: 1)",
    )
    command.add_argument("--device", help="cpu, cuda, cuda:1, mps (default: the best there is)")
    command.add_argument("--no-film", action="store_true", help="write no film of the training")
    command.add_argument(
        "--tensorboard",
        action="store_true",
        help="write event files to RUN/tensorboard, too; a resumed run goes on with them",
    )
    command.add_argument("--title", default="", help="what to call it, in any words")
    command.add_argument("--note", default="", help="what to remember about it")
    command.add_argument(
        "--tag", action="append", default=[], metavar="WORD", help="to find it by; may be repeated"
    )
    command.add_argument(
        "--queue",
        action="store_true",
        help="start it when those before it have ended, and don't wait for it (vaegmm queue)",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="say how much work and how long, and train nothing"
    )
    command.add_argument("--yes", action="store_true", help="ask nothing")
    command.add_argument(
        "--json", action="store_true", help="print JSON: a line an epoch, one for the result"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Train, or go on with a training."""
    from vaegmm.processes import is_first_process
    from vaegmm.runs import assist

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end a training alike
    if not is_first_process():
        return assist(options.device)
    if options.dry_run:
        return _say_what_it_takes(options)
    run = _run_to_resume(options) if options.resume else _new_run(options)
    options.out = str(run.path)
    if options.queue:
        return _enqueue(run, options)
    if run.is_finished:
        say(f"{run.path} is finished already; nothing is left to train.", 0)
    model = _execute(run, options)
    if film_error := run.status.film_error:
        say(film_error, 0)
    if options.json:
        result = {"event": "finished", "model": str(run.model_path), "metrics": model.metrics}
        print(json.dumps(result), flush=True)
    else:
        print(run.model_path)
        print_figures(model.metrics)


def _say_what_it_takes(options: argparse.Namespace) -> None:
    run = _run_to_resume(options) if options.resume else None
    if run:
        options.attempts = run.attempts
    config = run.config if run else _config(options)
    print_work(config, run.settings["data"] if run else options.data or "mnist", options)


def _enqueue(run: Run, options: argparse.Namespace) -> None:
    from vaegmm.runs import queue

    if options.tensorboard:  # which tells the process that will train it
        (run.path / "tensorboard").mkdir(exist_ok=True)
    queue.enqueue(run)
    place = queue.place(run)
    if options.json:
        print(json.dumps({"event": "queued", "run": str(run.path), "place": place}))
    else:
        print(f"{run.path} {'has started' if place is None else f'waits at place {place}'}")


def _execute(run: Run, options: argparse.Namespace) -> VAEGMM:
    from vaegmm.data import DataError
    from vaegmm.runs import finished_attempts

    bar, board = ProgressBar(), _board(run, options)

    def show(report: Progress) -> None:
        bar.show(report)
        if board:
            board(report)
        if options.json and report.finished_epoch:
            event = {"event": "epoch", "epochs": report.epochs, **asdict(report.finished_epoch)}
            event |= {"seconds_left": report.seconds_left, "restarts": report.restarts}
            event |= {"attempt": report.attempt, "attempts": report.attempts}
            print(json.dumps(event), flush=True)

    try:
        model = run.execute(show, bar.show_fit, options.device)
        if board:
            board.finish()
        return model
    except (DataError, ValueError):
        if not (options.resume or run.losses or finished_attempts(run)):
            run.delete()  # it could not begin: its name stays free for the corrected command
        raise
    finally:
        bar.close()
        if board:
            board.close()
            if board.error:
                say(board.error, 0)


def _board(run: Run, options: argparse.Namespace) -> Board | None:
    # A run that is resumed in a process of its own has nothing but its directory to know it from.
    is_begun = options.resume and (run.path / "tensorboard").is_dir()
    if run.is_finished or not (options.tensorboard or is_begun):
        return None
    from vaegmm.tensorboard import Board

    return Board(run)


def _new_run(options: argparse.Namespace) -> Run:
    from vaegmm.devices import choose_device
    from vaegmm.runs import About, Run, new_run

    config, data_name = _config(options), options.data or "mnist"
    choose_device(options.device)  # refuses one that is not there
    if options.tensorboard:
        from vaegmm.tensorboard import require_tensorboard

        require_tensorboard()
    about = About(options.title, options.note, tuple(options.tag))
    confirm(config, data_name, options)
    given = {
        "device": options.device,
        "attempts": 1 if options.attempts is None else options.attempts,
        "film": not options.no_film,
        **asdict(about),
    }
    if options.out:
        return Run.create(options.out, config, data_name, **given)
    return new_run(config, data_name, **given)


def _run_to_resume(options: argparse.Namespace) -> Run:
    from vaegmm.runs import Run

    if not options.out:
        raise ValueError("out must name the run to resume; add --out RUN.")
    given = [
        name
        for name in ("preset", "config", "data", "attempts", *SETTINGS, *ARCHITECTURE)
        if getattr(options, name) is not None
    ]
    given += [name for name in ("no_film", "title", "note", "tag") if getattr(options, name)]
    if given:
        raise ValueError(
            f"a resumed run keeps its configuration; got --{given[0].replace('_', '-')}. "
            "Leave it out, or start a new run."
        )
    return Run.open(options.out)


def _config(options: argparse.Namespace) -> TrainConfig:
    if options.preset and options.config:
        raise ValueError("preset and config exclude each other; got both. Leave one out.")
    values = {name: getattr(options, name) for name in (*SETTINGS, *ARCHITECTURE)}
    given = {name: value for name, value in values.items() if value is not None}
    if options.config:
        return change(_read_config(options.config), **given)
    return of_preset(options.preset or "default", **given)


def _read_config(text: str) -> TrainConfig:
    try:
        if not text.lstrip().startswith("{"):
            text = Path(text).read_text()
        values = json.loads(text)
    except (OSError, ValueError) as error:
        raise ValueError(f"config must be JSON or a file of it; {error}.") from error
    if not isinstance(values, dict):
        raise ValueError(f"config must be a JSON object; got {text.strip()[:40]}.")
    return TrainConfig.from_dict(values.get("config", values))  # a run's config.json will do
