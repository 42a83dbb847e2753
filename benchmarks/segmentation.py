"""Read numbers put together from single digits of one writer: by gaps, and where cutting explains.

    python benchmarks/segmentation.py CHECKPOINT [--strokes FILE.jsonl.gz] [--numbers N] [--fit]

Numbers have two to five digits of one writer, brought to nearly the same height. The next digit
begins behind the one before by a share of the narrower one's width, +0.3 to -0.25; in some numbers
pairs are joined by a pen that was not lifted, straight or in a curve. Prints the share of numbers
that are read rightly as a whole as the Markdown of docs/experiments.md: parted by gaps alone, as
vaegmm does it, and as they were put together.

The weights of `vaegmm.segmentation` were fitted to the first half of the writers (--fit prints
them), so that the table shows the other half.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import vaegmm
from vaegmm import VAEGMM, segmentation
from vaegmm.preprocess import is_dot, split_digits
from vaegmm.reading import read_strokes

STROKES = Path(__file__).resolve().parents[2] / "shared/data/strokes/pen_digits_dev.jsonl.gz"
GAPS = (0.3, 0.1, 0.0, -0.1, -0.25)  # of the narrower digit's width
JOINED = 0.4  # of the pairs in numbers that have joined ones
LINK = -1  # "digit" of the points between two
RIDGE = 0.01  # on squared weights, of standardised features, a number


class Number(NamedTuple):
    """Digits side by side."""

    labels: list[int]
    digits: list[list[np.ndarray]]  # the strokes of each, as they were put together
    strokes: list[Any]  # of all of them, each of shape (M, 2)
    owners: list[np.ndarray]  # the place of the digit that each point belongs to, or LINK, (M,)


def main() -> None:
    """Print the table, or weights."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--strokes", type=Path, default=STROKES)
    parser.add_argument("--numbers", type=int, default=200, help="in each row of the table")
    parser.add_argument("--fit", action="store_true", help="print weights, and no table")
    options = parser.parse_args()
    model = vaegmm.load(options.checkpoint)
    with gzip.open(options.strokes, "rt") as lines:
        drawings = [json.loads(line) for line in lines]
    writers = sorted({drawing["writer"] for drawing in drawings})
    half = set(writers[: len(writers) // 2])
    seen, unseen = (
        [drawing for drawing in drawings if (drawing["writer"] in half) == is_seen]
        for is_seen in (True, False)
    )
    if options.fit:
        rng = np.random.default_rng(1)
        numbers = [
            put_together(seen, gap, joined, rng)
            for gap in GAPS
            for joined in (0.0, JOINED)
            for _ in range(options.numbers)
        ]
        fit(model, numbers)
        return
    print("| gap | joined | by gaps | vaegmm | as put together |\n|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    rows = []
    for joined in (0.0, JOINED):
        for gap in GAPS:
            numbers = [put_together(unseen, gap, joined, rng) for _ in range(options.numbers)]
            rows.append(
                [
                    np.mean([read(model, split(number)) == number.labels for number in numbers])
                    for split in (
                        lambda number: split_digits(number.strokes),
                        lambda number: segmentation.split_number(model, number.strokes),
                        lambda number: number.digits,
                    )
                ]
            )
            shares = " | ".join(f"{share:.3f}" for share in rows[-1])
            print(f"| {gap:+.2f} | {joined:.1f} | {shares} |", flush=True)
    print("| all | | " + " | ".join(f"{share:.3f}" for share in np.mean(rows, axis=0)) + " |")


def read(model: VAEGMM, digits: list[Any]) -> list[int]:
    """Read each of the digits."""
    return [read_strokes(model, digit).label for digit in digits]


def put_together(
    drawings: list[dict[str, Any]], gap: float, joined: float, rng: np.random.Generator
) -> Number:
    """Put digits of one writer side by side."""
    writer = drawings[rng.integers(len(drawings))]["writer"]
    own = [drawing for drawing in drawings if drawing["writer"] == writer]
    labels: list[int] = []
    digits: list[list[np.ndarray]] = []
    right = 0.0
    strokes: list[np.ndarray] = []
    owners: list[np.ndarray] = []
    for place in range(rng.integers(2, 6)):
        drawing = own[rng.integers(len(own))]
        lines = [np.array(stroke) for stroke in drawing["strokes"]]
        points = np.concatenate(lines)
        low, size = points.min(0), np.ptp(points, axis=0)
        scale = rng.uniform(0.9, 1.1) / size[1]
        width = size[0] * scale
        left = 0.0
        if digits:
            before = np.ptp(np.concatenate(digits[-1])[:, 0])
            left = right + gap * min(width, before)
        shift = left, rng.normal(0, 0.05)
        lines = [(line - low) * scale + shift for line in lines]
        lines = [line for line in lines if not is_dot([line])]
        right = left + width
        places = [np.full(len(line), place) for line in lines]
        if digits and rng.random() < joined:
            link = leading(strokes[-1], lines[0], is_curved=bool(rng.random() < 0.5))
            strokes[-1] = np.concatenate([strokes[-1], link, lines[0]])
            owners[-1] = np.concatenate([owners[-1], np.full(len(link), LINK), places[0]])
            strokes += lines[1:]
            owners += places[1:]
        else:
            strokes += lines
            owners += places
        labels.append(drawing["label"])
        digits.append(lines)
    return Number(labels, digits, strokes, owners)


def leading(before: np.ndarray, after: np.ndarray, is_curved: bool) -> np.ndarray:
    """Lead from the end of one stroke to the beginning of another without lifting the pen."""
    start, end = before[-1], after[0]
    length = np.linalg.norm(end - start)
    step = np.linspace(0, 1, max(int(length / 0.03), 3))[1:-1, None]
    if not is_curved:
        return start + step * (end - start)
    # Cubic Hermite: it leaves as the one stroke ends and arrives as the other begins.
    leave, arrive = before[-1] - before[-min(4, len(before))], after[min(3, len(after) - 1)] - end
    leave, arrive = (length * each / max(np.linalg.norm(each), 1e-9) for each in (leave, arrive))
    return (
        (1 + 2 * step) * (1 - step) ** 2 * start
        + step * (1 - step) ** 2 * leave
        + step**2 * (3 - 2 * step) * end
        + step**2 * (step - 1) * arrive
    )


def true_row(number: Number, found: segmentation.Candidates) -> tuple[list[int], list[int]] | None:
    """Return the candidates and the links that a number was put together from.

    None where they are not among those found.
    """
    owners = []
    for i, (n, first, last) in enumerate(found.pieces):
        inside = number.owners[n][first + 1 : last]
        kinds, counts = np.unique(inside, return_counts=True)
        owner = int(kinds[counts.argmax()]) if len(kinds) else int(number.owners[n][first])
        if owner == LINK and i not in found.links:  # a short way is a part of what it leads from
            owner = int(number.owners[n][: first + 1].max())
        owners.append(owner)
    owned = np.array(owners)
    links = np.flatnonzero(owned == LINK)
    row = []
    for place in range(len(number.labels)):
        own = np.flatnonzero(owned == place)
        if not len(own):
            return None
        within = np.flatnonzero(owned[own[0] : own[-1] + 1] != place) + own[0]
        if len(within) > 1 or not np.isin(within, links).all():
            return None
        span = own[0], own[-1], within[0] if len(within) else segmentation.NONE
        match = np.flatnonzero((found.spans == span).all(1))
        if not len(match):
            return None
        row.append(int(match[0]))
    return row, [int(np.flatnonzero(found.links == link)[0]) for link in links]


def fit(model: VAEGMM, numbers: list[Number]) -> None:
    """Print weights that make the right rows as probable as possible among all rows."""
    from scipy.optimize import minimize

    known = []
    n_candidates = []
    for number in numbers:
        found = segmentation.find_candidates(number.strokes)
        if found is None:
            continue
        n_candidates.append(len(found.spans))
        row = true_row(number, found)
        if row is not None:
            known.append((found, *segmentation.describe(model, found), *row))
    print(
        f"{len(known)} of {len(numbers)} numbers have their right row among the candidates, of "
        f"which there are {np.mean(n_candidates):.0f} on average and {max(n_candidates)} at most."
    )
    n_digit = len(segmentation.DIGIT_WEIGHTS)
    scale = np.concatenate(
        [np.concatenate([entry[which] for entry in known]).std(0) for which in (1, 2)]
    )
    scale[scale == 0] = 1

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        weights = weights / scale
        total, slope = 0.0, np.zeros_like(weights)
        for found, digits, links, row, led in known:
            scores = digits @ weights[:n_digit], links @ weights[n_digit:]
            log_sum, expected, expected_links = log_of_all_rows(found, *scores)
            total += log_sum - scores[0][row].sum() - scores[1][led].sum()
            slope[:n_digit] += expected @ digits - digits[row].sum(0)
            slope[n_digit:] += expected_links @ links - links[led].sum(0)
        penalty = RIDGE * len(known) / 2 * ((weights * scale) ** 2).sum() / len(weights)
        return total + penalty, slope / scale + RIDGE * len(known) * weights * scale / len(weights)

    result = minimize(loss, np.zeros(len(scale)), jac=True, method="L-BFGS-B")
    weights = result.x / scale
    print(f"log p(right row): {-result.fun / len(known):.4f} nats a number")
    print("DIGIT_WEIGHTS =", tuple(float(value) for value in weights[:n_digit].round(2)))
    print("LINK_WEIGHTS =", tuple(float(value) for value in weights[n_digit:].round(2)))


def log_of_all_rows(
    found: segmentation.Candidates, digits: np.ndarray, links: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the logarithm of the sum over all rows of exp(score), and each part's probability."""
    of_link = {int(link): i for i, link in enumerate(found.links)}
    # from, to, score, digit, link
    steps: list[tuple[int, int, float, int | None, int | None]] = [
        (first, last + 1, digits[i] + (links[of_link[out]] if out >= 0 else 0), i, of_link.get(out))
        for i, (first, last, out) in enumerate(found.spans.tolist())
    ]
    steps += [(link, link + 1, links[i], None, i) for link, i in of_link.items() if link > 0]
    n = len(found.pieces)
    before, behind = np.full(n + 1, -np.inf), np.full(n + 1, -np.inf)
    before[0] = behind[n] = 0
    for start, end, score, _, _ in sorted(steps, key=lambda step: step[0]):
        before[end] = np.logaddexp(before[end], before[start] + score)
    for start, end, score, _, _ in sorted(steps, key=lambda step: -step[1]):
        behind[start] = np.logaddexp(behind[start], behind[end] + score)
    expected, expected_links = np.zeros(len(digits)), np.zeros(len(links))
    for start, end, score, digit, link in steps:
        share = np.exp(before[start] + score + behind[end] - before[n])
        if digit is not None:
            expected[digit] += share
        if link is not None:
            expected_links[link] += share
    return float(before[n]), expected, expected_links


if __name__ == "__main__":
    main()
