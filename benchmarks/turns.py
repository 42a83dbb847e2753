"""Choose when a photo's digit is said to lie on its side, on MNIST's validation images.

    python benchmarks/turns.py CHECKPOINT [--images 1000]

Prints for each rule the share of upright digits that it offers to turn, and of digits on their side
and upside down the share that it offers the right turn. The rule of vaegmm/photo_reading.py is that
a digit is less typical than `_ATYPICAL`, and after a turn more typical than `_TURNED` and called
something with more than `_SURE`.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np

import vaegmm
from vaegmm import data

ATYPICAL, TURNED, SURE = (0.02, 0.05, 0.1), (0.05, 0.1, 0.2), (0.5, 0.7, 0.9)


def main() -> None:
    """Print the table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--images", type=int, default=1000)
    options = parser.parse_args()
    model = vaegmm.load(options.checkpoint)
    images = data.load("mnist").validation.images[: options.images]
    looks = [model.infer(np.rot90(images, turn, axes=(1, 2)).copy()) for turn in range(4)]
    typicality = np.stack([look.typicality for look in looks])  # (4, N), by quarter turns
    certainty = np.stack([look.label_probabilities.max(1) for look in looks])
    print(
        "| atypical | turned | sure | upright, turned | on its side, right | upside down, right |"
    )
    print("|---|---|---|---|---|---|")
    for rule in product(ATYPICAL, TURNED, SURE):
        shares = [offered(typicality, certainty, lies, *rule) for lies in range(4)]
        on_side = (shares[1][3] + shares[3][1]) / 2  # the turn that brings it back
        figures = 1 - shares[0][0], on_side, shares[2][2]
        print(f"| {' | '.join(map(str, rule))} | {' | '.join(f'{x:.3f}' for x in figures)} |")


def offered(
    typicality: np.ndarray,
    certainty: np.ndarray,
    lies: int,
    atypical: float,
    turned: float,
    sure: float,
) -> np.ndarray:
    """Return how often each turn, from none to three quarters, is offered, shape (4,).

    Args:
        typicality: of each image by quarter turns, shape (4, N).
        certainty: likewise.
        lies: the quarter turn in which the images lie.
        atypical: the rule's three bounds, as the next.
        turned: see above.
        sure: see above.
    """
    typical, certain = np.roll(typicality, -lies, 0), np.roll(certainty, -lies, 0)
    best = typical[1:].argmax(0) + 1
    chosen = best, np.arange(len(best))
    is_offered = (typical[0] < atypical) & (typical[chosen] > turned) & (certain[chosen] > sure)
    turns = np.where(is_offered, best, 0)
    return np.bincount(turns, minlength=4) / len(turns)


if __name__ == "__main__":
    main()
