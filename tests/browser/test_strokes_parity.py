"""A drawing becomes the same image in the page as in Python."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modules import Modules

import vaegmm
from vaegmm.browser.blob import to_blob
from vaegmm.preprocess import (
    MOST_POINTS,
    PEN_WIDTH,
    drawing_parts,
    has_dot,
    partial_drawings,
    render_strokes,
    runs_off,
)
from vaegmm.reading import read_strokes

pytestmark = pytest.mark.browser

STROKES = Path(__file__).resolve().parents[3] / "shared/data/strokes/pen_digits_dev.jsonl.gz"
CHECKPOINT = Path(vaegmm.__file__).parents[1] / "checkpoints/mnist.safetensors"
SEVEN = [[[0.2, 0.2], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]], [[0.4, 0.5], [0.7, 0.5]]]
KNOT_AND_LINE = [
    (np.random.default_rng(0).random((300, 2)) * [0.15, 1.0]).tolist(),
    [[0.05, 0.5], [1.0, 0.5]],
]
PECULIAR = {
    "with a bar": SEVEN,
    "a line": [[[0.5, 0.1], [0.5, 0.9]]],
    "a dot beside a line": [[[0.9, 0.5]], [[0.5, 0.1], [0.5, 0.9]]],
    "repeated points": [[point for point in SEVEN[0] for _ in range(3)], [[0.2, 0.2]] * 5],
    "empty strokes": [[], *SEVEN, [], [[], []]],
    "hardly more than a dot": [[[0.5, 0.5], [0.5, 0.52001]]],
    "a part that is a dot": [[[0.5, 0.5], [0.515, 0.5]] * 20, [[0.5, 0.5], [0.53, 0.5]]],
    "large and far away": [[[x * 500 - 9e5, y * 500] for x, y in line] for line in SEVEN],
    "heavier at one end than the field has room": KNOT_AND_LINE,
    "equally long strokes": [[[0.2, 0.2], [0.2, 0.7]], [[0.5, 0.2], [0.5, 0.7]]],
}
RENDER = """
async ({ drawings, penWidth }) => {
  const { partialDrawings, renderStrokes } = await import("/model/strokes.js");
  const views = drawings.flatMap((strokes) => [strokes, ...partialDrawings(strokes)]);
  return renderStrokes(views, penWidth);
}
"""
TRY = """
async ({ drawings }) => {
  const { digitFromStrokes } = await import("/model/strokes.js");
  return drawings.map((strokes) => {
    try { return String(digitFromStrokes(strokes)); } catch (error) { return error.message; }
  });
}
"""


def made_up(n_drawings: int) -> list[Any]:
    """Smooth strokes, one to three a drawing, as irregular as drawn ones."""
    rng = np.random.default_rng(0)
    return [
        [
            (rng.random(2) + rng.normal(size=(rng.integers(2, 60), 2)).cumsum(0) * 0.05)
            .round(4)
            .tolist()
            for _ in range(rng.integers(1, 4))
        ]
        for _ in range(n_drawings)
    ]


@pytest.fixture(scope="module")
def drawings() -> list[Any]:
    """The 1,500 drawings that lie beside the repository; elsewhere 200 that nobody has drawn."""
    if not STROKES.is_file():
        return made_up(200)
    with gzip.open(STROKES, "rt") as lines:
        return [json.loads(line)["strokes"] for line in lines]


def assert_same_views(modules: Modules, drawings: list[Any], pen_width: float) -> None:
    views = [view for strokes in drawings for view in (strokes, *partial_drawings(strokes))]
    expected = render_strokes(views, pen_width)
    found = modules.run(RENDER, drawings=drawings, penWidth=pen_width).reshape(-1, 28, 28)
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_every_view_of_a_drawing_is_the_same_image(modules: Modules, drawings: list[Any]) -> None:
    assert_same_views(modules, drawings, PEN_WIDTH)


@pytest.mark.parametrize("strokes", PECULIAR.values(), ids=PECULIAR)
def test_peculiar_drawings_give_the_same_images(modules: Modules, strokes: Any) -> None:
    for pen_width in (1.6, PEN_WIDTH, 4.0):
        assert_same_views(modules, [strokes], pen_width)


def test_the_pen_is_as_wide_where_nobody_chooses_its_width(modules: Modules) -> None:
    found = modules.run(
        "async ({ strokes }) => (await import('/model/strokes.js')).digitFromStrokes(strokes)",
        strokes=SEVEN,
    )
    assert found.shape == (784,)
    assert np.abs(found.astype(int) - render_strokes([SEVEN]).ravel()).max() <= 1


def test_parts_have_the_same_points(modules: Modules, drawings: list[Any]) -> None:
    some = [*drawings[::20], *PECULIAR.values()]
    parts = modules.run(
        "async ({ some }) => some.map((await import('/model/strokes.js')).drawingParts)",
        some=some,
    )
    for theirs, strokes in zip(parts, some, strict=True):
        ours = drawing_parts(strokes)
        assert [part["strokes"] for part in theirs] == [part.strokes for part in ours]
        for name in ("share", "turn", "leftward"):
            expected = [getattr(part, name) for part in ours]
            assert [part[name] for part in theirs] == pytest.approx(expected, abs=1e-9)


def test_dots_and_the_pads_edge_are_seen_alike(modules: Modules, drawings: list[Any]) -> None:
    some = [*drawings[::5], *PECULIAR.values()]
    some += [[*strokes, [[0.5, y]]] for strokes in drawings[::30] for y in (0.1, 0.5, 0.98)]
    some += [[[[x + 0.3, y] for x, y in line] for line in strokes] for strokes in drawings[::30]]
    theirs = modules.run(
        """async ({ some }) => {
          const { hasDot, runsOff } = await import("/model/strokes.js");
          return some.map((strokes) => [hasDot(strokes), runsOff(strokes, 1, 1)]);
        }""",
        some=some,
    )
    assert theirs == [[has_dot(strokes), runs_off(strokes, 1, 1)] for strokes in some]
    assert {True, False} == {dot for dot, _ in theirs} == {off for _, off in theirs}


def test_what_is_no_drawing_is_refused_with_the_same_sentence(modules: Modules) -> None:
    line = [[0.1, 0.1], [0.5, 0.5]]
    refused: list[Any] = [
        [],
        [[], []],
        [[[0.5, 0.5]]],
        [[[0.5, 0.5], [0.5199, 0.5]]],
        [[[0.1, None], [0.5, 0.5]]],
        [[[0.1, 1e300], [0.5, 0.5]]],
        [[[0.1, -1e6], [0.5, 0.5]]],
        [[[0.1, 0.2, 0.3], [0.5, 0.5, 0.5]]],
        [line, [0.1, 0.2]],
        [line, 0.1],
        [[[[0.1, 0.2]]]],
        [["a", "b"]],
        [[[0.1, 0.2], [0.3]]],
        7,
        [line * (MOST_POINTS // 2), [[0.1, 0.1]]],
    ]
    sentences = []
    for strokes in refused:
        with pytest.raises(ValueError) as caught:
            render_strokes([strokes])
        sentences.append(str(caught.value))
    assert modules.run(TRY, drawings=refused) == sentences


def test_a_hundred_thousand_points_are_drawn(modules: Modules) -> None:
    angle = np.linspace(0, 40 * np.pi, MOST_POINTS)
    strokes = [np.stack([np.cos(angle), np.sin(angle)], 1).round(6).tolist()]
    found = modules.run(
        "async ({ strokes }) => (await import('/model/strokes.js')).digitFromStrokes(strokes)",
        strokes=strokes,
    )
    assert np.abs(found.astype(int) - render_strokes([strokes]).ravel()).max() <= 1


READ_ALL = """
async ({ blob, drawings }) => {
  const { Model } = await import("/model/model.js");
  const { readStrokes } = await import("/model/reading.js");
  const model = Model.from(blob);
  return drawings.map((strokes) => {
    const { label, verdict, probabilities } = readStrokes(model, strokes, { pad: [1, 1] });
    return { label, verdict, p: probabilities[label] };
  });
}
"""


def test_drawings_are_read_alike(modules: Modules, drawings: list[Any]) -> None:
    """Every fifth: `READ_ALL` on all 1,500 takes a minute, and differs in none."""
    model = vaegmm.load(CHECKPOINT)
    some = [strokes for strokes in drawings[::5] if render_strokes([strokes]).any()]
    theirs = modules.run(READ_ALL, blob=to_blob(model), drawings=some)
    readings = [read_strokes(model, strokes, pad=(1, 1)) for strokes in some]
    differ = sum(said["label"] != ours.label for said, ours in zip(theirs, readings, strict=True))
    assert differ <= len(some) / 1000
    p = [reading.probabilities.max() for reading in readings]
    np.testing.assert_allclose([said["p"] for said in theirs], p, atol=0.03)
    same = [said["verdict"] == ours.verdict for said, ours in zip(theirs, readings, strict=True)]
    assert np.mean(same) > 0.98
