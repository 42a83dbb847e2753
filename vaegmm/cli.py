from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from vaegmm.config import PRESETS, TrainConfig
from vaegmm.settings import SETTINGS, change

if TYPE_CHECKING:
    from vaegmm.model import VAEGMM
    from vaegmm.runs import Run
    from vaegmm.training import Progress


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0, 1 for a training that failed, 2 for bad input, 130 for one interrupted.
    """
    options = _parser().parse_args(arguments)
    # Imported here, so that --help does not wait for them.
    from vaegmm.checkpoint import CheckpointError
    from vaegmm.data import DataError
    from vaegmm.runs import RunError
    from vaegmm.training import NonFiniteLossError

    try:
        options.run(options)
        sys.stdout.flush()
    except (CheckpointError, DataError, RunError, ValueError) as error:
        return _say(error, 2)
    except NonFiniteLossError as error:
        return _say(error, 1)
    except KeyboardInterrupt:
        return _say(_stopped(options), 130)
    except BrokenPipeError:
        # The reader of our output has left (`| head`): nothing to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if os.environ.get("VAEGMM_TRACEBACK"):
            traceback.print_exc()
        reason = " ".join(str(error).split())
        return _say(
            f"{type(error).__name__}: {reason} (set VAEGMM_TRACEBACK=1 to see where it arose)", 1
        )
    return 0


def _say(message: object, exit_code: int) -> int:
    print(f"vaegmm: {message}", file=sys.stderr)
    return exit_code


_BENCHMARKS = ("quality", "ablation", "components")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one sentence, without the usage that argparse puts before it."""
        self.exit(_say(f"{message}. See {self.prog} --help.", 2))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="vaegmm",
        description="A variational autoencoder whose latent space is clustered by a Gaussian "
        "mixture: train it, score it, classify with it.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    command = commands.add_parser("train", help="train autoencoder and mixture")
    command.add_argument("--preset", choices=PRESETS, help="what to train (default: default)")
    command.add_argument("--config", metavar="JSON", help="a whole configuration, or a file of it")
    command.add_argument("--data", help="mnist, fashion, digits, FILE.npz, FOLDER (default: mnist)")
    command.add_argument("--out", metavar="RUN", help="the run's directory (default: in runs/)")
    command.add_argument(
        "--resume", action="store_true", help="go on with the run in --out, as it was configured"
    )
    for name, setting in SETTINGS.items():
        command.add_argument(f"--{name.replace('_', '-')}", type=setting.kind, help=setting.help)
    command.add_argument("--device", help="cpu, cuda, cuda:1, mps (default: the best there is)")
    command.add_argument(
        "--json", action="store_true", help="print JSON: a line an epoch, one for the result"
    )
    command.set_defaults(run=_train)

    command = commands.add_parser("evaluate", help="score a model on held-out images")
    _add_checkpoint(command)
    command.add_argument(
        "--data", help="mnist, fashion, digits, FILE.npz, FOLDER (default: what it was trained on)"
    )
    command.set_defaults(run=_evaluate)

    command = commands.add_parser("classify", help="read the digits in image files")
    _add_checkpoint(command)
    command.add_argument("images", nargs="+", metavar="IMAGE", help="pictures of one digit each")
    command.set_defaults(run=_classify)

    command = commands.add_parser("export", help="write a page that runs a model in any browser")
    _add_checkpoint(command)
    command.add_argument(
        "--html", metavar="FILE", required=True, help="the page; it opens from disk, offline"
    )
    command.add_argument("--title", help="what the page calls the model (default: its data set)")
    command.set_defaults(run=_export)

    command = commands.add_parser("benchmark", help="measure what the README's figures are")
    command.add_argument("what", choices=_BENCHMARKS, help="which figures")
    command.add_argument(
        "--checkpoint", help="the model whose latents mixtures of other sizes are fitted to"
    )
    command.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")
    command.add_argument("--data", default="mnist", help="names, by commas (default: mnist)")
    command.add_argument("--seeds", type=int, default=5, help="seeds of each method (default: 5)")
    command.add_argument("--methods", help="which of the methods, by commas (default: all)")
    command.add_argument("--epochs", type=int, help="epochs of every training, for a trial")
    command.add_argument(
        "--out",
        default="runs/benchmark",
        help="where results are kept and found again (default: runs/benchmark)",
    )
    command.set_defaults(run=_benchmark)

    command = commands.add_parser("sizes", help="measure mixtures of several sizes on a model")
    _add_checkpoint(command)
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
    command.set_defaults(run=_sizes)

    command = commands.add_parser("info", help="say what a checkpoint holds")
    _add_checkpoint(command)
    command.set_defaults(run=_info)
    return parser


def _add_checkpoint(command: argparse.ArgumentParser) -> None:
    command.add_argument("checkpoint", metavar="CHECKPOINT")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")


def _train(options: argparse.Namespace) -> None:
    from vaegmm.processes import is_first_process
    from vaegmm.runs import assist

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end a training alike
    if not is_first_process():
        return assist(options.device)
    run = _run_to_resume(options) if options.resume else _new_run(options)
    options.out = str(run.path)
    if run.is_finished:
        _say(f"{run.path} is finished already; nothing is left to train.", 0)
    model = _execute(run, options)
    if options.json:
        result = {"event": "finished", "model": str(run.model_path), "metrics": model.metrics}
        print(json.dumps(result), flush=True)
    else:
        print(run.model_path)
        _print_figures(model.metrics)


def _execute(run: Run, options: argparse.Namespace) -> VAEGMM:
    from vaegmm.data import DataError

    bar = _ProgressBar()

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
    return Run.create(out, config, data_name, options.device)


def _run_to_resume(options: argparse.Namespace) -> Run:
    from vaegmm.runs import Run

    if not options.out:
        raise ValueError("out must name the run to resume; add --out RUN.")
    given = [
        name
        for name in ("preset", "config", "data", *SETTINGS)
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
    config = (
        _read_config(options.config) if options.config else PRESETS[options.preset or "default"]
    )
    given = {name: getattr(options, name) for name in SETTINGS}
    return change(config, **{name: value for name, value in given.items() if value is not None})


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


def _evaluate(options: argparse.Namespace) -> None:
    from vaegmm import data
    from vaegmm.evaluation import evaluate

    model = _load(options)
    trained_on = model.provenance.get("data", {})
    dataset = data.load(options.data or trained_on.get("name") or "mnist")
    # One's own file is scored whole, unless the model has seen some of it.
    held_out = dataset.name in data.NAMES or trained_on.get("fingerprint") == dataset.fingerprint
    split = dataset.test if held_out else dataset.everything
    if split.labels is None:
        _say(f"{dataset.title} has no labels: only what needs none is measured.", 0)
    elif model.names is None:
        _say(f"{options.checkpoint} was trained without labels: it cannot classify.", 0)
    facts = {
        "checkpoint": options.checkpoint,
        "data": dataset.name,
        "split": "test" if held_out else "all",
        **evaluate(model, split.images, split.labels),
    }
    _print_facts(facts, options)


def _classify(options: argparse.Namespace) -> None:
    import numpy as np

    from vaegmm.data import read_image

    model = _load(options)
    if model.names is None:
        raise ValueError(
            f"checkpoint must have named components to classify; {options.checkpoint} was trained "
            "without labels. Train on images that have some."
        )
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


def _export(options: argparse.Namespace) -> None:
    from vaegmm.browser.export import export_html

    size = export_html(_load(options), options.html, options.title)
    if options.json:
        print(json.dumps({"html": options.html, "bytes": size}, indent=1))
    else:
        print(f"{options.html}  ({size / 1e6:.1f} MB)")


def _benchmark(options: argparse.Namespace) -> None:
    from vaegmm import benchmark, data

    if options.what == "components":
        return _benchmark_components(options)
    if options.seeds < 1:
        raise ValueError(f"seeds must be at least 1; got seeds={options.seeds}.")
    changes = {} if options.epochs is None else {"epochs": options.epochs}
    kinds = {"quality": benchmark.methods, "ablation": benchmark.ablations}
    compared = kinds[options.what](**changes)
    if options.methods:
        compared = _chosen(compared, options.methods.split(","))
    datasets = [data.load(name) for name in options.data.split(",")]
    cells = []
    for cell in benchmark.run(datasets, options.seeds, options.out, compared):
        cells.append(cell)
        name, method, seed, figures = cell
        accuracy, seconds = figures["clustering_accuracy"], figures["seconds"]
        _say(f"{name}, {method}, seed {seed}: {accuracy:.4f} ({seconds:.0f} s)", 0)
    benchmark.save_table(cells, options.out)
    print(benchmark.table(cells), end="")


def _chosen(methods: dict[str, Any], names: list[str]) -> dict[str, Any]:
    for name in names:
        if name not in methods:
            raise ValueError(f"methods must be among {', '.join(methods)}; got {name!r}.")
    return {name: methods[name] for name in names}


def _benchmark_components(options: argparse.Namespace) -> None:
    from vaegmm import benchmark, data
    from vaegmm.sizes import sweep

    if options.checkpoint is None:
        raise ValueError("benchmark components needs a model; add --checkpoint CHECKPOINT.")
    model, sizes = _load(options), []
    for size in sweep(model, data.load(options.data)):
        sizes.append(size)
        _say(f"{size.n_components} components: BIC {size.bic:.0f}", 0)
    print(benchmark.sweep_table(sizes), end="")
    _say(f"the figure is {benchmark.save_sweep(sizes, options.out)}", 0)


def _sizes(options: argparse.Namespace) -> None:
    from vaegmm import data, sizes

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    model = _load(options)
    dataset = None if options.data is None else data.load(options.data)
    path = options.out or sizes.path_beside(options.checkpoint)
    components = _whole_numbers(options.components, "components")
    types = options.types.split(",")
    known = sizes.read(path, model)
    for size in sizes.sweep(model, dataset, components, types, known=known):
        sizes.append(path, model, size)
        _say(f"{size.n_components} components, {size.covariance_type}: BIC {size.bic:.0f}", 0)
    found = sizes.read(path, model)
    if options.json:
        return print(json.dumps([size._asdict() for size in found], indent=1))
    for size in found:
        held_out = "" if size.log_likelihood is None else f", held-out {size.log_likelihood:.4f}"
        accuracy = "".join(f", {value:.4f} with {n} labels" for n, value in size.accuracies.items())
        figures = f"BIC {size.bic:.0f}, AIC {size.aic:.0f}{held_out}{accuracy}"
        print(f"{size.n_components:>4} {size.covariance_type}: {figures}")


def _whole_numbers(text: str, name: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise ValueError(f"{name} must be whole numbers, by commas; got {text!r}.") from None


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
    _print_facts(facts, options)


def _load(options: argparse.Namespace) -> VAEGMM:
    from vaegmm.devices import choose_device
    from vaegmm.model import load

    return load(options.checkpoint, choose_device(options.device))


def _stopped(options: argparse.Namespace) -> str:
    if getattr(options, "out", None) and Path(options.out, "config.json").exists():
        return (
            "stopped; the last finished epoch is kept. "
            f"Go on with: python -m vaegmm train --resume --out {options.out}"
        )
    return "stopped."


def _print_facts(facts: dict[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(facts, indent=1))
    else:
        _print_figures(facts)


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
        self._restarts: int | None = None  # of the last report

    def show(self, report: Progress) -> None:
        """Draw one Progress."""
        if self._restarts is not None and report.restarts > self._restarts:
            self.close()
            print(
                "the mixture has collapsed: the training begins again, with another seed",
                file=sys.stderr,
                flush=True,
            )
        self._restarts = report.restarts
        losses = (
            f"cross-entropy {report.cross_entropy:.1f}, KL {report.kl:.2f} "
            f"(weight {report.kl_weight:.2f})"
        )
        if not self._is_watched:
            if report.finished_epoch:
                print(
                    f"epoch {report.epoch}/{report.epochs}: {losses}, "
                    f"{report.seconds:.0f} s, {report.seconds_left or 0:.0f} s left",
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
        start = f", start {report.starts_tried}" if report.starts_tried else ""
        self._bar.set_description(f"epoch {report.epoch}/{report.epochs}{start}", refresh=False)
        self._bar.set_postfix_str(losses, refresh=False)
        self._bar.update(done - self._bar.n)
        if start:
            self._bar.refresh()  # no step was done, which alone would draw it

    def show_fit(self) -> None:
        """Say that the epochs are over."""
        self.close()
        print("fitting the mixture …", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
