"""Read digits drawn with a pen as the Draw page does, with several widths of its own pen.

    python benchmarks/strokes.py CHECKPOINT [--strokes FILE.jsonl.gz]

Prints accuracy as the Markdown of docs/experiments.md, the share of drawings that the model would
turn away, and how often the same drawing elsewhere and in another size gives the same digit.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

import vaegmm
from vaegmm.preprocess import PEN_WIDTH, digit_from_strokes
from vaegmm.reading import STRANGE, read_strokes

STROKES = Path(__file__).resolve().parents[2] / "shared/data/strokes/pen_digits_dev.jsonl.gz"


def main() -> None:
    """Print the tables."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--strokes", type=Path, default=STROKES)
    options = parser.parse_args()
    model = vaegmm.load(options.checkpoint)
    with gzip.open(options.strokes, "rt") as lines:
        drawings = [json.loads(line) for line in lines]
    labels = np.array([drawing["label"] for drawing in drawings])

    print("| pen width, pixels | accuracy | of each digit, 0 to 9 |\n|---|---|---|")
    for width in (1.8, PEN_WIDTH, 3.0):
        predicted = model.predict(images_of(drawings, width))
        each = (f"{(predicted[labels == k] == k).mean():.2f}" for k in range(10))
        print(f"| {width} | {(predicted == labels).mean():.4f} | {' '.join(each)} |")

    readings = np.array([read_strokes(model, drawing["strokes"]).label for drawing in drawings])
    each = (f"{(readings[labels == k] == k).mean():.2f}" for k in range(10))
    print(f"| {PEN_WIDTH}, and parts | {(readings == labels).mean():.4f} | {' '.join(each)} |")

    images = images_of(drawings, PEN_WIDTH)
    predicted = model.predict(images)
    turned_away = (model.typicality(images) < STRANGE).mean()
    rng = np.random.default_rng(0)
    moved = [
        {"strokes": moved_and_scaled(drawing["strokes"], rng.uniform(0.5, 1.5), rng.normal(size=2))}
        for drawing in drawings
    ]
    same = (model.predict(images_of(moved, PEN_WIDTH)) == predicted).mean()
    print(f"\nturned away: {turned_away:.4f}; the same after moving and scaling: {same:.4f}")


def images_of(drawings: list[dict[str, Any]], pen_width: float) -> np.ndarray:
    """Bring drawings to MNIST's form, shape (N, 28, 28)."""
    return np.stack([digit_from_strokes(drawing["strokes"], pen_width) for drawing in drawings])


def moved_and_scaled(strokes: Any, scale: float, shift: np.ndarray) -> Any:
    """Return the same drawing elsewhere and in another size."""
    return [(np.array(stroke) * scale + shift).tolist() for stroke in strokes]


if __name__ == "__main__":
    main()
