"""Tell digits from what is none: images of clothes, and scribbles, letters and shapes drawn by pen.

    python benchmarks/typicality.py CHECKPOINT [--drawings 300] [--seed 0] [--picture FILE.png]

Prints the area under the ROC curve of the typicality (1: every digit is more typical than every
other image; 0.5: a coin) and the share that the Draw page turns away, as the Markdown of
docs/experiments.md. The drawings are made here: letters and shapes that no digit looks like (no O,
no circle, no l, no line, no S, no Z …), each with the slant, the proportions and the unsteady hand
of another writer, and smooth, jagged and looping scribbles.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.metrics import roc_auc_score

import vaegmm
from vaegmm import data
from vaegmm.preprocess import digit_from_strokes
from vaegmm.reading import STRANGE

Strokes = list[np.ndarray]  # each (N, 2), y downwards

# Strokes of a letter or shape as corners in a square of 0 to 9: "x y" pairs, y downwards.
LETTERS = {
    "A": "09 40 89, 16 76",
    "E": "80 10 19 89, 15 75",
    "F": "80 10 19, 15 65",
    "H": "10 19, 80 89, 15 85",
    "K": "10 19, 80 15 89",
    "M": "09 10 46 70 89",
    "N": "19 10 89 80",
    "P": "19 10 50 72 73 55 15",
    "R": "19 10 60 72 73 55 15, 45 89",
    "T": "00 90, 40 49",
    "W": "00 29 43 69 90",
    "X": "00 99, 90 09",
    "m": "19 13, 15 33 45 49, 45 63 75 79",
    "t": "40 47 59 78, 13 73",
    "k": "10 19, 73 16 79",
    "x": "13 79, 73 19",
    "w": "13 29 45 69 83",
}
SHAPES = {
    "triangle": "09 40 99 09",
    "square": "00 90 99 09 00",
    "star": "19 40 79 03 93 19",
    "heart": "49 03 11 30 42 60 81 93 49",
    "arrow": "05 95, 62 95 68",
    "cross": "40 49, 05 95",
    "tick": "05 39 90",
    "house": "09 04 40 94 99 09, 39 35 65 69",
    "wave": "05 12 25 38 55 62 75 88 95",
    "hash": "20 29, 60 69, 03 93, 06 96",
    "asterisk": "40 49, 02 97, 92 07",
    "envelope": "02 92 98 08 02, 02 45 92",
}
ROUND = set("PRmt") | {"heart", "wave"}


def outlines(text: str) -> Strokes:
    """Read the corners of a letter or shape."""
    corners = [[(int(pair[0]), int(pair[1])) for pair in line.split()] for line in text.split(",")]
    return [np.array(line) / 9 for line in corners]


def fine(line: np.ndarray, n_points: int = 60) -> np.ndarray:
    """Place points evenly along a line."""
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0, along[-1], n_points)
    return np.stack([np.interp(at, along, column) for column in line.T], 1)


def rounded(line: np.ndarray, times: int = 3) -> np.ndarray:
    """Cut the corners off, again and again (Chaikin), and keep the ends."""
    for _ in range(times):
        a, b = line[:-1], line[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], 1).reshape(-1, 2)
        line = np.concatenate([line[:1], cut, line[-1:]])
    return line


def by_hand(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Slant, turn, stretch and shake a drawing as another writer would."""
    angle, slant = rng.normal(0, 0.12), rng.normal(0, 0.2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = np.diag(rng.uniform(0.7, 1.0, 2))
    form = turn @ np.array([[1, slant], [0, 1]]) @ stretch
    return [
        (fine(line + rng.normal(0, 0.03, line.shape)) @ form.T) + wobble(60, 0.01, rng)
        for line in strokes
    ]


def wobble(n_points: int, size: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a smooth random path around the origin, shape (n_points, 2)."""
    at, waves = np.linspace(0, 1, n_points)[:, None, None], np.arange(1, 4)
    phases, sizes = rng.uniform(0, 2 * np.pi, (2, 3)), rng.normal(0, size, (2, 3))
    return (np.sin(2 * np.pi * at * waves + phases) * sizes).sum(-1)


def scribble(rng: np.random.Generator) -> Strokes:
    """Draw something without a meaning: a smooth tangle, a zigzag, or a row of loops."""
    kind = rng.integers(3)
    if kind == 0:
        return [wobble(200, 0.5, rng)]
    if kind == 1:
        n_corners = rng.integers(6, 14)
        across = np.linspace(0, 1, n_corners) + rng.normal(0, 0.03, n_corners)
        return [np.stack([across, np.arange(n_corners) % 2 + rng.normal(0, 0.2, n_corners)], 1)]
    at = np.linspace(0, 1, 300)[:, None]
    loops = 2 * np.pi * rng.uniform(3, 6) * at
    return [np.hstack([at * rng.uniform(3, 7) + np.cos(loops), np.sin(loops)]) / 3]


def drawings(n: int, seed: int) -> dict[str, np.ndarray]:
    """Draw n of each kind as the Draw page would see them, each of shape (n, 28, 28)."""
    rng = np.random.default_rng(seed)

    def copies(of: dict[str, str]) -> list[Strokes]:
        chosen = rng.choice(list(of), n)
        return [
            by_hand([rounded(s) if name in ROUND else s for s in outlines(of[name])], rng)
            for name in chosen
        ]

    kinds = {
        "letters": copies(LETTERS),
        "shapes": copies(SHAPES),
        "scribbles": [scribble(rng) for _ in range(n)],
    }
    return {
        kind: np.stack([digit_from_strokes([s.tolist() for s in strokes]) for strokes in drawn])
        for kind, drawn in kinds.items()
    }


def main() -> None:
    """Print the table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--drawings", type=int, default=300, help="of each kind (default: 300)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path, help="where to show some of the drawings")
    options = parser.parse_args()
    model = vaegmm.load(options.checkpoint)
    others = drawings(options.drawings, options.seed)
    if options.picture:
        rows = [np.hstack(list(images[:20])) for images in others.values()]
        Image.fromarray(255 - np.vstack(rows)).resize((1120, 56 * len(rows))).save(options.picture)
    others["all drawings"] = np.concatenate(list(others.values()))
    others["Fashion-MNIST, test"] = data.load("fashion").test.images

    digits = model.typicality(data.load("mnist").test.images)
    print("| instead of digits | images | AUROC | turned away |\n|---|---|---|---|")
    for name, images in others.items():
        typicality = model.typicality(images)
        is_digit = np.repeat([1, 0], [len(digits), len(typicality)])
        area = roc_auc_score(is_digit, np.concatenate([digits, typicality]))
        strange = (typicality < STRANGE).mean()
        print(f"| {name} | {len(images)} | {area:.3f} | {strange:.3f} |")
    print(f"\nOf MNIST's test digits {(digits < STRANGE).mean():.3f} are turned away.")


if __name__ == "__main__":
    main()
