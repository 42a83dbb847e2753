"""Measure what of a digit's style comes along to the other digits.

    python benchmarks/style.py CHECKPOINT [--images N]

For MNIST test images, the style of each is carried over to all other digits: by optimal transport
between the labels' Gaussians as vaegmm does it, by their Cholesky factors, and by moving z from the
one's mean to the other's. Prints as Markdown how slant, stroke width and width of the images that
come out agree with the digit's own (correlation, each relative to its label), and the share that is
read as the digit that was wanted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

import vaegmm
from vaegmm import data
from vaegmm.style import in_style_of, label_gaussians

Carry = Callable[[np.ndarray, int], np.ndarray]  # z (D,) and the place of its label -> (L, D)


def main() -> None:
    """Print the table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--images", type=int, default=500)
    options = parser.parse_args()
    model = vaegmm.load(options.checkpoint)
    test = data.load("mnist").test
    rows = np.random.default_rng(0).choice(len(test.images), options.images, replace=False)
    z, truth = model.encode(test.images[rows]), np.asarray(test.labels)[rows]
    labels, means, covariances = label_gaussians(model)
    own = np.searchsorted(labels, truth)
    roots = np.linalg.cholesky(covariances)

    ways: dict[str, Carry] = {
        "optimal transport (vaegmm)": lambda z, n: in_style_of(model, z, int(labels[n])).latents,
        "Cholesky factors": lambda z, n: means + roots @ np.linalg.solve(roots[n], z - means[n]),
        "moved with the mean": lambda z, n: means + (z - means[n]),
    }
    look = looks_of(model.decode(z))
    usual = np.stack([look[own == n].mean(0) for n in range(len(labels))])
    spread = np.stack([look[own == n].std(0) for n in range(len(labels))])
    given = (look - usual[own]) / spread[own]
    print(
        "| carried over by | slant | stroke width | width | read as wanted |\n|---|---|---|---|---|"
    )
    for name, carry in ways.items():
        carried = np.stack([carry(place, n) for place, n in zip(z, own, strict=True)])  # (N, L, D)
        agreement, right = [], []
        for n in range(len(labels)):
            others = own != n
            out = (looks_of(model.decode(carried[others, n])) - usual[n]) / spread[n]
            agreement.append(
                [np.corrcoef(given[others, i], out[:, i])[0, 1] for i in range(out.shape[1])]
            )
            called = model.label_probabilities(carried[others, n]).argmax(1)
            right.append((called == labels[n]).mean())
        shares = " | ".join(f"{value:.2f}" for value in np.mean(agreement, axis=0))
        print(f"| {name} | {shares} | {np.mean(right):.3f} |")


def looks_of(images: np.ndarray) -> np.ndarray:
    """Measure slant, stroke width and width of images, shape (N, 28, 28): shape (N, 3)."""
    ink = images.astype(np.float64)
    y, x = np.mgrid[: ink.shape[1], : ink.shape[2]]
    total = ink.sum((1, 2))
    dx, dy = (
        axis - ((ink * axis).sum((1, 2)) / total)[:, None, None] for axis in (x[None], y[None])
    )
    slant = -(ink * dx * dy).sum((1, 2)) / (ink * dy * dy).sum((1, 2))
    edge = np.abs(np.diff(ink, axis=1)).sum((1, 2)) + np.abs(np.diff(ink, axis=2)).sum((1, 2))
    return np.stack([slant, total / edge, np.sqrt((ink * dx * dx).sum((1, 2)) / total)], axis=1)


if __name__ == "__main__":
    main()
