"""The command line: train, evaluate, classify, info."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaegmm.config import PRESETS, TrainConfig

if TYPE_CHECKING:
    from vaegmm.training import Progress

# Flags that change one value of the preset: its name, type and help.
_OVERRIDES = {
    "epochs": ("epochs", int, "epochs to train"),
    "batch_size": ("batch_size", int, "images of a step"),
    "learning_rate": ("learning_rate", float, "Adam's learning rate"),
    "kl_weight": ("kl_weight", float, "the constant of the loss: cross-entropy + constant * KL"),
    "seed": ("seed", int, "seed of every random number"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code: 0, 1 for a failed training, 2 for bad input."""
    options = _parser().parse_args(arguments)
    # Imported here, so that --help does not wait for torch.
    from vaegmm.checkpoint import CheckpointError
    from vaegmm.data import DataError
    from vaegmm.runs import RunError
    from vaegmm.training import NonFiniteLossError

    try:
        options.run(options)
    except (CheckpointError, DataError, RunError, ValueError) as error:
        print(f"vaegmm: {error}", file=sys.stderr)
        return 2
    except NonFiniteLossError as error:
        print(f"vaegmm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"vaegmm: {_stopped(options)}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has left (`| head`): nothing to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vaegmm",
        description="A variational autoencoder whose latent space is clustered by a Gaussian "
        "mixture: train it, score it, classify with it.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    command = commands.add_parser("train", help="train autoencoder and mixture")
    command.add_argument("--preset", choices=PRESETS, help="what to train (default: default)")
    command.add_argument("--config", metavar="JSON", help="a whole configuration, or a file of it")
    command.add_argument(
        "--data", default=None, help="mnist, fashion, digits, FILE.npz or FOLDER (default: mnist)"
    )
    command.add_argument("--out", metavar="RUN", help="the run's directory (default: in runs/)")
    command.add_argument(
        "--resume", action="store_true", help="go on with the run in --out, as it was configured"
    )
    for flag, (_, kind, text) in _OVERRIDES.items():
        command.add_argument(f"--{flag.replace('_', '-')}", type=kind, help=text)
    command.add_argument("--components", type=int, help="components of the mixture")
    command.add_argument("--device", help="cpu, cuda, cuda:1, mps (default: the best there is)")
    command.set_defaults(run=_train)

    command = commands.add_parser("evaluate", help="score a model on held-out images")
    _add_checkpoint(command)
    command.add_argument("--data", default="mnist", help="mnist, fashion, digits, FILE.npz, FOLDER")
    command.set_defaults(run=_evaluate)

    command = commands.add_parser("classify", help="read the digits in image files")
    _add_checkpoint(command)
    command.add_argument("images", nargs="+", metavar="IMAGE", help="pictures of one digit each")
    command.set_defaults(run=_classify)

    command = commands.add_parser("info", help="say what a checkpoint holds")
    _add_checkpoint(command)
    command.set_defaults(run=_info)
    return parser


def _add_checkpoint(command: argparse.ArgumentParser) -> None:
    command.add_argument("checkpoint", metavar="CHECKPOINT")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")


def _train(options: argparse.Namespace) -> None:
    from vaegmm.runs import Run

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end a training alike
    if options.resume:
        run = _run_to_resume(options)
    else:
        config = _config(options)
        _check_device(options.device)
        options.out = options.out or str(_default_directory(options))
        run = Run.create(options.out, config, options.data or "mnist", options.device)
    bar = _ProgressBar()
    try:
        model = run.execute(bar.show, bar.show_fit)
    finally:
        bar.close()
    print(f"{run.model_path}")
    _print_figures(model.metrics)


def _run_to_resume(options: argparse.Namespace) -> Any:
    from vaegmm.runs import Run

    if not options.out:
        raise ValueError("out must name the run to resume; add --out RUN.")
    given = [
        name
        for name in ("preset", "config", "data", "device", "components", *_OVERRIDES)
        if getattr(options, name) is not None
    ]
    if given:
        raise ValueError(
            f"a resumed run keeps its configuration; got --{given[0].replace('_', '-')}. "
            "Leave it out, or start a new run."
        )
    return Run.open(options.out)


def _config(options: argparse.Namespace) -> TrainConfig:
    if options.preset and options.config:
        raise ValueError("preset and config exclude each other; got both. Leave one out.")
    config = PRESETS[options.preset or "default"]
    if options.config:
        config = _read_config(options.config)
    changes = {
        name: getattr(options, flag)
        for flag, (name, _, _) in _OVERRIDES.items()
        if getattr(options, flag) is not None
    }
    if options.components is not None:
        mixture = dataclasses.replace(config.mixture, n_components=options.components)
        changes["mixture"] = mixture
    return dataclasses.replace(config, **changes)


def _read_config(text: str) -> TrainConfig:
    try:
        if not text.lstrip().startswith("{"):
            text = Path(text).read_text()
        values = json.loads(text)
        return TrainConfig.from_dict(values.get("config", values))
    except (OSError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"config must be JSON or a file of it; {error}.") from error


def _default_directory(options: argparse.Namespace) -> Path:
    from vaegmm.runs import runs_folder

    kind = "custom" if options.config else options.preset or "default"
    data = Path(options.data or "mnist").stem
    return runs_folder() / f"{time.strftime('%Y%m%d-%H%M%S')}-{kind}-{data}"


def _evaluate(options: argparse.Namespace) -> None:
    from vaegmm import data
    from vaegmm.evaluation import evaluate

    model = _load(options)
    dataset = data.load(options.data)
    trained_on_it = model.provenance.get("data", {}).get("fingerprint") == dataset.fingerprint
    # One's own file is scored whole, unless the model has seen some of it.
    named = options.data in ("mnist", "fashion", "digits")
    split = dataset.test if named or trained_on_it else dataset.everything
    figures = evaluate(model, split.images, split.labels)
    figures = {
        "checkpoint": options.checkpoint,
        "data": dataset.name,
        "split": "all" if split is not dataset.test else "test",
        **figures,
    }
    if options.json:
        print(json.dumps(figures, indent=1))
    else:
        _print_figures(figures)


def _classify(options: argparse.Namespace) -> None:
    import numpy as np

    from vaegmm.data import read_image

    model = _load(options)
    images = np.stack([read_image(path) for path in options.images])
    probabilities = model.predict_proba(images)
    typicality = model.typicality(images)
    answers = [
        {
            "image": path,
            "label": model.label_names[int(row.argmax())],
            "probability": round(float(row.max()), 4),
            "typicality": round(float(typical), 4),
            "probabilities": {
                name: round(float(p), 4) for name, p in zip(model.label_names, row, strict=True)
            },
        }
        for path, row, typical in zip(options.images, probabilities, typicality, strict=True)
    ]
    if options.json:
        print(json.dumps(answers, indent=1))
        return
    for answer in answers:
        print(
            f"{answer['image']}: {answer['label']}  "
            f"(p = {answer['probability']:.3f}, typicality {answer['typicality']:.3f})"
        )


def _info(options: argparse.Namespace) -> None:
    model = _load(options)
    facts = {
        "checkpoint": options.checkpoint,
        "n_parameters": model.vae.n_parameters,
        "n_components": len(model.mixture.weights_),
        "label_names": model.label_names,
        "n_latents": len(model.latents),
        "provenance": model.provenance,
        "metrics": model.metrics,
        "config": model.config.to_dict(),
    }
    if options.json:
        print(json.dumps(facts, indent=1))
    else:
        _print_figures(facts)


def _load(options: argparse.Namespace) -> Any:
    from vaegmm.checkpoint import load
    from vaegmm.model import best_device

    _check_device(options.device)
    return load(options.checkpoint, options.device or best_device())


def _check_device(name: str | None) -> None:
    if name is None:
        return
    import torch

    try:
        torch.empty(1, device=name)
    # torch raises RuntimeError, AssertionError or AcceleratorError for devices it lacks.
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device must be one this machine has; got device={name!r} ({reason}). "
            "Leave it out to take the best there is."
        ) from error


def _stopped(options: argparse.Namespace) -> str:
    if getattr(options, "out", None):
        return (
            "stopped; the last finished epoch is kept. "
            f"Go on with: python -m vaegmm train --resume --out {options.out}"
        )
    return "stopped."


def _print_figures(figures: dict[str, Any], indent: str = "") -> None:
    for name, value in figures.items():
        label = f"{indent}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            print(f"{label}:")
            _print_figures(value, indent + "  ")
        elif isinstance(value, float):
            print(f"{label + ':':<32}{value:.4f}")
        elif isinstance(value, list | tuple):
            print(f"{label + ':':<32}{', '.join(map(str, value))}")
        else:
            print(f"{label + ':':<32}{value}")


class _ProgressBar:
    """Progress as a bar of steps, with the loss's parts; one line an epoch where no one watches."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._is_watched = sys.stderr.isatty()

    def show(self, report: Progress) -> None:
        """Draw one Progress."""
        losses = (
            f"cross-entropy {report.cross_entropy:.1f}, KL {report.kl:.2f} "
            f"(weight {report.kl_weight:.2f})"
        )
        if not self._is_watched:
            if report.finished_epoch:
                print(
                    f"epoch {report.epoch}/{report.epochs}: {losses}, "
                    f"{report.seconds:.0f} s, {report.seconds_left:.0f} s left",
                    file=sys.stderr,
                    flush=True,
                )
            return
        from tqdm import tqdm

        done = (report.epoch - 1) * report.steps + report.step
        if self._bar is None:
            self._bar = tqdm(
                total=report.epochs * report.steps, initial=done, unit="step", dynamic_ncols=True
            )
        self._bar.set_description(f"epoch {report.epoch}/{report.epochs}", refresh=False)
        self._bar.set_postfix_str(losses, refresh=False)
        self._bar.update(done - self._bar.n)

    def show_fit(self) -> None:
        """Say that the epochs are over."""
        self.close()
        print("fitting the mixture …", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
