"""Read synthetic photos of held-out digits: on a table, in a shadow, on lines, on their side …

    python benchmarks/photos.py CHECKPOINT [--photos 50] [--data mnist] [--only KIND …]

Prints a row a kind, as Markdown: the share of photos in which there is one box a digit, and all of
them are read rightly; of all digits the share read rightly, and the share read wrongly without a
warning (verdict "sure"); the share that a turn is offered for. The last rows are photos of what is
no digit (letters, shapes and scribbles of benchmarks/typicality.py): nothing is right there, and
what is "sure" is wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from synthetic_photos import KINDS, Kind, take
from typicality import drawings

import vaegmm
from vaegmm import data
from vaegmm.model import VAEGMM
from vaegmm.photo_reading import BoxReading, read_photo

NO_DIGIT = "no digit: "
COLUMNS = ("found", "all right", "digits right", "sure and wrong", "turn offered")


def photos(
    kind: Kind, images: np.ndarray, labels: np.ndarray, n: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Take n photos of randomly chosen digits, the same ones at every call."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        chosen = rng.integers(0, len(images), kind.n_digits)
        yield take(kind, images[chosen], rng), labels[chosen]


def read(model: VAEGMM, photo: np.ndarray) -> list[BoxReading]:
    """Read a photo; what shows no ink has no digits."""
    try:
        return read_photo(model, photo)
    except ValueError:
        return []


def row(
    model: VAEGMM, kind: Kind, images: np.ndarray, labels: np.ndarray, n: int
) -> dict[str, float]:
    """Score photos of one kind."""
    n_found = n_right = n_digits = n_rightly = n_wrong = n_turned = 0
    for photo, truth in photos(kind, images, labels, n):
        found = read(model, photo)
        read_as = [each.reading.label for each in found]
        n_found += len(found) == len(truth)
        n_right += read_as == truth.tolist()
        n_digits += len(truth)
        n_turned += sum(each.turn > 0 for each in found)
        if len(found) == len(truth):
            n_rightly += sum(a == b for a, b in zip(read_as, truth, strict=True))
            sure = [each.verdict == "sure" for each in found]
            n_wrong += sum(
                is_sure and a != b for is_sure, a, b in zip(sure, read_as, truth, strict=True)
            )
        else:
            n_wrong += sum(each.verdict == "sure" for each in found)
    shares = (n_found / n, n_right / n, n_rightly / n_digits, n_wrong / n_digits)
    return dict(zip(COLUMNS, (*shares, n_turned / n_digits), strict=True))


def main() -> None:
    """Print the table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--photos", type=int, default=50, help="of each kind (default: 50)")
    parser.add_argument("--data", default="mnist", help="mnist or digits (default: mnist)")
    parser.add_argument("--only", nargs="*", help="the kinds whose names contain one of these")
    options = parser.parse_args()
    model = vaegmm.load(options.checkpoint)
    test = data.load(options.data).test
    assert test.labels is not None
    kinds = {name: (kind, test.images, test.labels) for name, kind in KINDS.items()}
    for name, images in drawings(options.photos, seed=0).items():
        nothing = np.full(len(images), -1)
        kinds[f"{NO_DIGIT}{name}"] = KINDS["sheet only"], images, nothing
    print(f"| photo | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
    for name, (kind, images, labels) in kinds.items():
        if options.only and not any(part in name for part in options.only):
            continue
        shares = row(model, kind, images, labels, options.photos)
        print(f"| {name} | {' | '.join(f'{value:.2f}' for value in shares.values())} |", flush=True)


if __name__ == "__main__":
    main()
