"""`vaegmm train`: a training as a process that can be interrupted and resumed."""

from __future__ import annotations

import argparse
import json
import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaegmm.cli.output import print_figures, say
from vaegmm.cli.progress_bar import ProgressBar
from vaegmm.config import PRESETS, TrainConfig
from vaegmm.settings import ARCHITECTURE, SETTINGS, change, of_preset

if TYPE_CHECKING:
    from vaegmm.model import VAEGMM
    from vaegmm.runs import Run
    from vaegmm.training import Progress


def add(commands: Any) -> None:
    """Add `train` to the command line."""
    command = commands.add_parser("train", help="train autoencoder and mixture")
    command.add_argument("--preset", choices=PRESETS, help="what to train (default: default)")
    command.add_argument("--config", metavar="JSON", help="a whole configuration, or a file of it")
    command.add_argument("--data", help="mnist, fashion, digits, FILE.npz, FOLDER (default: mnist)")
    command.add_argument("--out", metavar="RUN", help="the run's directory (default: in runs/)")
    command.add_argument(
        "--resume", action="store_true", help="go on with the run in --out, as it was configured"
    )
    for name, setting in {**SETTINGS, **ARCHITECTURE}.items():
        command.add_argument(f"--{name.replace('_', '-')}", type=setting.kind, help=setting.help)
    command.add_argument("--device", help="cpu, cuda, cuda:1, mps (default: the best there is)")
    command.add_argument("--no-film", action="store_true", help="write no film of the training")
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
    run = _run_to_resume(options) if options.resume else _new_run(options)
    options.out = str(run.path)
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


def _execute(run: Run, options: argparse.Namespace) -> VAEGMM:
    from vaegmm.data import DataError

    bar = ProgressBar()

    def show(report: Progress) -> None:
        bar.show(report)
        if options.json and report.finished_epoch:
            event = {"event": "epoch", "epochs": report.epochs, **asdict(report.finished_epoch)}
            event |= {"seconds_left": report.seconds_left, "restarts": report.restarts}
            print(json.dumps(event), flush=True)

    try:
        return run.execute(show, bar.show_fit, options.device)
    except (DataError, ValueError):
        if not options.resume and not run.losses:
            run.delete()  # it could not begin: its name stays free for the corrected command
        raise
    finally:
        bar.close()


def _new_run(options: argparse.Namespace) -> Run:
    from vaegmm.devices import choose_device
    from vaegmm.runs import Run, new_run_path

    config, data_name = _config(options), options.data or "mnist"
    choose_device(options.device)  # refuses one that is not there
    out = options.out or new_run_path(config, data_name)
    return Run.create(out, config, data_name, options.device, film=not options.no_film)


def _run_to_resume(options: argparse.Namespace) -> Run:
    from vaegmm.runs import Run

    if not options.out:
        raise ValueError("out must name the run to resume; add --out RUN.")
    given = [
        name
        for name in ("preset", "config", "data", *SETTINGS, *ARCHITECTURE)
        if getattr(options, name) is not None
    ]
    given += ["no_film"] * options.no_film
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
