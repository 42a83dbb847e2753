"""How far the estimate of a training's time is off: estimated and trained in one run, as a ratio.

python benchmarks/estimate.py
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from vaegmm import data, estimation
from vaegmm.config import PRESETS
from vaegmm.runs import Run
from vaegmm.settings import change

TRAININGS = {
    "quick on digits": (PRESETS["quick"], "digits"),
    "default on digits, 12 epochs": (change(PRESETS["default"], epochs=12), "digits"),
    "reference on digits, 10 epochs": (change(PRESETS["reference"], epochs=10), "digits"),
    "default on MNIST, 2 epochs, 4 starts": (
        replace(
            change(PRESETS["default"], epochs=2),
            joint=replace(PRESETS["default"].joint, n_init=4),
        ),
        "mnist",
    ),
}


def main() -> None:
    """Print a line for each training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cpu", action="store_true", help="count the processor's time: on a busy machine"
    )
    parser.add_argument("--names", nargs="*", default=list(TRAININGS))
    options = parser.parse_args()
    if options.cpu:
        time.perf_counter = time.process_time
    for name in options.names:
        config, data_name = TRAININGS[name]
        n_images = len(data.load(data_name).train)
        began = time.perf_counter()
        expected = estimation.estimate(config, n_images)
        took = time.perf_counter() - began
        if expected is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            run = Run.create(Path(folder) / "run", config, data_name)
            began = time.perf_counter()
            run.execute()
            seconds = time.perf_counter() - began
        # The process has started already.
        expected_here = expected.seconds - estimation.START_UP_SECONDS
        print(
            f"{name}: estimated {expected_here:.1f} s in {took:.1f} s, trained {seconds:.1f} s, "
            f"ratio {seconds / expected_here:.2f}; with the start of a process "
            f"{expected.seconds:.0f} s ({expected.low:.0f} to {expected.high:.0f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
