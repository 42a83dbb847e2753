"""A box of a photo is cut out, and read, in the page as in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modules import Modules
from PIL import Image, ImageDraw
from scipy import ndimage

from vaegmm import load
from vaegmm.browser.blob import to_blob
from vaegmm.photo import Box, cut, in_reading_order
from vaegmm.photo_reading import read_box, turned

SHIPPED = Path(__file__).resolve().parents[2] / "checkpoints/mnist.safetensors"

pytestmark = pytest.mark.browser

CUT = """
async ({ strength, width, boxes }) => {
  const { cut } = await import("/photo/cut.js");
  const ink = { strength, width, height: strength.length / width };
  return boxes.map(([x, y, width, height, angle]) => cut(ink, { x, y, width, height, angle }));
}
"""
READ = """
async ({ blob, images }) => {
  const [{ Model }, { readBox }] = await Promise.all(
    [import("/model/model.js"), import("/photo/turning.js")],
  );
  const model = Model.from(blob);
  return Array.from({ length: images.length / 784 }, (_, i) => {
    const { said, turn, verdict } = readBox(model, images.slice(784 * i, 784 * (i + 1)));
    return { label: said.label, turn, verdict };
  });
}
"""
ORDER = """
async ({ boxes }) => {
  const { inReadingOrder, turned } = await import("/photo/boxes.js");
  const made = boxes.map(([x, y, width, height, angle]) => ({ x, y, width, height, angle }));
  const flat = (list) => list.map(({ x, y, width, height, angle }) => [x, y, width, height, angle]);
  return { order: flat(inReadingOrder(made)), turned: flat(made.map((box) => turned(box, 3))) };
}
"""


def ink() -> np.ndarray:
    """Strokes of all widths and strengths, soft and hard, with dirt between them."""
    rng = np.random.default_rng(0)
    picture = Image.new("L", (400, 300))
    pen = ImageDraw.Draw(picture)
    for _ in range(14):
        points = [tuple(point) for point in rng.uniform(0, 1, (4, 2)) * [400, 300]]
        pen.line(points, fill=int(rng.integers(90, 256)), width=int(rng.integers(2, 22)))
    soft = ndimage.gaussian_filter(np.asarray(picture, float), 1.2)
    soft += 60 * (rng.random(soft.shape) > 0.995)
    return soft.clip(0, 255).astype(np.uint8)


def boxes() -> list[Box]:
    rng = np.random.default_rng(1)
    some = [
        Box(*rng.uniform(30, 270, 2), *rng.uniform(8, 220, 2), rng.uniform(-4, 4))
        for _ in range(60)
    ]
    peculiar = [
        Box(200, 150, 400, 300, 0.0),  # all of it
        Box(200, 150, 2000, 900, 0.3),  # more than there is
        Box(-300, 40, 50, 60, 0.0),  # beside it
        Box(100, 100, 90, 2, 1.0),  # a slit
        Box(60, 200, 3, 5, 0.0),  # a few pixels
    ]
    return [*some, *peculiar]


def test_a_box_is_cut_out_alike(modules: Modules) -> None:
    strength = ink()
    found = modules.run(
        CUT, strength=strength, width=strength.shape[1], boxes=[list(box) for box in boxes()]
    )
    n_cut = 0
    for box, image in zip(boxes(), found, strict=True):
        try:
            expected = cut(strength, box).ravel().astype(int)
        except ValueError:
            assert image is None, box
            continue
        n_cut += 1
        assert image is not None, box
        assert np.abs(image.astype(int) - expected).max() <= 2, box
    assert 45 <= n_cut < len(found)


def test_boxes_are_ordered_and_turned_alike(modules: Modules) -> None:
    rng = np.random.default_rng(2)
    some = [Box(*rng.uniform(0, 500, 2), *rng.uniform(20, 60, 2), 0.2) for _ in range(30)]
    found = modules.run(ORDER, boxes=[list(box) for box in some])
    np.testing.assert_allclose(found["order"], in_reading_order(some))
    np.testing.assert_allclose(found["turned"], [turned(box, 3) for box in some])


def test_a_digit_on_its_side_is_turned_alike(modules: Modules) -> None:
    model = load(SHIPPED)
    images = model.decode(model.latents[:24]).reshape(-1, 28, 28)
    images = np.rint(images * 255).astype(np.uint8)
    images = np.concatenate([np.rot90(images[i::4], i, (1, 2)) for i in range(4)])
    found: Any = modules.run(READ, blob=to_blob(model), images=np.ascontiguousarray(images).ravel())
    box = Box(0, 0, 1, 1)
    expected = [read_box(model, box, image.copy()) for image in images]
    assert [each["turn"] for each in found] == [each.turn for each in expected]
    assert [each["verdict"] for each in found] == [each.verdict for each in expected]
    assert [each["label"] for each in found] == [each.reading.label for each in expected]
    turns = [each.turn for each in expected]
    # Seen lying on their side, most are to be turned; standing upright none is.
    assert turns[:6] == [0] * 6
    assert sum(turn > 0 for turn in turns[6:]) >= 9
