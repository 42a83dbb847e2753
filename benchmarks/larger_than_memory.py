"""What a training needs of memory: `python benchmarks/larger_than_memory.py [--images N …]`.

Writes a folder of shards of 100,000 images, all of them links to one, so that 10,000,000 images
(7.84 GB) take 78 MB of disk. In a process for each size it then loads them, makes steps of the
joint stage and every pass over the images that a training makes (the fingerprint, the start of the
joint stage, the held-out loss, stored z, mixture, ranks, names and figures), and prints by how much
the process has grown at most by the end of each. The same images in memory, at the smallest size,
must come to the same losses. It asks Linux for what a process has had.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

_SHARD = 100_000  # images
_PHASES = ("load", "fingerprint", "start", "steps", "held-out loss", "finish", "evaluate")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--images", type=int, nargs="+", default=[500_000, 10_000_000], help="sizes, rising"
    )
    parser.add_argument("--steps", type=int, default=300, help="of training (default: 300)")
    parser.add_argument("--measure", help=argparse.SUPPRESS)  # what a process is started for
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(_measure(options.measure, options.steps)))
        return
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder, "shard.npy")
        np.save(first, _drawings())
        found = []
        for n_images in options.images:
            shards = Path(folder, str(n_images))
            shards.mkdir()
            for number in range(-(-n_images // _SHARD)):
                os.link(first, shards / f"{number:05}.npy")
            found.append(_in_a_process("in files", shards, options.steps))
        whole = Path(folder, "whole.npz")
        files = sorted(Path(folder, str(options.images[0])).iterdir())
        np.savez(whole, images=np.concatenate([np.load(file) for file in files]))
        found.append(_in_a_process("in memory", whole, options.steps))
    _print(found)
    if found[0]["loss"] != found[-1]["loss"]:
        sys.exit("in files and in memory the losses differ")


def _drawings() -> np.ndarray:
    """The bundled digits, each many times and moved at random, shape (100,000, 28, 28)."""
    from vaegmm import data

    generator = np.random.default_rng(0)
    images = data.load("digits").everything.images
    chosen = images[generator.integers(0, len(images), _SHARD)]
    for image, (down, right) in zip(chosen, generator.integers(-2, 3, (_SHARD, 2)), strict=True):
        image[:] = np.roll(image, (down, right), (0, 1))
    return chosen


def _in_a_process(where: str, path: Path, steps: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", str(path), "--steps", str(steps)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {"where": where, **json.loads(printed)}


def _measure(path: str, steps: int) -> dict[str, Any]:
    from vaegmm import VAEGMM, data
    from vaegmm.config import PRESETS, JointConfig, MixtureConfig
    from vaegmm.evaluation import evaluate
    from vaegmm.training import TrainState, loop, train

    loop._REPORT_SECONDS = 0.0  # so that the training can be left after any step
    config = replace(
        PRESETS["default"],
        epochs=1,  # which is of the joint stage
        joint=JointConfig(share=0.9, n_init=1),
        mixture=MixtureConfig(n_components=10),
    )
    grown: dict[str, float] = {}
    seconds: dict[str, float] = {}
    before, began = _peak(), time.perf_counter()

    def over(phase: str) -> None:
        nonlocal began
        grown[phase] = _peak() - before
        seconds[phase], began = time.perf_counter() - began, time.perf_counter()

    dataset = data.load(path)
    over("load")
    dataset.fingerprint  # noqa: B018 - it is kept
    over("fingerprint")
    state = TrainState.start(config, "cpu")
    for report in train(state, dataset.train.images, config, dataset.validation.images):
        if report.step == 1:
            over("start")
        if report.step == steps:
            break
    over("steps")
    pixels = loop.to_device(dataset.validation.images, "cpu")
    held_out = loop._held_out_loss(state, pixels)
    over("held-out loss")
    labels = np.arange(len(dataset.validation)) % 10  # who names a cluster is of no matter here
    model = VAEGMM(config, "cpu").finish(
        state, dataset.train.images, (dataset.validation.images, labels)
    )
    over("finish")
    evaluate(model, dataset.test.images, np.arange(len(dataset.test)) % 10)
    over("evaluate")
    return {
        "n_train": len(dataset.train),
        "n_held_out": len(dataset.validation),
        "n_latents": len(model.latents),
        "gigabytes": (len(dataset.train) + 2 * len(dataset.validation)) * 784 / 1e9,
        "grown": grown,
        "seconds": seconds,
        "milliseconds": 1e3 * seconds["steps"] / (steps - 1),
        "loss": [report.cross_entropy, report.kl, *held_out],
    }


def _peak() -> float:
    """The most memory that this process has had, in MB."""
    # Not `getrusage`: what a process was before it became this one counts in there.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def _print(found: list[dict[str, Any]]) -> None:
    lines = [
        ["images", "GB", "where", *_PHASES, "ms a step", "loss after them"],
        *(
            [
                f"{row['n_train'] + 2 * row['n_held_out']:,}",
                f"{row['gigabytes']:.2f}",
                row["where"],
                *(f"{row['grown'][phase]:,.0f}" for phase in _PHASES),
                f"{row['milliseconds']:.1f}",
                repr(row["loss"][0]),
            ]
            for row in found
        ),
    ]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    print("MB by which the process has grown at most by the end of each phase:")
    for line in lines:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    for row in found:
        took = ", ".join(f"{phase} {row['seconds'][phase]:.1f}" for phase in _PHASES)
        print(f"{row['n_train']:,} images {row['where']}, seconds: {took}")
        print(f"  z of {row['n_latents']:,} images stored, {row['n_held_out']:,} validate")


if __name__ == "__main__":
    main()
