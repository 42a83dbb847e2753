"""Tell digits from what is none: images of clothes, and scribbles, letters and shapes drawn by pen.

    python benchmarks/typicality.py CHECKPOINT [--drawings 300] [--seed 0] [--picture FILE.png]
        [--strokes FILE.jsonl.gz]

Prints the area under the ROC curve of the typicality (1: every digit is more typical than every
other image; 0.5: a coin) and the share that the Draw page turns away, as the Markdown of
docs/experiments.md: once against MNIST's test digits, once against people's drawings of digits. The
other drawings are made here: letters, signs and shapes that no digit looks like (no O, no circle,
no l, no line, no S, no Z …), each with the slant, the proportions and the unsteady hand of another
writer, and smooth, jagged and looping scribbles.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.metrics import roc_auc_score

import vaegmm
from vaegmm import data
from vaegmm.preprocess import has_dot, render_strokes
from vaegmm.reading import STRANGE

DIGITS = Path(__file__).resolve().parents[2] / "shared/data/strokes/pen_digits_dev.jsonl.gz"

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
# Arcs: x, y, half width and half height in ninths, from and to which angle in degrees, clockwise
# from the right. In brackets corners.
SIGNS = {
    "?": ["4 2.5 2.5 2.5 180 400", "[3.9 6 3.9 6.9]", "[3.9 8.5 4 8.9]"],
    "!": ["[4 0 4 6.4]", "[4 8.5 4.1 9]"],
    "%": ["[8 0 0 9]", "1.8 2 1.6 1.8 0 360", "6.6 7.2 1.6 1.8 0 360"],
    "=": ["[0 3 8 3]", "[0 6 8 6]"],
    "@": ["4.8 4.6 1.5 1.6 0 360", "4.6 4.6 4.2 4.4 20 -330"],
    "smiley": ["4.5 4.5 4.5 4.5 0 360", "[3 3 3 3.9]", "[6 3 6 3.9]", "4.5 5 2.4 2.2 10 170"],
    "sun": [
        *("4.5 4.5 2 2 0 360", "[4.5 0 4.5 1.6]", "[4.5 7.4 4.5 9]"),
        *("[0 4.5 1.6 4.5]", "[7.4 4.5 9 4.5]"),
    ],
    "eyes": ["2 4 1.9 2.4 0 360", "7 4 1.9 2.4 0 360"],
    "B": ["[1 0 1 9]", "1 2.1 5 2.1 -90 90", "1 6.6 6 2.4 -90 90"],
    "e": ["[1.2 5 7 5]", "4.2 5.2 3 3.6 0 -300"],
    "a": ["4 6.3 2.6 2.6 -40 -360", "[6.7 3.6 6.7 8.9]"],
    "h": ["[1.5 0 1.5 9]", "3.8 6 2.3 2.4 180 360", "[6.1 6 6.1 9]"],
    "n": ["[1.5 3 1.5 9]", "3.8 5.6 2.3 2.4 180 360", "[6.1 5.6 6.1 9]"],
    "p": ["[1.5 3 1.5 9.9]", "3.8 5.3 2.5 2.3 -170 170"],
    "f": ["4.8 2 1.6 1.9 -20 -180", "[3.2 2 3.2 9]", "[1 4.2 5.6 4.2]"],
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


def by_hand(strokes: Strokes, rng: np.random.Generator, corner: float = 0.03) -> Strokes:
    """Slant, turn, stretch and shake a drawing and its corners as another writer would."""
    angle, slant = rng.normal(0, 0.12), rng.normal(0, 0.2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = np.diag(rng.uniform(0.7, 1.0, 2))
    form = turn @ np.array([[1, slant], [0, 1]]) @ stretch
    return [
        (fine(line + rng.normal(0, corner, line.shape)) @ form.T) + wobble(60, 0.01, rng)
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


def arcs(lines: list[str]) -> Strokes:
    """Read the arcs and corners of a sign."""
    strokes = []
    for line in lines:
        numbers = np.array(line.strip("[]").split(), float)
        if line.startswith("["):
            strokes.append(numbers.reshape(-1, 2) / 9)
            continue
        x, y, width, height, start, end = numbers
        angle = np.radians(np.linspace(start, end, 24))
        strokes.append(np.stack([x + width * np.cos(angle), y + height * np.sin(angle)], 1) / 9)
    return strokes


def smoothly_by_hand(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Do as `by_hand`, but shake strokes as a whole: arcs stay round."""
    shaken = by_hand(strokes, np.random.default_rng(rng.integers(2**32)), corner=0.0)
    return [line + rng.normal(0, 0.015, 2) for line in shaken]


def drawings(n: int, seed: int) -> dict[str, list[Strokes]]:
    """Draw n of each kind, and twice as many signs."""
    rng = np.random.default_rng(seed)

    def copies(of: dict[str, str]) -> list[Strokes]:
        chosen = rng.choice(list(of), n)
        return [
            by_hand([rounded(s) if name in ROUND else s for s in outlines(of[name])], rng)
            for name in chosen
        ]

    return {
        "letters": copies(LETTERS),
        "shapes": copies(SHAPES),
        "scribbles": [scribble(rng) for _ in range(n)],
        "signs": [
            smoothly_by_hand(arcs(SIGNS[name]), rng) for name in rng.choice(list(SIGNS), 2 * n)
        ],
    }


def typicality_of(model: vaegmm.VAEGMM, drawn: list[Strokes]) -> tuple[np.ndarray, np.ndarray]:
    """Return the typicality of drawings, as `read_strokes` says it, and their images."""
    lines = [[np.asarray(line).tolist() for line in strokes] for strokes in drawn]
    images = render_strokes(lines)
    dotted = np.array([has_dot(strokes) for strokes in lines])
    return np.where(dotted, 0, model.typicality(images)), images


def print_table(title: str, digits: np.ndarray, others: dict[str, np.ndarray]) -> None:
    """Print how well typicality tells digits from others, and the shares turned away."""
    print(f"| instead of {title} | images | AUROC | turned away |\n|---|---|---|---|")
    for name, typicality in others.items():
        is_digit = np.repeat([1, 0], [len(digits), len(typicality)])
        area = roc_auc_score(is_digit, np.concatenate([digits, typicality]))
        print(f"| {name} | {len(typicality)} | {area:.3f} | {(typicality < STRANGE).mean():.3f} |")
    print(f"\nOf {title} {(digits < STRANGE).mean():.4f} are turned away.\n")


def main() -> None:
    """Print the table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--drawings", type=int, default=300, help="of each kind (default: 300)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strokes", type=Path, default=DIGITS)
    parser.add_argument("--picture", type=Path, help="where to show some of the drawings")
    options = parser.parse_args()
    model = vaegmm.load(options.checkpoint)
    kinds = drawings(options.drawings, options.seed)
    looks = {name: typicality_of(model, drawn) for name, drawn in kinds.items()}
    if options.picture:
        rows = [np.hstack(list(images[:20])) for _, images in looks.values()]
        Image.fromarray(255 - np.vstack(rows)).resize((1120, 56 * len(rows))).save(options.picture)
    others = {name: typicality for name, (typicality, _) in looks.items()}
    others["all drawings"] = np.concatenate(list(others.values()))
    if options.strokes.is_file():
        with gzip.open(options.strokes, "rt") as lines:
            drawn = [json.loads(line)["strokes"] for line in lines]
        print_table("people's drawings of digits", typicality_of(model, drawn)[0], others)
    if data.is_available("fashion"):
        others["Fashion-MNIST, test"] = model.typicality(data.load("fashion").test.images)
    print_table("MNIST's test digits", model.typicality(data.load("mnist").test.images), others)


if __name__ == "__main__":
    main()
