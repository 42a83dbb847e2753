"""People's drawings and the shipped model: the same drawing gets the same answer."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

import vaegmm
from vaegmm import VAEGMM
from vaegmm.preprocess import digit_from_strokes
from vaegmm.reading import STRANGE, read_strokes

ROOT = Path(__file__).resolve().parent.parent
STROKES = ROOT.parent / "shared/data/strokes/pen_digits_dev.jsonl.gz"


@pytest.fixture(scope="module")
def shipped() -> VAEGMM:
    return vaegmm.load(ROOT / "checkpoints" / "mnist.safetensors", "cpu")


@pytest.fixture(scope="module")
def drawings() -> list[dict]:
    """Every fifth of the drawings that lie beside the repository."""
    if not STROKES.is_file():
        pytest.skip("needs the pen strokes in ../shared/data; there are none")
    with gzip.open(STROKES, "rt") as lines:
        return [json.loads(line) for line in lines][::5]


def images_of(drawings: list[dict], scale: float = 1.0, shift: tuple = (0, 0)) -> np.ndarray:
    return np.stack(
        [
            digit_from_strokes(
                [(np.array(line) * scale + shift).tolist() for line in drawing["strokes"]]
            )
            for drawing in drawings
        ]
    )


def test_moved_and_scaled_drawings_get_the_same_answer(shipped: VAEGMM, drawings: list) -> None:
    here = shipped.predict(images_of(drawings))
    for scale, shift in [(0.5, (0.3, 0.1)), (1.5, (-0.2, -0.4)), (0.77, (0.013, 0.217))]:
        elsewhere = shipped.predict(images_of(drawings, scale, shift))
        assert (here == elsewhere).mean() >= 0.99


def test_most_drawings_are_read_and_few_are_turned_away(shipped: VAEGMM, drawings: list) -> None:
    images = images_of(drawings)
    labels = np.array([drawing["label"] for drawing in drawings])
    right = shipped.predict(images) == labels
    right_by_parts = [
        read_strokes(shipped, drawing["strokes"]).label == drawing["label"] for drawing in drawings
    ]
    assert right.mean() > 0.9
    assert np.mean(right_by_parts) > right.mean()
    assert (shipped.typicality(images) < STRANGE).mean() < 0.1


def test_hardly_any_of_mnists_digits_is_turned_away(
    shipped: VAEGMM, mnist_data: vaegmm.data.Dataset
) -> None:
    assert (shipped.typicality(mnist_data.test.images) < STRANGE).mean() <= 0.02


def test_what_is_no_digit_is_turned_away(shipped: VAEGMM) -> None:
    rng = np.random.default_rng(0)
    scribbles = [digit_from_strokes([rng.random((40, 2)).tolist()]) for _ in range(40)]
    assert (shipped.typicality(np.stack(scribbles)) < STRANGE).mean() > 0.5
