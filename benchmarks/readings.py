"""Compare readings of what the published description leaves open, on held-out MNIST images.

    python benchmarks/readings.py --epochs 3 [--only NAME …]

Every reading keeps the stated numbers: eight latents, ReLU on all ten layers, Adam, 5e-4, batches
of 32, cross-entropy + 3 · KL. Prints a row a reading, as the Markdown of docs/experiments.md.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import torch

from vaegmm import PRESETS, data
from vaegmm.config import KLReduction
from vaegmm.metrics import latents_in_use
from vaegmm.model import VAEGMM
from vaegmm.training import TrainState, train


@dataclass(frozen=True)
class Reading:
    """One way to read the description."""

    kl_reduction: KLReduction
    std_floor: float
    pixel_margin: float
    rescue_gradients: bool = True
    positive_biases: bool = False  # the three ReLU heads start above zero


READINGS = {
    "literal: plain ReLU, bounds at 1e-7, KL summed": Reading("sum", 1e-4, 1e-7, False),
    "gradients pass the bounds where they point inside": Reading("sum", 1e-4, 1e-4),
    "… and KL averaged over latents": Reading("mean", 1e-4, 1e-4),
    "… and heads biased above zero": Reading("mean", 1e-4, 1e-4, positive_biases=True),
    "… and bounds at 0.001, std floor 0.01": Reading("mean", 0.01, 0.001, positive_biases=True),
    "KL averaged, bounds at 0.001, std floor 0.01": Reading("mean", 0.01, 0.001),
    "KL averaged, bounds at 0.005 (the preset)": Reading("mean", 0.01, 0.005),
    "KL averaged, bounds at 0.01": Reading("mean", 0.01, 0.01),
    "KL averaged, bounds at 0.005, plain ReLU": Reading("mean", 0.01, 0.005, False),
    "KL summed, bounds at 0.005": Reading("sum", 0.01, 0.005),
}


def main() -> None:
    """Train every reading and print its row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="the readings whose names contain one of these")
    options = parser.parse_args()
    dataset = data.load("mnist")
    print("| reading | train CE | held-out CE | KL | latents in use |\n|---|---|---|---|---|")
    for name, reading in READINGS.items():
        if options.only and not any(part in name for part in options.only):
            continue
        base = PRESETS["reference"]
        config = replace(
            base,
            epochs=options.epochs,
            kl_reduction=reading.kl_reduction,
            vae=replace(
                base.vae,
                std_floor=reading.std_floor,
                pixel_margin=reading.pixel_margin,
                rescue_gradients=reading.rescue_gradients,
            ),
        )
        state = TrainState.start(config)
        if reading.positive_biases:
            for head, bias in (
                (state.vae.mean, 1.0),
                (state.vae.std, 0.5),
                (state.vae.output, 0.1),
            ):
                torch.nn.init.constant_(head.bias, bias)
        for _ in train(state, dataset.train.images, config):
            pass
        model = VAEGMM(config)
        model.vae = state.vae
        held_out = model.cross_entropy(dataset.validation.images).mean()
        in_use = latents_in_use(model.encode(dataset.validation.images))
        last = state.history[-1]
        print(
            f"| {name} | {last.cross_entropy:.1f} | {held_out:.1f} | {last.kl:.1f} | {in_use} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
