"""`vaegmm benchmark`: what the README's figures are measured with."""

from __future__ import annotations

import argparse
from typing import Any

from vaegmm.cli.options import load_model
from vaegmm.cli.output import say

_BENCHMARKS = ("quality", "ablation", "components")


def add(commands: Any) -> None:
    """Add `benchmark` to the command line."""
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
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure."""
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
        say(f"{name}, {method}, seed {seed}: {accuracy:.4f} ({seconds:.0f} s)", 0)
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
    model, sizes = load_model(options), []
    for size in sweep(model, data.load(options.data)):
        sizes.append(size)
        say(f"{size.n_components} components: BIC {size.bic:.0f}", 0)
    print(benchmark.sweep_table(sizes), end="")
    say(f"the figure is {benchmark.save_sweep(sizes, options.out)}", 0)
